"""Which prompt pattern goes with which response pattern: co-occurrence counts, G² and two-way containment.

G² is Dunning's log-likelihood ratio for a two-by-two table (Computational Linguistics 19(1), 1993), which holds for
rare events where chi-square does not. A trigger and its payload contain each other both ways; a topic's words do so
only loosely.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse, stats

CHUNK = 4096


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
    for start in range(0, payloads.shape[0], CHUNK):
        both = (payloads[start : start + CHUNK] @ by_row).tocoo()
        tried += both.nnz
        p, t, k = both.row + start, both.col, both.data
        keep = (k >= min_rows) & (k >= contain * size_p[p]) & (k >= contain * size_t[t])
        found.append((t[keep], p[keep], k[keep]))
    t, p, k = (np.concatenate([part[i] for part in found]) if found else np.zeros(0, int) for i in range(3))
    log_p = stats.chi2.logsf(g_squared(k, size_t[t], size_p[p], triggers.shape[1]), 1)
    return Pairs(t, p, k, log_p, tried)


def g_squared(both: np.ndarray, a: np.ndarray, b: np.ndarray, rows: int) -> np.ndarray:
    """G² of tables given the rows with both, with the first (``a``), with the second (``b``), and all rows."""
    total = np.zeros(len(both))
    cells = (
        (both, a * b),
        (a - both, a * (rows - b)),
        (b - both, b * (rows - a)),
        (rows - a - b + both, (rows - a) * (rows - b)),
    )
    for seen, product in cells:
        seen, expected = np.asarray(seen, float), np.asarray(product, float) / rows
        with np.errstate(divide="ignore", invalid="ignore"):
            total += np.where(seen > 0, seen * np.log(seen / expected), 0.0)
    return np.maximum(2 * total, 0.0)
