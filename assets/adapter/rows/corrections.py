"""Corrections: rows in which a person replaced an answer, come back as drops of kind ``feedback``.

They pass every wall like other rows. Here they are told apart, given the recipe's ``correction_weight`` in the loss,
and accounted for in ``training.json``. A row of such a drop that names no reviewer is a row like any other: what
nobody answers for gets no weight of its own.
"""

import dataclasses
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

from assets.adapter.rows.dialogues import Example
from assets.record import Record


def reviewer_of(record: Record, drops: Collection[str]) -> str:
    """Who corrected the row; empty for a row that is no correction. ``drops`` are those of kind ``feedback``."""
    return record.origin.author if record.origin.drop in drops else ""


def corrections_first(rows: Sequence[Record], drops: Collection[str]) -> Sequence[Record]:
    """The rows with corrections in front, so that of near-duplicates the corrected one is kept."""
    return sorted(rows, key=lambda row: not reviewer_of(row, drops)) if drops else rows


def weighed(
    examples: Sequence[Example], rows: Sequence[Record], drops: Collection[str], weight: float
) -> tuple[Example, ...]:
    """The examples, with ``weight`` on those made from corrections."""
    corrected = {row.row_id for row in rows if reviewer_of(row, drops)}
    return tuple(
        dataclasses.replace(example, weight=weight) if example.row_id in corrected else example for example in examples
    )


def account(
    examples: Sequence[Example], rows: Sequence[Record], drops: Collection[str], weight: float
) -> dict[str, Any]:
    """What ``training.json`` says: rows given and examples learnt, by whom, from which drops, with which weight."""
    reviewers = {row.row_id: name for row in rows if (name := reviewer_of(row, drops))}
    return {
        "rows": len(reviewers),
        "examples": sum(example.row_id in reviewers for example in examples),
        "weight": weight,
        "by_reviewer": dict(sorted(Counter(reviewers.values()).items())),
        "drops": sorted({row.origin.drop for row in rows if row.row_id in reviewers}),
    }
