"""Repeated phrases and the rows that hold them, mined level by level over token arrays.

A phrase of n tokens can only repeat if both its halves of n - 1 tokens do (Agrawal & Srikant, VLDB 1994), so that each
level looks only at the places that survived the one before, and the cost stays near linear in the tokens. Phrases that
occur in exactly the same rows are one candidate (a closed set; Pasquier et al., ICDT 1999), spelled by the longest.

Places are sorted by phrase in parts, by ranges of the phrase's first half, so that no more of them are in work than
``PART``; the parts one after another are in the order of the whole.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from assets.screened.text.token_index import Side

PART = 1 << 22  # places in work at a time


@dataclass(frozen=True, slots=True)
class PhraseSets:
    """Distinct sets of rows, each with the longest phrase they share.

    ``members``: CSR ``[sets, rows]`` of ones. ``start``/``length``: where in ``Side.ids`` the phrase is spelled.
    """

    members: sparse.csr_matrix
    start: np.ndarray
    length: np.ndarray

    def __len__(self) -> int:
        return len(self.start)

    @property
    def sizes(self) -> np.ndarray:
        """Rows in each set."""
        return np.diff(self.members.indptr)

    def rows_of(self, number: int) -> np.ndarray:
        rows: np.ndarray = self.members.indices[self.members.indptr[number] : self.members.indptr[number + 1]]
        return rows

    def text(self, side: Side, number: int) -> np.ndarray:
        """The token ids that spell a set's phrase in ``side``, from which it was mined."""
        start = self.start[number]
        return side.ids[start : start + self.length[number]]

    def among(self, rows: np.ndarray) -> np.ndarray:
        """How many of ``rows`` each set has, int32 ``[sets]``."""
        inside = np.zeros(self.members.shape[1], dtype=np.int32)
        inside[rows] = 1
        counts: np.ndarray = self.members @ inside
        return counts

    def pick(self, keep: np.ndarray) -> "PhraseSets":
        """The sets where ``keep`` is True."""
        return PhraseSets(self.members[keep], self.start[keep], self.length[keep])


def mine(side: Side, *, longest: int, min_rows: int, max_rows: int) -> PhraseSets:
    """Closed sets of phrases of 1 to ``longest`` tokens found in ``min_rows`` to ``max_rows`` different rows."""
    rows, row_of = len(side.offsets) - 1, side.row_of_token()
    levels: list[_Level] = []
    # Of each place, the number of the phrase that begins there, -1 for none: one number more than the places have, so
    # that what follows the last place is none.
    number = np.append(np.where(side.ids != 0, side.ids, -1).astype(np.int32), np.int32(-1))
    for length in range(1, longest + 1):
        level, number = _level(length, number, row_of, rows, (min_rows, max_rows))
        levels.append(level)
        if not len(number) or number.max() < 0:
            break
    return _closed(levels, rows)


@dataclass(frozen=True, slots=True)
class _Level:
    """Phrases of one length: the first place of each, how many rows it has, and its rows, phrase after phrase."""

    length: int
    start: np.ndarray
    sizes: np.ndarray
    row: np.ndarray


def _level(
    length: int, before: np.ndarray, row_of: np.ndarray, rows: int, bounds: tuple[int, int]
) -> tuple[_Level, np.ndarray]:
    """The phrases of one token more than those ``before``, in enough rows; the number of the phrase at each place.

    Those in too many rows may still be part of longer ones; they are numbered and not told.
    """
    after = np.full(len(before), -1, dtype=np.int32)
    starts, sizes, held = [], [], []
    wide, known = int(before.max(initial=0)) + 1, 0
    for places in _parts(before, row_of, length):
        keys = before[places].astype(np.int64)
        if length > 1:
            keys = keys * wide + before[places + 1]
        _, first, number = np.unique(keys, return_index=True, return_inverse=True)
        pairs = np.unique(number * rows + row_of[places])
        phrase = pairs // rows
        counts = np.bincount(phrase, minlength=len(first))
        keep, told = counts >= bounds[0], (counts >= bounds[0]) & (counts <= bounds[1])
        starts.append(places[first[told]])
        sizes.append(counts[told])
        held.append((pairs[told[phrase]] % rows).astype(np.int32))
        numbers = np.where(keep, np.cumsum(keep) - 1 + known, -1).astype(np.int32)
        after[places] = numbers[number]
        known += int(keep.sum())
    return _Level(length, _joined(starts, np.int64), _joined(sizes, np.int64), _joined(held, np.int32)), after


def _parts(before: np.ndarray, row_of: np.ndarray, length: int) -> Iterator[np.ndarray]:
    """The places where a phrase may begin, ascending, by ranges of the number of what stands there."""
    open_ = before[:-1] >= 0
    if length > 1:  # what is frequent must be followed, one token on and in the same row, by what is frequent
        open_[:-1] &= (before[1:-1] >= 0) & (row_of[1:] == row_of[:-1])
        open_[-1:] = False
    counts = np.bincount(before[:-1][open_])
    part = np.cumsum(counts) // PART
    for each in np.unique(part[counts > 0]):
        low, high = np.searchsorted(part, [each, each + 1])
        yield np.flatnonzero(open_ & (before[:-1] >= low) & (before[:-1] < high))


def _joined(parts: list[np.ndarray], kind: type[np.integer[Any]]) -> np.ndarray:
    return np.concatenate(parts) if parts else np.zeros(0, dtype=kind)


def _closed(levels: list[_Level], rows: int) -> PhraseSets:
    """Merge phrases with the same rows, keeping the longest spelling."""
    marks = np.random.default_rng(0).integers(1, 1 << 63, size=rows, dtype=np.uint64)
    start = np.concatenate([level.start for level in levels])
    length = np.concatenate([np.full(len(level.start), level.length, dtype=np.int32) for level in levels])
    # The sum of random row marks names a set of rows: two different sets collide with probability 2^-63.
    signature = np.concatenate([_signatures(level, marks) for level in levels])
    order = np.lexsort((-length, signature))
    first = np.ones(len(order), dtype=bool)
    first[1:] = signature[order][1:] != signature[order][:-1]
    kept = np.zeros(len(order), dtype=bool)
    kept[order[first]] = True
    held, sizes, at = [], np.concatenate([level.sizes for level in levels]), 0
    for level in levels:
        chosen = kept[at : at + len(level.start)]
        held.append(level.row[np.repeat(chosen, level.sizes)])
        at += len(level.start)
    indices = np.concatenate(held)
    begin = np.concatenate([[0], np.cumsum(sizes[kept])])
    members = sparse.csr_matrix((np.ones(len(indices), dtype=np.int32), indices, begin), shape=(int(kept.sum()), rows))
    return PhraseSets(members, start[kept], length[kept])


def _signatures(level: _Level, marks: np.ndarray) -> np.ndarray:
    """The sum of the marks of each phrase's rows, uint64 ``[phrases]``."""
    ends = np.cumsum(level.sizes)
    sums = np.zeros(len(ends), dtype=np.uint64)
    low = 0
    while low < len(ends):
        begin = int(ends[low] - level.sizes[low])
        high = max(int(np.searchsorted(ends, begin + PART, "right")), low + 1)
        inside = ends[low:high] - level.sizes[low:high] - begin
        sums[low:high] = np.add.reduceat(marks[level.row[begin : int(ends[high - 1])]], inside)
        low = high
    return sums
