"""What is counted rather than estimated: lost high-stakes items, benchmarks that got worse, contaminated items."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from assets.golden.items import GoldenSet
from assets.golden.sources.contamination import Contaminated
from assets.golden.sources.evidence import Evidence
from resources.artifacts import Metric

Flip = Mapping[str, Any]


def counted(
    golden: GoldenSet, flips: Sequence[Flip], evidence: Sequence[Evidence], overlap: Sequence[Contaminated] | None
) -> dict[str, Metric]:
    """The metrics. Without the training rows nothing is known of contamination, and the metric says so."""
    high = sum(item.high_stakes for items in golden.suites.values() for item in items)
    lost = sum(flip["high_stakes"] and flip["direction"] == "worse" for flip in flips)
    worse = sum(_reading(entry) == "worse" for entry in evidence)
    unknown = "the rows it was trained on were not given, so nobody knows whether the golden set is among them (--data)"
    seen = Metric(None, 0, missing=unknown) if overlap is None else Metric(len(overlap), golden.size)
    return {
        "high_stakes_lost": Metric(lost, high),
        "benchmarks_worse": Metric(worse, len(evidence)),
        "contaminated_items": seen,
    }


def evidence_entry(entry: Evidence) -> dict[str, Any]:
    """One benchmark of the report, as a suite."""
    return dataclasses.asdict(entry.change) | {"unpaired": entry.unpaired, "reading": _reading(entry)}


def _reading(entry: Evidence) -> str:
    change = entry.change
    if not change.difference or change.ci_low <= 0 <= change.ci_high:
        return "no change shown"
    return "worse" if (change.difference < 0) != entry.lower_is_better else "better"
