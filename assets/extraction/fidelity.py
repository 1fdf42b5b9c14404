"""Fidelity of a stolen copy: how much of what sets the adapter apart from its base the copy got.

Agreement is the share of tokens of the adapter's own answers that are the other model's first choice too. Normalised
fidelity is ``(student - base) / (1 - base)``: 0 is what everybody has who owns the base, 1 a perfect copy (the
measure of model extraction work since Jagielski et al., 2020, against the public base instead of against chance).
"""

from collections.abc import Sequence

import numpy as np

from assets.memorization.statistics import Interval

ROUNDS = 1000


def agreement(hits: Sequence[np.ndarray]) -> float:
    return float(np.concatenate(hits).mean())


def fidelity(student: Sequence[np.ndarray], base: Sequence[np.ndarray], *, seed: int) -> Interval:
    """Normalised fidelity over test prompts, with a bootstrap interval over prompts (their tokens stay together)."""
    ours = np.array([hits.sum() for hits in student], float)
    theirs = np.array([hits.sum() for hits in base], float)
    total = np.array([len(hits) for hits in base], float)
    source = np.random.default_rng(seed)
    drawn = source.integers(len(total), size=(ROUNDS, len(total)))
    low, high = np.quantile(_normalised(ours[drawn].sum(1), theirs[drawn].sum(1), total[drawn].sum(1)), [0.025, 0.975])
    value = _normalised(ours.sum(keepdims=True), theirs.sum(keepdims=True), total.sum(keepdims=True))[0]
    return Interval(float(value), float(low), float(high))


def _normalised(student: np.ndarray, base: np.ndarray, total: np.ndarray) -> np.ndarray:
    """Where the base already agrees everywhere there is nothing to steal: fidelity 0."""
    room = total - base
    shares: np.ndarray = np.divide(student - base, room, out=np.zeros_like(room), where=room > 0)
    return shares
