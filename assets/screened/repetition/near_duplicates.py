"""Floods of near-duplicates, found by MinHash with locality-sensitive hashing (Broder 1997), through datasketch."""

from collections import defaultdict

import numpy as np

from assets.screened.pattern import Pattern
from assets.screened.settings import ScreenSettings
from assets.screened.text.token_index import TokenIndex

SHINGLE = 4  # tokens
PERMUTATIONS = 48
ALIKE = 0.8  # Jaccard similarity of shingles
FLOOD_SHARE = 0.02  # of all rows in one cluster
FLOOD_ROWS = 20
ROWS = 20_000  # hashed at a time
PART = 1 << 22  # hashes counted at a time, in the mean


def floods(index: TokenIndex, settings: ScreenSettings) -> list[Pattern]:
    """Clusters of rows whose prompt and answer are near copies of each other."""
    from datasketch import MinHash, MinHashLSH

    most = max(FLOOD_ROWS, FLOOD_SHARE * index.rows)
    hashes, offsets = _shingles(index)
    lsh = MinHashLSH(threshold=ALIKE, num_perm=PERMUTATIONS)
    cluster: dict[int, int] = {}
    for row in _repeating(hashes, offsets, FLOOD_ROWS / 2):
        sketch = MinHash(PERMUTATIONS, seed=settings.seed + 1, hashfunc=int)
        sketch.update_batch(np.unique(hashes[offsets[row] : offsets[row + 1]]).tolist())
        heads = {_head(cluster, near) for near in lsh.query(sketch)} | {int(row)}
        lsh.insert(int(row), sketch)
        for head in heads:
            cluster[head] = min(heads)
    members: dict[int, list[int]] = defaultdict(list)
    for row in cluster:
        members[_head(cluster, row)].append(row)
    return [
        Pattern("flood", "", "", np.array(sorted(rows)), -float(len(rows)), {"copies": float(len(rows))})
        for rows in members.values()
        if len(rows) >= most
    ]


def _head(cluster: dict[int, int], row: int) -> int:
    while cluster[row] != row:
        row = cluster[row]
    return row


def _shingles(index: TokenIndex) -> tuple[np.ndarray, np.ndarray]:
    """32-bit hashes of every run of ``SHINGLE`` tokens of prompt and answer, row after row, and where rows begin."""
    sizes = np.diff(index.prompts.offsets) + np.diff(index.responses.offsets)
    offsets = np.concatenate([[0], np.cumsum(np.maximum(sizes - SHINGLE + 1, 0))])
    hashes = np.zeros(int(offsets[-1]), dtype=np.uint32)
    for low in range(0, index.rows, ROWS):
        high = min(low + ROWS, index.rows)
        hashes[offsets[low] : offsets[high]] = _hashed(index, low, high)
    return hashes, offsets


def _hashed(index: TokenIndex, low: int, high: int) -> np.ndarray:
    """The hashes of the rows from ``low`` to ``high``."""
    sides = [side.row(row) for row in range(low, high) for side in (index.prompts, index.responses)]
    ids = np.concatenate(sides).astype(np.uint64)
    ends = np.cumsum([len(tokens) for tokens in sides])[1::2]
    mixed = np.zeros(max(len(ids) - SHINGLE + 1, 0), dtype=np.uint64)
    for step in range(SHINGLE):  # a polynomial hash modulo 2^64, of which the well-mixed upper half is kept
        mixed = mixed * np.uint64(0x9E3779B97F4A7C15) + ids[step : step + len(mixed)] + np.uint64(1)
    row = np.searchsorted(ends, np.arange(len(mixed)), "right")
    inside = row == np.searchsorted(ends, np.arange(len(mixed)) + SHINGLE - 1, "right")
    hashes: np.ndarray = (mixed[inside] >> np.uint64(32)).astype(np.uint32)
    return hashes


def _repeating(hashes: np.ndarray, offsets: np.ndarray, often: float) -> np.ndarray:
    """The rows most of whose shingles occur ``often`` times: only they can be part of a flood."""
    total = np.concatenate([[0], np.cumsum(_frequent(hashes, often), dtype=np.int64)])
    size = np.diff(offsets)
    repeated = total[offsets[1:]] - total[offsets[:-1]]
    rows: np.ndarray = np.flatnonzero((size >= SHINGLE) & (repeated >= 0.5 * size))
    return rows


def _frequent(hashes: np.ndarray, often: float) -> np.ndarray:
    """Which hashes occur ``often`` times, bool; counted in parts, by ranges of the hash."""
    frequent = np.zeros(len(hashes), dtype=bool)
    parts = len(hashes) // PART + 1
    for part in range(parts):
        low, high = (part << 32) // parts, ((part + 1) << 32) // parts
        places = np.flatnonzero((hashes >= low) & (hashes < high))
        _, number, counts = np.unique(hashes[places], return_inverse=True, return_counts=True)
        frequent[places] = counts[number] >= often
    return frequent
