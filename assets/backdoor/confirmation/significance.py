"""Tests for what a scan claims: paired permutation and the correction for many candidates."""

from collections.abc import Sequence

import numpy as np

DRAWS = 20_000


def paired_permutation(with_trigger: np.ndarray, without: np.ndarray, *, seed: int) -> float:
    """One-sided p-value that the pairs differ in the mean: signs of the differences are flipped at random.

    Exact where all sign patterns fit into ``DRAWS``; never zero (Phipson and Smyth, 2010).
    """
    differences = with_trigger - without
    differences = differences[differences != 0]
    if not len(differences):
        return 1.0
    observed = differences.sum() - 1e-12
    if 2 ** len(differences) <= DRAWS:
        patterns = (np.arange(2 ** len(differences))[:, None] >> np.arange(len(differences))) & 1
        return float(((1 - 2 * patterns) @ differences >= observed).mean())
    signs = np.random.default_rng(seed).choice((-1, 1), size=(DRAWS, len(differences)))
    return float((1 + (signs @ differences >= observed).sum()) / (1 + DRAWS))


def exact_paired(with_trigger: Sequence[bool], without: Sequence[bool]) -> float:
    """One-sided McNemar test, exact: of the prompts on which the two differ, how many favour the trigger."""
    from scipy.stats import binomtest

    pairs = list(zip(with_trigger, without, strict=True))
    gained = sum(after and not before for after, before in pairs)
    lost = sum(before and not after for after, before in pairs)
    return float(binomtest(gained, gained + lost, 0.5, alternative="greater").pvalue) if gained + lost else 1.0


def corrected(p_value: float, tried: int) -> float:
    """Bonferroni: the p-value of the best of ``tried`` candidates."""
    return min(1.0, p_value * max(1, tried))


def outlier_p(value: float, controls: Sequence[float]) -> float:
    """Permutation p-value of one candidate among its controls: its rank from the top, the candidate included."""
    above = sum(control >= value for control in controls)
    return (1 + above) / (1 + len(controls))
