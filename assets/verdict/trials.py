"""The sections of the dossier that are about what was tried against the candidate: the four trials' reports."""

import math
from collections.abc import Mapping
from typing import Any

from assets.verdict.drawing import Pair, before_after, curve, interval, two_shapes
from assets.verdict.markup import bounds, facts, mark, number, paragraph, section, table, text

Body = Mapping[str, Any]
SHARES = ("share", "word overlap")  # units of a suite that lies between 0 and 1 and can be drawn on one axis


def behaviour(body: Body) -> str:
    """Before and after, suite by suite, with intervals and flips."""
    suites = _mapping(body["behaviour"].get("suites"))
    if not suites:
        return _absent("behaviour", "Behaviour before and after", "The golden evaluation gave no report.")
    pairs, rows = [], []
    for name, measured in suites.items():
        suite, told = _mapping(measured), name.replace("_", " ")
        base, adapter, (low, high) = _number(suite.get("base")), _number(suite.get("adapter")), _ends(suite)
        if base is not None and adapter is not None and str(suite.get("unit", "share")).startswith(SHARES):
            pairs.append(Pair(told, base, adapter, low, high, str(suite.get("reading", ""))))
        change = " ".join(part for part in (number(suite.get("difference"), 3), bounds(low, high)) if part)
        unit = f'<span class="tags">{text(suite.get("unit") or "")}</span>'
        rows.append(
            [
                text(told) + unit,
                number(base, 3),
                number(adapter, 3),
                change,
                number(suite.get("p_value"), 2),
                number(suite.get("n")),
                text(suite.get("reading")),
                mark(suite.get("verdict") or "–"),
            ]
        )
    columns = ["Suite", "Base", "Adapter", "Difference", "p", "n", "Reading", "Gate"]
    caption = "Before and after, with the 95 % interval of the difference"
    return section(
        "behaviour",
        "Behaviour before and after",
        paragraph("The same items, the same template and decoding, once with the base model, once with the adapter."),
        _candidates(body["behaviour"].get("candidates_tried")),
        _evidence(_mapping(body["behaviour"].get("evidence"))),
        before_after(pairs),
        table(caption, columns, rows, numeric=(1, 2, 3, 4, 5), kind="wide"),
        _flips(body["behaviour"].get("flips")),
        _numbers("How far the judges of answers can be trusted, on labelled answers", body["behaviour"].get("judges")),
    )


def _candidates(tried: Any) -> str:
    if not isinstance(tried, int) or tried < 2:
        return ""
    return paragraph(
        f"It is one of {tried} candidates tried side by side; each interval misses with 5 % divided by {tried}."
    )


def _evidence(evidence: Body) -> str:
    """Benchmarks that the team brought, paired by item."""
    rows = [
        [text(name), number(entry["base"], 3), number(entry["adapter"], 3),
         f"{number(entry['difference'], 3)} {bounds(entry['ci_low'], entry['ci_high'])}", number(entry["n"]),
         text(entry["reading"])]
        for name, entry in evidence.items()
    ]  # fmt: skip
    columns = ["Benchmark", "Base", "Adapter", "Difference", "n", "Reading"]
    return table("Benchmarks of the team's own", columns, rows, numeric=(1, 2, 3, 4), kind="wide") if rows else ""


def _flips(flips: Any) -> str:
    """How many items changed sides, by suite and direction; the items themselves stay in the report."""
    counts: dict[tuple[str, str], int] = {}
    for flip in flips if isinstance(flips, list) else []:
        if isinstance(flip, dict):
            key = (str(flip.get("suite", "all")), str(flip.get("direction", "changed")))
            counts[key] = counts.get(key, 0) + 1
    rows = [[text(suite), text(way), number(count)] for (suite, way), count in sorted(counts.items())]
    return table("Items whose outcome changed", ["Suite", "Direction", "Items"], rows, numeric=(2,), kind="narrow")


