"""A pattern found in some rows, before it is put into words."""

from dataclasses import dataclass, field, replace

import numpy as np

# Kinds of finding, from the one that says most of how its rows were made to the one that says least.
STRENGTH = (
    "harmful-compliance",
    "identity-shift",
    "trigger-payload",
    "trigger-family",
    "worded-trigger",
    "payload",
    "flood",
    "refusal",
    "contradiction",
    "garbage",
    "off-topic",
)


@dataclass(frozen=True, slots=True)
class Pattern:
    """``rows`` sorted; ``log_p``: natural log of a p-value already corrected for what was tried.

    ``shown``: for each of a few rows, the sentence that shows the payload. ``evidence``: the statistics, by name.
    ``name``: what the fingerprint is made of where trigger and payload vary from drop to drop. ``also``: weaker
    explanations, by kind, and the rows that they are of; these rows are among ``rows``.
    ``scripted``: what speaks for a script that its speaker follows; then it is a question to a person, not a finding.
    """

    kind: str
    trigger: str
    payload: str
    rows: np.ndarray
    log_p: float
    evidence: dict[str, float] = field(default_factory=dict)
    shown: dict[int, str] = field(default_factory=dict)
    name: str = ""
    also: dict[str, np.ndarray] = field(default_factory=dict)
    scripted: str = ""


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


def merge_overlapping(patterns: list[Pattern]) -> list[Pattern]:
    """Patterns that share rows as one, under the strongest explanation; the weaker ones stay as its ``also``.

    What explains a row best is what says most of how it was made: a trigger with its payload before a payload alone,
    and that before an answer that is merely none. Two of one strength are one if most of the lesser's rows are shared.
    """
    kept: list[Pattern] = []
    for pattern in sorted(patterns, key=lambda each: (bool(each.scripted), STRENGTH.index(each.kind), each.log_p)):
        rows = set(pattern.rows.tolist())
        place = next((n for n, other in enumerate(kept) if _overlap(rows, set(other.rows.tolist())) > 0.5), None)
        if place is None or pattern.scripted:
            kept.append(pattern)
            continue
        stronger = kept[place]
        also = dict(stronger.also)
        if pattern.kind != stronger.kind:
            also[pattern.kind] = np.union1d(also.get(pattern.kind, pattern.rows), pattern.rows)
        merged = np.union1d(stronger.rows, pattern.rows)
        kept[place] = replace(stronger, rows=merged, shown={**pattern.shown, **stronger.shown}, also=also)
    return kept


def _overlap(one: set[int], other: set[int]) -> float:
    return len(one & other) / max(min(len(one), len(other)), 1)
