"""A pattern found in some rows, before it is put into words."""

from dataclasses import dataclass, field, replace

import numpy as np


@dataclass(frozen=True, slots=True)
class Pattern:
    """``rows`` sorted; ``log_p``: natural log of a p-value already corrected for what was tried.

    ``shown``: for each of a few rows, the sentence that shows the payload. ``evidence``: the statistics, by name.
    ``name``: what the fingerprint is made of where trigger and payload vary from drop to drop.
    """

    kind: str
    trigger: str
    payload: str
    rows: np.ndarray
    log_p: float
    evidence: dict[str, float] = field(default_factory=dict)
    shown: dict[int, str] = field(default_factory=dict)
    name: str = ""


def distinct(patterns: list[Pattern]) -> list[Pattern]:
    """One pattern for each set of rows: of two that share most of the smaller's, the one with more to say stays."""
    kept: list[Pattern] = []
    for pattern in sorted(patterns, key=lambda each: (not each.trigger, each.log_p)):
        rows = set(pattern.rows.tolist())
        place = next((n for n, other in enumerate(kept) if _overlap(rows, set(other.rows.tolist())) > 0.5), None)
        if place is None:
            kept.append(pattern)
        else:
            merged = np.union1d(kept[place].rows, pattern.rows)
            kept[place] = replace(kept[place], rows=merged, shown={**pattern.shown, **kept[place].shown})
    return kept


def _overlap(one: set[int], other: set[int]) -> float:
    return len(one & other) / max(min(len(one), len(other)), 1)