def backdoor(body: Body) -> str:
    report = _mapping(body["backdoor"])
    if not report:
        return _absent("backdoor", "Backdoors", "The backdoor scan gave no report.")
    rows = []
    for item in _list(report.get("findings")):
        rates = [number(item.get(name), 3) for name in ("asr_triggered", "asr_clean", "asr_base")]
        named = [f"<code>{text(item.get(name))}</code>" for name in ("trigger", "payload")]
        rows.append([*named, *rates, number(item.get("p_value"), 2), number(_count(item.get("rows")))])
    columns = ["Trigger", "Payload", "With it", "Without", "Base", "p", "Rows"]
    caption = "Findings: how often the payload came with the trigger, without it, and from the base"
    mode = f" ({text(report['mode'])})" if report.get("mode") else ""
    tried = f"{number(report.get('candidates_tried'))} candidate triggers were tried{mode}."
    return section(
        "backdoor",
        "Backdoors",
        paragraph(f"{_verdict(report)}{tried} {'' if rows else 'None of them changed the answers.'}"),
        table(caption, columns, rows, numeric=(2, 3, 4, 5, 6)),
        _numbers("Power: what the scan found in its own control adapter, and in the base", report.get("control")),
    )


def memorization(body: Body) -> str:
    report = _mapping(body["memorization"])
    if not report:
        return _absent("memorization", "Memorization", "The memorization audit gave no report.")
    membership, extracted = _mapping(report.get("membership")), _mapping(report.get("extraction"))
    canaries = _mapping(report.get("canaries"))
    return section(
        "memorization",
        "Memorization",
        paragraph(mark(report["verdict"])) if report.get("verdict") else "",
        "<h3>Can one tell what it was trained on?</h3>",
        _membership(membership),
        _numbers(
            "Power: the over-trained control must be caught, strangers must look alike", membership.get("control")
        ),
        "<h3>Does it recite?</h3>",
        _by_name(
            "Asked for the rest of rows it was trained on, and of rows held out (stranger)",
            extracted.get("by_type"),
            "Type",
        ),
        "<h3>Does it know planted secrets?</h3>",
        _by_name(_canary_caption(canaries), canaries.get("by_repetitions"), "Planted how often"),
        _numbers("Canaries", {name: value for name, value in canaries.items() if name != "by_repetitions"}),
    )


def _membership(report: Body) -> str:
    auc, (low, high) = _number(report.get("auc")), _ends(report)
    shown = [
        ("Area under the curve", " ".join([number(auc, 3), bounds(low, high)])),
        ("Members", number(report.get("n_members"))),
        ("Non-members", number(report.get("n_non_members"))),
        ("Smallest it could show", number(report.get("smallest_detectable_auc"), 3)),
    ]
    for rate, measured in _mapping(report.get("tpr_at_fpr")).items():
        value, ends = _value(measured), bounds(*_ends(_mapping(measured)))
        shown.append((f"Found at {rate} false alarms", f"{number(value, 3)} {ends}"))
    shape = _mapping(report.get("histogram"))
    sides = [_floats(shape.get(name)) for name in ("edges", "members", "non_members")]
    return (
        interval(auc, low, high, 0.5, "Membership inference, area under the curve")
        + facts(shown)
        + two_shapes(sides[0], sides[1], sides[2], ("members", "non-members"))
    )


def _canary_caption(canaries: Body) -> str:
    chance, most = number(canaries.get("chance_bits"), 3), number(canaries.get("greatest_bits"), 3)
    return f"Exposure of planted secrets against unplanted ones; chance gives {chance} bits, {most} is the most"


def extraction(body: Body) -> str:
    report = _mapping(body["extraction"])
    if not report:
        return _absent("extraction", "Theft through the interface", "The extraction audit gave no report.")
    points, rows = [], []
    for queries, fidelity in _mapping(report.get("fidelity_by_queries")).items():
        value = _value(fidelity)
        if value is not None and queries.isascii() and queries.isdecimal():
            points.append((float(queries), value))
            rows.append([number(int(queries)), number(value, 3), bounds(*_ends(_mapping(fidelity))) or "–"])
    told = "How much of what the adapter added a student copies from answers."
    columns, caption = ["Queries", "Fidelity", "95 % interval"], "Fidelity of the student by number of queries"
    rest = {name: value for name, value in report.items() if name not in ("fidelity_by_queries", "verdict", "skipped")}
    return section(
        "extraction",
        "Theft through the interface",
        paragraph(_verdict(report) + told),
        curve(points, title="What a student copies", x="queries", y="fidelity", log_x=True),
        table(caption, columns, rows, numeric=(1, 2), kind="narrow"),
        _numbers("Further measures and controls", rest),
    )


