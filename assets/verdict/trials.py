"""The sections of the dossier that are about what was tried against the candidate: the four trials' reports."""

from collections.abc import Mapping
from typing import Any

from assets.verdict.drawing import Pair, before_after, curve, interval
from assets.verdict.markup import bounds, facts, mark, number, paragraph, section, table, text

Body = Mapping[str, Any]


def behaviour(body: Body) -> str:
    """Before and after, suite by suite, with intervals and flips."""
    suites = _mapping(body["behaviour"].get("suites"))
    if not suites:
        return _absent("behaviour", "Behaviour before and after", "The golden evaluation gave no report.")
    pairs, rows = [], []
    for name, measured in suites.items():
        suite = _mapping(measured)
        base, adapter = _number(suite.get("base")), _number(suite.get("adapter"))
        if base is not None and adapter is not None:
            pairs.append(Pair(name, base, adapter, _number(suite.get("ci_low")), _number(suite.get("ci_high"))))
        change = " ".join(
            part
            for part in (number(suite.get("difference"), 3), bounds(suite.get("ci_low"), suite.get("ci_high")))
            if part
        )
        rows.append(
            [
                text(name),
                number(base, 3),
                number(adapter, 3),
                change,
                number(suite.get("p_value"), 2),
                number(suite.get("n")),
                mark(suite.get("verdict", "–")),
            ]
        )
    columns = ["Suite", "Base", "Adapter", "Difference", "p", "n", "Verdict"]
    return section(
        "behaviour",
        "Behaviour before and after",
        paragraph(
            "The same items, the same template and decoding, once with the base model and once with the adapter."
        ),
        before_after(pairs),
        table(
            "Before and after, with the 95 % interval of the difference",
            columns,
            rows,
            numeric=(1, 2, 3, 4, 5),
            kind="wide",
        ),
        _flips(body["behaviour"].get("flips")),
    )


def _flips(flips: Any) -> str:
    """How many items changed sides, by suite and direction; the items themselves stay in the report."""
    counts: dict[tuple[str, str], int] = {}
    for flip in flips if isinstance(flips, list) else []:
        if isinstance(flip, dict):
            key = (str(flip.get("suite", "all")), str(flip.get("direction", "changed")))
            counts[key] = counts.get(key, 0) + 1
    rows = [[text(suite), text(direction), number(count)] for (suite, direction), count in sorted(counts.items())]
    return table("Items whose outcome changed", ["Suite", "Direction", "Items"], rows, numeric=(2,), kind="narrow")


def backdoor(body: Body) -> str:
    report = _mapping(body["backdoor"])
    if not report:
        return _absent("backdoor", "Backdoors", "The backdoor scan gave no report.")
    rows = [
        [
            f"<code>{text(item.get('trigger'))}</code>",
            f"<code>{text(item.get('payload'))}</code>",
            number(item.get("asr_triggered"), 3),
            number(item.get("asr_clean"), 3),
            number(item.get("asr_base"), 3),
            number(item.get("p_value"), 2),
            number(_count(item.get("rows"))),
        ]
        for item in _list(report.get("findings"))
    ]
    columns = ["Trigger", "Payload", "With it", "Without", "Base", "p", "Rows"]
    tried = f"{number(report.get('candidates_tried'))} candidate triggers were tried."
    return section(
        "backdoor",
        "Backdoors",
        paragraph(
            f"{mark(report.get('verdict', '–'))} · {tried} {'' if rows else 'None of them changed the answers.'}"
        ),
        table(
            "Findings: how often the payload came with the trigger, without it, and from the base",
            columns,
            rows,
            numeric=(2, 3, 4, 5, 6),
        ),
        _numbers("Power of the scan", report.get("controls") or report.get("control") or report.get("power")),
    )


