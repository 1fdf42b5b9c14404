"""Paired comparison: the same items, base and adapter.

A difference is adapter minus base. ``paired_proportions`` is for outcomes that are yes or no: the exact McNemar test
(McNemar 1947) and the interval of Bonett and Price 2012 (J. Educ. Behav. Stat. 37, 479-488), which holds its coverage
at the few dozen items and few flips there are here. ``paired_means`` is for measured values: the bootstrap over items
(percentile) and a sign-flipping test. Both are deterministic.

>>> change = paired_proportions([True] * 40, [True] * 30 + [False] * 10)
>>> change.difference, change.p_value < 0.01, change.ci_high < 0
(-0.25, True, True)
>>> paired_means([1.0, 2.0, 3.0], [1.0, 2.0, 3.0]).p_value
1.0
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest, norm

RESAMPLES = 4000
Z = 1.959963984540054  # of a two-sided 95 % interval
BATCH = 500  # resamples at a time, to bound the memory


@dataclass(frozen=True, slots=True)
class Change:
    """``base`` and ``adapter`` are means over ``n`` items; the interval and the p-value are of the difference."""

    n: int
    base: float
    adapter: float
    difference: float
    ci_low: float
    ci_high: float
    p_value: float


def paired_proportions(base: Sequence[bool], adapter: Sequence[bool], *, alpha: float = 0.05) -> Change:
    """Change in the share of items that hold; the interval misses with chance ``alpha``.

    Raises ``ValueError`` without items or with unequal numbers of them.
    """
    n = _pairs(base, adapter)
    lost = sum(before and not after for before, after in zip(base, adapter, strict=True))
    won = sum(after and not before for before, after in zip(base, adapter, strict=True))
    # Bonett and Price add one to each kind of flip, which also gives an interval where nothing flipped.
    low, high = (lost + 1) / (n + 2), (won + 1) / (n + 2)
    spread = float(norm.isf(alpha / 2)) * math.sqrt((low + high - (high - low) ** 2) / (n + 2))
    p_value = float(binomtest(won, won + lost).pvalue) if won + lost else 1.0
    return Change(
        n, sum(base) / n, sum(adapter) / n, (won - lost) / n,
        max(-1.0, high - low - spread), min(1.0, high - low + spread), p_value,
    )  # fmt: skip


def paired_means(base: Sequence[float], adapter: Sequence[float], *, alpha: float = 0.05, seed: int = 0) -> Change:
    """Change in a mean. The tails of the bootstrap are held by at least ten resamples each.

    ``ValueError`` without items, with unequal numbers of them, or on a value not finite.
    """
    n = _pairs(base, adapter)
    before, after = np.asarray(base, float), np.asarray(adapter, float)
    if not (np.isfinite(before).all() and np.isfinite(after).all()):
        raise ValueError("a value is not finite")
    differences = after - before
    random = np.random.default_rng(seed)
    means, more_extreme, observed = [], 0, abs(differences.mean())
    resamples = BATCH * math.ceil(max(RESAMPLES, 20 / alpha) / BATCH)
    for _ in range(resamples // BATCH):
        means.append(differences[random.integers(n, size=(BATCH, n))].mean(axis=1))
        signs = random.integers(2, size=(BATCH, n)) * 2 - 1
        more_extreme += int((np.abs((signs * differences).mean(axis=1)) >= observed - 1e-15).sum())
    low, high = np.quantile(np.concatenate(means), [alpha / 2, 1 - alpha / 2])
    p_value = 1.0 if not observed else (more_extreme + 1) / (resamples + 1)
    return Change(
        n, float(before.mean()), float(after.mean()), float(differences.mean()), float(low), float(high), p_value
    )


def share_interval(hits: int, n: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share."""
    if not n:
        return 0.0, 1.0
    middle, spread = hits / n + Z**2 / (2 * n), Z * math.sqrt(hits * (n - hits) / n**3 + Z**2 / (4 * n**2))
    scale = 1 + Z**2 / n
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)


def _pairs(base: Sequence[object], adapter: Sequence[object]) -> int:
    if not base or len(base) != len(adapter):
        raise ValueError("a paired comparison needs the same items twice, and at least one")
    return len(base)
