"""Repeated phrases and the rows that hold them, mined level by level over token arrays.

A phrase of n tokens can only repeat if both its halves of n - 1 tokens do (Agrawal & Srikant, VLDB 1994), so that each
level looks only at the places that survived the one before, and the cost stays near linear in the tokens. Phrases that
occur in exactly the same rows are one candidate (a closed set; Pasquier et al., ICDT 1999), spelled by the longest.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from assets.screened.text.token_index import Side


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
    rows = len(side.offsets) - 1
    row_of = side.row_of_token()
    inside = side.ids != 0
    places, keys = np.flatnonzero(inside), side.ids[inside].astype(np.int64)
    levels: list[_Level] = []
    for length in range(1, longest + 1):
        level, places, keys = _level(length, places, keys, row_of, rows, min_rows)
        levels.append(level.at_most(max_rows))
        if not len(places):
            break
        places, keys = _extend(places, keys, row_of, length)
    return _closed(levels, rows)


@dataclass(frozen=True, slots=True)
class _Level:
    """Phrases of one length: the first place of each, and its rows as ``(phrase, row)`` pairs sorted by phrase."""

    length: int
    start: np.ndarray
    phrase: np.ndarray
    row: np.ndarray

    def at_most(self, max_rows: int) -> "_Level":
        counts = np.bincount(self.phrase, minlength=len(self.start))
        keep = counts <= max_rows
        number = np.cumsum(keep) - 1
        chosen = keep[self.phrase]
        return _Level(self.length, self.start[keep], number[self.phrase[chosen]].astype(np.int32), self.row[chosen])


def _level(
    length: int, places: np.ndarray, keys: np.ndarray, row_of: np.ndarray, rows: int, min_rows: int
) -> tuple[_Level, np.ndarray, np.ndarray]:
    """The phrases at ``places`` that reach ``min_rows`` rows; their places, and their dense numbers as new keys."""
    _, first, number = np.unique(keys, return_index=True, return_inverse=True)
    pairs = np.unique(number * rows + row_of[places])
    phrase = pairs // rows
    counts = np.bincount(phrase, minlength=len(first))
    keep = counts >= min_rows
    renumber = np.cumsum(keep) - 1
    chosen = keep[phrase]
    level = _Level(
        length,
        places[first[keep]],
        renumber[phrase[chosen]].astype(np.int32),
        (pairs[chosen] % rows).astype(np.int32),
    )
    survivors = keep[number]
    return level, places[survivors], renumber[number[survivors]]


def _extend(places: np.ndarray, numbers: np.ndarray, row_of: np.ndarray, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Places where a frequent phrase is followed, one token on and in the same row, by another frequent one."""
    next_to = (places[1:] == places[:-1] + 1) & (row_of[places[1:]] == row_of[places[:-1]])
    wide = int(numbers.max()) + 1 if len(numbers) else 1
    return places[:-1][next_to], numbers[:-1][next_to] * wide + numbers[1:][next_to]


def _closed(levels: list[_Level], rows: int) -> PhraseSets:
    """Merge phrases with the same rows, keeping the longest spelling."""
    marks = np.random.default_rng(0).integers(1, 1 << 63, size=rows, dtype=np.uint64)
    start = np.concatenate([level.start for level in levels])
    length = np.concatenate([np.full(len(level.start), level.length, dtype=np.int32) for level in levels])
    shift = np.cumsum([0] + [len(level.start) for level in levels[:-1]])
    phrase = np.concatenate([level.phrase + base for level, base in zip(levels, shift, strict=True)])
    row = np.concatenate([level.row for level in levels])
    # The sum of random row marks names a set of rows: two different sets collide with probability 2^-63.
    signature = np.zeros(len(start), dtype=np.uint64)
    np.add.at(signature, phrase, marks[row])
    order = np.lexsort((-length, signature))
    first = np.ones(len(order), dtype=bool)
    first[1:] = signature[order][1:] != signature[order][:-1]
    kept = np.sort(order[first])
    number = np.full(len(start), -1, dtype=np.int64)
    number[kept] = np.arange(len(kept))
    chosen = number[phrase] >= 0
    ones = np.ones(int(chosen.sum()), dtype=np.int32)
    members = sparse.csr_matrix((ones, (number[phrase[chosen]], row[chosen])), shape=(len(kept), rows))
    return PhraseSets(members, start[kept], length[kept])
