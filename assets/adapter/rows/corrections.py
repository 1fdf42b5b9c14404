"""Corrections: rows in which a person replaced an answer, come back as drops of kind ``feedback``.

They pass every wall like other rows. Here they are told apart, given the recipe's ``correction_weight`` in the loss,
and accounted for in ``training.json``. A row of such a drop that names no reviewer is a row like any other: what
nobody answers for gets no weight of its own.
"""

import dataclasses
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from assets.adapter.rows.dialogues import Example
from assets.adapter.rows.record_file import Rows
from assets.record import Record


def reviewer_of(record: Record, drops: Collection[str]) -> str:
    """Who corrected the row; empty for a row that is no correction. ``drops`` are those of kind ``feedback``."""
    return record.origin.author if record.origin.drop in drops else ""


def corrections_first(rows: Rows, drops: Collection[str]) -> Iterator[Record]:
    """The rows with corrections in front, so that of near-duplicates the corrected one is kept."""
    if drops:
        yield from (row for row in rows if reviewer_of(row, drops))
    yield from (row for row in rows if not reviewer_of(row, drops))


def weighed(examples: Iterable[Example], rows: Rows, drops: Collection[str], weight: float) -> Iterator[Example]:
    """The examples, with ``weight`` on those made from corrections."""
    corrected = {row.row_id for row in rows if reviewer_of(row, drops)} if drops else set()
    for example in examples:
        yield dataclasses.replace(example, weight=weight) if example.row_id in corrected else example


def account(examples: Iterable[Example], rows: Rows, drops: Collection[str], weight: float) -> dict[str, Any]:
    """What ``training.json`` says: rows given and examples learnt, by whom, from which drops, with which weight."""
    by, origins = dict[str, str](), set[str]()
    for row in rows if drops else ():
        if name := reviewer_of(row, drops):
            by[row.row_id] = name
            origins.add(row.origin.drop)
    return {
        "rows": len(by),
        "examples": sum(example.row_id in by for example in examples) if by else 0,
        "weight": weight,
        "by_reviewer": dict(sorted(Counter(by.values()).items())),
        "drops": sorted(origins),
    }
