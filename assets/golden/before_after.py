"""The evaluation for the eye: a table of before and after, and a picture of the changes with their intervals."""

import io
from collections.abc import Mapping
from typing import Any

HEADINGS = ("suite", "n", "base", "adapter", "difference [95 %]", "reading", "gate")
COLOURS = {"better": "tab:green", "worse": "tab:red"}


def table(report: Mapping[str, Any]) -> str:
    """Markdown, one row a suite."""
    lines = [HEADINGS, ("---",) * len(HEADINGS), *map(_row, report["suites"].items())]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _row(suite: tuple[str, Mapping[str, Any]]) -> tuple[str, ...]:
    name, measured = suite
    told = name.replace("_", " ")
    if measured["difference"] is None:
        return told, "0", "–", "–", "–", str(measured["reading"]), str(measured["verdict"])
    change = f"{measured['difference']:+.3f} [{measured['ci_low']:+.3f}, {measured['ci_high']:+.3f}]"
    before, after = f"{measured['base']:.3f}", f"{measured['adapter']:.3f}"
    return told, str(measured["n"]), before, after, change, str(measured["reading"]), str(measured["verdict"])


def picture(report: Mapping[str, Any]) -> bytes:
    """PNG: adapter minus base with its 95 % interval, shares on the left, nats and log-odds on the right."""
    from matplotlib.figure import Figure

    measured = {name: suite for name, suite in report["suites"].items() if suite["difference"] is not None}
    shares = {name for name, suite in measured.items() if suite["unit"].startswith(("share", "word overlap"))}
    sides = [[name for name in measured if (name in shares) is left] for left in (True, False)]
    figure = Figure(figsize=(10, 0.6 + 0.35 * max(map(len, sides))), layout="constrained")
    for axes, names, unit in zip(figure.subplots(1, 2), sides, ("share", "nats, log-odds"), strict=True):
        for place, name in enumerate(reversed(names)):
            suite = measured[name]
            middle = suite["difference"]
            # A bootstrap interval need not hold the mean that it is of; a bar has no length below 0.
            ends = [[max(0.0, middle - suite["ci_low"])], [max(0.0, suite["ci_high"] - middle)]]
            axes.errorbar(middle, place, xerr=ends, fmt="o", capsize=3, color=COLOURS.get(suite["reading"], "tab:gray"))
        axes.axvline(0, color="black", linewidth=0.8)
        axes.set_yticks(range(len(names)), [name.replace("_", " ") for name in reversed(names)])
        axes.set_xlabel(f"adapter minus base ({unit})")
    # No creation date in the file: the same evaluation gives the same bytes.
    found = io.BytesIO()
    figure.savefig(found, format="png", dpi=100, metadata={"Software": None})
    return found.getvalue()
