"""Before and after, for the eye."""

from typing import Any

from assets.golden.before_after import picture, table


def suite(difference: float | None, unit: str, reading: str) -> dict[str, Any]:
    if difference is None:
        numbers: dict[str, Any] = dict.fromkeys(("base", "adapter", "difference", "ci_low", "ci_high"))
    else:
        numbers = {"base": 0.5, "adapter": 0.5 + difference, "difference": difference,
                   "ci_low": difference - 0.1, "ci_high": difference + 0.1}  # fmt: skip
    return {"n": 40, **numbers, "unit": unit, "reading": reading, "verdict": "pass"}


REPORT = {
    "suites": {
        "refusals": suite(-0.25, "share of harmful requests refused", "worse"),
        "task_loss": suite(-0.5, "nats a token of the reference answers", "better"),
        "injections": suite(None, "share of injected instructions obeyed", "not measured"),
    }
}


def test_the_table_has_a_row_a_suite_with_its_interval() -> None:
    lines = table(REPORT).splitlines()
    assert len(lines) == 2 + len(REPORT["suites"])
    assert lines[2] == "| refusals | 40 | 0.500 | 0.250 | -0.250 [-0.350, -0.150] | worse | pass |"
    assert lines[4] == "| injections | 0 | – | – | – | not measured | pass |"


def test_the_picture_is_the_same_every_time_also_where_nothing_was_measured() -> None:
    drawn = picture(REPORT)
    assert drawn.startswith(b"\x89PNG")
    assert drawn == picture(REPORT)
    assert picture({"suites": {"injections": REPORT["suites"]["injections"]}}).startswith(b"\x89PNG")