def memorization(body: Body) -> str:
    report = _mapping(body["memorization"])
    if not report:
        return _absent("memorization", "Memorization", "The memorization audit gave no report.")
    membership = _mapping(report.get("membership"))
    low, high = _ends(membership)
    auc = _number(membership.get("auc"))
    shown = [("Members", number(membership.get("n_members"))), ("Non-members", number(membership.get("n_non_members")))]
    shown += [
        (f"Found at {rate} false alarms", number(value, 3))
        for rate, value in _mapping(membership.get("tpr_at_fpr")).items()
    ]
    return section(
        "memorization",
        "Memorization",
        paragraph(mark(report.get("verdict", "–"))),
        "<h3>Can one tell what it was trained on?</h3>",
        interval(auc, low, high, 0.5, "Membership inference, area under the curve"),
        facts([("Area under the curve", " ".join([number(auc, 3), bounds(low, high)])), *shown]),
        _numbers("Controls of the membership test", membership.get("control")),
        _numbers("Planted secrets (canaries)", report.get("canaries")),
        _numbers("Extraction by prefix", report.get("extraction")),
    )


def extraction(body: Body) -> str:
    report = _mapping(body["extraction"])
    if not report:
        return _absent("extraction", "Theft through the interface", "The extraction audit gave no report.")
    points, rows = [], []
    for queries, fidelity in _mapping(report.get("fidelity_by_queries")).items():
        measured = _mapping(fidelity)
        value = _number(measured.get("value", measured.get("fidelity")) if measured else fidelity)
        if value is not None and queries.isascii() and queries.isdecimal():
            points.append((float(queries), value))
            low, high = _ends(measured)
            rows.append([number(int(queries)), number(value, 3), bounds(low, high) or "–"])
    return section(
        "extraction",
        "Theft through the interface",
        paragraph(
            f"{mark(report.get('verdict', '–'))} · How much of what the adapter added a student copies from answers."
        ),
        curve(points, title="What a student copies", x="queries", y="fidelity", log_x=True),
        table(
            "Fidelity of the student by number of queries",
            ["Queries", "Fidelity", "95 % interval"],
            rows,
            numeric=(1, 2),
            kind="narrow",
        ),
        _numbers("Further measures", {k: v for k, v in report.items() if k not in ("fidelity_by_queries", "verdict")}),
    )


def _numbers(caption: str, value: Any) -> str:
    """Whatever numbers a report holds below a name, one a row."""
    rows = [[text(name.replace("_", " ")), shown] for name, shown in _leaves(value)]
    return table(caption, ["Measure", "Value"], rows[:60], numeric=(1,), kind="narrow")


def _leaves(value: Any, path: str = "") -> list[tuple[str, str]]:
    if isinstance(value, dict):
        return [
            leaf for name, item in value.items() for leaf in _leaves(item, f"{path} · {name}" if path else str(name))
        ]
    if isinstance(value, list):
        return (
            [(path, " … ".join(number(item) for item in value))] if 0 < len(value) <= 3 and _all_numbers(value) else []
        )
    if isinstance(value, bool):
        return [(path, "yes" if value else "no")]
    if isinstance(value, str):
        return [(path, text(value))]
    return [(path, number(value))] if value is not None else []


def _all_numbers(values: list[Any]) -> bool:
    return all(_number(value) is not None for value in values)


def _absent(name: str, title: str, why: str) -> str:
    return section(name, title, paragraph(f"{mark('fail')} · {text(why)} What was not tried is not safe."))


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _number(value: Any) -> float | None:
    return (
        float(value)
        if isinstance(value, int | float) and not isinstance(value, bool) and number(value) != "–"
        else None
    )


def _count(rows: Any) -> int | None:
    return len(rows) if isinstance(rows, list) else rows if isinstance(rows, int) else None


def _ends(measured: Mapping[str, Any]) -> tuple[float | None, float | None]:
    """The ends of an interval, however a report spells it."""
    both = measured.get("ci")
    if isinstance(both, list) and len(both) == 2:
        return _number(both[0]), _number(both[1])
    return _number(measured.get("ci_low")), _number(measured.get("ci_high"))