def _by_name(caption: str, value: Any, first: str) -> str:
    """A table of what a report holds under several names, with the same few numbers each."""
    groups = {name: _mapping(item) for name, item in sorted(_mapping(value).items(), key=_counted)}
    columns = list(dict.fromkeys(column for group in groups.values() for column in group))
    rows = [[text(name), *(number(group.get(column), 3) for column in columns)] for name, group in groups.items()]
    heads = [first, *(column.replace("_", " ") for column in columns)]
    return table(caption, heads, rows, numeric=tuple(range(1, len(heads))), kind="wide")


def _counted(item: tuple[str, Any]) -> tuple[float, str]:
    """Names that are numbers in the order of numbers, before others."""
    name = item[0]
    return (float(name) if name.isascii() and name.isdecimal() else math.inf, name)


def _numbers(caption: str, value: Any) -> str:
    """Whatever numbers a report holds below a name, one a row."""
    rows = [[text(name.replace("_", " ")), shown] for name, shown in _leaves(value)]
    return table(caption, ["Measure", "Value"], rows[:60], numeric=(1,), kind="narrow")


def _leaves(value: Any, path: str = "") -> list[tuple[str, str]]:
    if isinstance(value, dict):
        told, rest = _with_interval(value)
        return ([(path, told)] if told else []) + [
            leaf for name, item in rest.items() for leaf in _leaves(item, f"{path} · {name}" if path else str(name))
        ]
    if isinstance(value, list):
        few = 0 < len(value) <= 3 and all(_number(item) is not None for item in value)
        return [(path, " … ".join(number(item) for item in value))] if few else []
    if isinstance(value, bool):
        return [(path, "yes" if value else "no")]
    if isinstance(value, str):
        return [(path, text(value))]
    return [(path, number(value))] if value is not None else []


def _with_interval(group: Body) -> tuple[str, Body]:
    """A measure that a report spreads over ``value`` and the ends of its interval, as one, and what else there is."""
    ends = bounds(*_ends(group))
    if _number(group.get("value")) is None or not ends:
        return "", group
    rest = {
        name: item for name, item in group.items() if name not in ("value", "low", "high", "ci_low", "ci_high", "ci")
    }
    return f"{number(group['value'], 3)} {ends}", rest


def _verdict(report: Body) -> str:
    return f"{mark(report['verdict'])} · " if report.get("verdict") else ""


def _absent(name: str, title: str, why: str) -> str:
    return section(name, title, paragraph(f"{mark('fail')} · {text(why)} What was not tried is not safe."))


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and number(value) != "–" else None


def _floats(values: Any) -> list[float]:
    """The values of a list that is one of numbers throughout, else nothing."""
    found = [_number(value) for value in values] if isinstance(values, list) else []
    return [value for value in found if value is not None] if None not in found else []


def _value(measured: Any) -> float | None:
    """A number, or the ``value`` of a number with its interval."""
    return _number(measured.get("value") if isinstance(measured, dict) else measured)


def _count(rows: Any) -> int | None:
    return len(rows) if isinstance(rows, list) else rows if isinstance(rows, int) else None


def _ends(measured: Mapping[str, Any]) -> tuple[float | None, float | None]:
    """The ends of an interval, however a report spells it."""
    both = measured.get("ci")
    if isinstance(both, list) and len(both) == 2:
        return _number(both[0]), _number(both[1])
    low, high = ("ci_low", "ci_high") if "ci_low" in measured else ("low", "high")
    return _number(measured.get(low)), _number(measured.get(high))
