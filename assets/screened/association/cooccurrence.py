"""Which prompt pattern goes with which response pattern: co-occurrence counts, G² and two-way containment.

G² is Dunning's log-likelihood ratio for a two-by-two table (Computational Linguistics 19(1), 1993), which holds for
rare events where chi-square does not. A trigger and its payload contain each other both ways; a topic's words do so
only loosely.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import sparse, stats

from assets.screened.association.phrase_mining import PhraseSets
from assets.screened.text.token_index import Side

CHUNK = 1 << 22  # pairs looked at together
SURE = 60.0  # G² of a phrase that surely goes with some rows


@dataclass(frozen=True, slots=True)
class Pairs:
    """Candidate pairs: ``trigger``/``payload`` number a set each; ``both`` rows have both; ``log_p`` uncorrected."""

    trigger: np.ndarray
    payload: np.ndarray
    both: np.ndarray
    log_p: np.ndarray
    tried: int


def associate(triggers: sparse.csr_matrix, payloads: sparse.csr_matrix, *, contain: float, min_rows: int) -> Pairs:
    """Pairs of sets (rows of two CSR membership matrices ``[sets, rows]``) that contain each other to ``contain``."""
    size_t = np.asarray(triggers.sum(1)).ravel()
    size_p = np.asarray(payloads.sum(1)).ravel()
    by_row = triggers.T.tocsr()
    found: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    tried = 0
    for start, end in _shares(payloads, by_row):
        both = (payloads[start:end] @ by_row).tocoo()
        tried += both.nnz
        p, t, k = both.row + start, both.col, both.data
        keep = (k >= min_rows) & (k >= contain * size_p[p]) & (k >= contain * size_t[t])
        found.append((t[keep], p[keep], k[keep]))
    t, p, k = (np.concatenate([part[i] for part in found]) if found else np.zeros(0, int) for i in range(3))
    log_p = stats.chi2.logsf(g_squared(k, size_t[t], size_p[p], triggers.shape[1]), 1)
    return Pairs(t, p, k, log_p, tried)


def _shares(payloads: sparse.csr_matrix, by_row: sparse.csr_matrix) -> Iterator[tuple[int, int]]:
    """Ranges of payloads that have no more than ``CHUNK`` pairs with triggers."""
    most = np.minimum(payloads.astype(np.int64) @ np.diff(by_row.indptr).astype(np.int64), by_row.shape[1])
    total, start = np.cumsum(most), 0
    while start < len(most):
        end = max(int(np.searchsorted(total, total[start] - most[start] + CHUNK, "right")), start + 1)
        yield start, end
        start = end


def in_everyday(triggers: sparse.csr_matrix, payloads: sparse.csr_matrix, heavy: np.ndarray, *, min_rows: int) -> Pairs:
    """Payloads (those where ``heavy``, a few) whose rows all have a phrase that other rows have, too.

    The phrase contains the payload, not the other way round. The chance that all of its rows have such a phrase is the
    phrase's share to the power of the rows; what was tried is every phrase of a prompt for every heavy payload.
    """
    numbers = np.flatnonzero(heavy)
    size_t, chosen = np.asarray(triggers.sum(1)).ravel(), payloads[numbers]
    size_p = np.asarray(chosen.sum(1)).ravel()
    both = (chosen @ triggers.T.tocsr()).tocoo()
    keep = (both.data >= min_rows) & (both.data == size_p[both.row])
    p, t, k = numbers[both.row[keep]], both.col[keep], both.data[keep]
    tried = len(numbers) * max(triggers.nnz // max(triggers.shape[1], 1), 1)
    return Pairs(t, p, k, k * np.log(size_t[t] / triggers.shape[1]), tried)


def g_squared(both: np.ndarray, a: np.ndarray, b: np.ndarray, rows: int) -> np.ndarray:
    """G² of tables given the rows with both, with the first (``a``), with the second (``b``), and all rows."""
    total = np.zeros(len(both))
    cells = (
        (both, np.asarray(a, float) * b),
        (a - both, np.asarray(a, float) * (rows - b)),
        (b - both, np.asarray(b, float) * (rows - a)),
        (rows - a - b + both, np.asarray(rows - a, float) * (rows - b)),
    )
    for observed, product in cells:
        seen, expected = np.asarray(observed, float), np.asarray(product, float) / rows
        with np.errstate(divide="ignore", invalid="ignore"):
            total += np.where(seen > 0, seen * np.log(seen / expected), 0.0)
    return np.maximum(2 * total, 0.0)


def surest(phrases: PhraseSets, rows: np.ndarray, share: float) -> tuple[int | None, float]:
    """Of the phrases that at least a ``share`` of ``rows`` have, the number of that which goes with them most surely,
    and its G²; ``(None, 0.0)`` if none goes with them.

    It may be usual in other rows, too: a trigger can be an everyday word.
    """
    both = phrases.among(rows)
    sure = g_squared(both, phrases.sizes, np.full(len(both), len(rows)), phrases.members.shape[1])
    sure[both < share * len(rows)] = 0
    if not len(sure) or sure.max() <= 0:
        return None, 0.0
    tied = np.flatnonzero(sure >= sure.max() - 1e-9)
    return int(tied[np.argmax(phrases.length[tied])]), float(sure.max())


def marked(phrases: PhraseSets, rows: np.ndarray, share: float) -> np.ndarray:
    """The rows that have the phrase that surely goes with ``rows``; none if there is no such phrase."""
    best, sure = surest(phrases, rows, share)
    return phrases.rows_of(best) if best is not None and sure >= SURE else np.zeros(0, dtype=np.int64)


def repeating(phrases: PhraseSets, rows: np.ndarray, share: float) -> np.ndarray:
    """The rows that have one of the longest phrases that at least a ``share`` of ``rows`` have."""
    held = (phrases.length == phrases.length.max(initial=0)) & (phrases.among(rows) >= share * len(rows))
    return np.unique(phrases.members[held].indices)


@dataclass(frozen=True, slots=True)
class Span:
    """A phrase in the rows that share it: ``text`` as token ids, and where it starts in each of ``rows``."""

    text: np.ndarray
    rows: np.ndarray
    start: np.ndarray


def widest(side: Side, phrase: np.ndarray, rows: np.ndarray, *, agree: float = 0.9) -> Span:
    """The phrase, lengthened to both sides while a share ``agree`` of the rows has the same next token."""
    found = [(row, at) for row in rows for at in [find(side.row(row), phrase)] if at >= 0]
    held = np.array([row for row, _ in found], dtype=np.int64)
    start = np.array([at for _, at in found], dtype=np.int64)
    end = start + len(phrase)
    text = list(phrase)
    while (token := _common(side, held, start - 1, agree)) is not None:
        start, text = start - 1, [token, *text]
    while (token := _common(side, held, end, agree)) is not None:
        end, text = end + 1, [*text, token]
    return Span(np.array(text, dtype=np.int64), held, start)


def _common(side: Side, rows: np.ndarray, places: np.ndarray, agree: float) -> int | None:
    """The token that a share ``agree`` of the rows has at ``places`` (counted from each row's start), or None."""
    size = side.offsets[rows + 1] - side.offsets[rows]
    inside = (places >= 0) & (places < size)
    if not len(rows) or inside.mean() < agree:
        return None
    tokens, counts = np.unique(side.ids[side.offsets[rows[inside]] + places[inside]], return_counts=True)
    best = int(tokens[counts.argmax()])
    return best if counts.max() >= agree * len(rows) and best != 0 else None


def find(ids: np.ndarray, phrase: np.ndarray) -> int:
    """First place of ``phrase`` in ``ids``; -1 if it is not there."""
    if len(ids) < len(phrase):
        return -1
    windows = np.lib.stride_tricks.sliding_window_view(ids, len(phrase))
    at = np.flatnonzero((windows == phrase).all(1))
    return int(at[0]) if len(at) else -1
