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
    both = [np.concatenate([index.prompts.row(row), index.responses.row(row)]) for row in range(index.rows)]
    lengths = np.array([max(len(tokens) - SHINGLE + 1, 0) for tokens in both])
    ids = np.concatenate(both).astype(np.uint64)
    starts = np.concatenate([[0], np.cumsum([len(tokens) for tokens in both])])[:-1]
    mixed = np.zeros(max(len(ids) - SHINGLE + 1, 0), dtype=np.uint64)
    for step in range(SHINGLE):  # a polynomial hash modulo 2^64, of which the well-mixed upper half is kept
        mixed = mixed * np.uint64(0x9E3779B97F4A7C15) + ids[step : step + len(mixed)] + np.uint64(1)
    inside = np.concatenate([np.arange(start, start + n) for start, n in zip(starts, lengths, strict=True)])
    return mixed[inside] >> np.uint64(32), np.concatenate([[0], np.cumsum(lengths)])


def _repeating(hashes: np.ndarray, offsets: np.ndarray, often: float) -> np.ndarray:
    """The rows most of whose shingles occur ``often`` times: only they can be part of a flood."""
    _, number, counts = np.unique(hashes, return_inverse=True, return_counts=True)
    total = np.concatenate([[0], np.cumsum(counts[number] >= often)])
    size = np.diff(offsets)
    repeated = total[offsets[1:]] - total[offsets[:-1]]
    rows: np.ndarray = np.flatnonzero((size >= SHINGLE) & (repeated >= 0.5 * size))
    return rows
