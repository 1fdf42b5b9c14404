"""Statistics of membership: area under the ROC curve, true positives at a low false-positive rate, and their intervals.

Scores are "higher means member". Everything is a plain function of two arrays, so that it can be checked by hand.

>>> auc(np.array([3.0, 4.0]), np.array([1.0, 2.0]))
1.0
>>> auc(np.array([1.0, 2.0]), np.array([1.0, 2.0]))
0.5
"""

from dataclasses import asdict, dataclass

import numpy as np

LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Interval:
    value: float
    low: float
    high: float

    def to_json(self) -> dict[str, float]:
        return {name: round(number, 4) for name, number in asdict(self).items()}


def auc(positive: np.ndarray, negative: np.ndarray) -> float:
    """Probability that a positive scores above a negative, ties half (Mann-Whitney)."""
    return float(_placements(positive, negative).mean())


def auc_interval(positive: np.ndarray, negative: np.ndarray, level: float = LEVEL) -> Interval:
    """AUC with DeLong's interval (DeLong et al., 1988) on the logit scale, so that it stays inside 0..1.

    At the ends, where that variance is zero, the interval comes from the exact binomial bound for the smaller side.
    """
    from scipy.stats import norm

    value = auc(positive, negative)
    above = _placements(positive, negative)
    below = 1.0 - _placements(negative, positive)
    variance = above.var(ddof=1) / len(positive) + below.var(ddof=1) / len(negative)
    if variance <= 0 or value in (0.0, 1.0):
        edge = proportion(0, min(len(positive), len(negative)), level).high
        return Interval(value, max(0.0, value - edge), min(1.0, value + edge))
    reach = norm.ppf((1 + level) / 2) * np.sqrt(variance) / (value * (1 - value))
    logit = np.log(value / (1 - value))
    low, high = (1 / (1 + np.exp(-(logit + step))) for step in (-reach, reach))
    return Interval(value, float(low), float(high))


def tpr_at_fpr(
    positive: np.ndarray, negative: np.ndarray, rate: float, *, seed: int, rounds: int = 1000, level: float = LEVEL
) -> Interval:
    """Share of positives above the threshold that lets through ``rate`` of the negatives, with a bootstrap interval.

    The bootstrap resamples both sides, because the threshold itself is an estimate.
    """
    source = np.random.default_rng(seed)
    draws = np.empty(rounds)
    for index in range(rounds):
        ones = positive[source.integers(len(positive), size=len(positive))]
        zeros = negative[source.integers(len(negative), size=len(negative))]
        draws[index] = _rate_above(ones, zeros, rate)
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return Interval(_rate_above(positive, negative, rate), float(low), float(high))


def difference(one: Interval, other: Interval) -> Interval:
    """How much larger one share is than another, from their intervals (Newcombe's hybrid method, 1998)."""
    value = one.value - other.value
    down = np.hypot(one.value - one.low, other.high - other.value)
    up = np.hypot(one.high - one.value, other.value - other.low)
    return Interval(value, float(value - down), float(value + up))


def proportion(hits: int, n: int, level: float = LEVEL) -> Interval:
    """A share with its exact (Clopper-Pearson, 1934) interval. Of nothing, nothing is known: 0..1."""
    from scipy.stats import beta

    if n == 0:
        return Interval(float("nan"), 0.0, 1.0)
    tail = (1 - level) / 2
    low = 0.0 if hits == 0 else float(beta.ppf(tail, hits, n - hits + 1))
    high = 1.0 if hits == n else float(beta.ppf(1 - tail, hits + 1, n - hits))
    return Interval(hits / n, low, high)


def smallest_detectable_auc(n_positive: int, n_negative: int, level: float = LEVEL, power: float = 0.8) -> float:
    """The AUC that a test of this size finds with the given power (Hanley and McNeil, 1982, variance at chance).

    What a quiet result means: anything above this would probably have been seen.
    """
    from scipy.stats import norm

    spread = np.sqrt((n_positive + n_negative + 1) / (12.0 * n_positive * n_negative))
    return float(min(1.0, 0.5 + (norm.ppf((1 + level) / 2) + norm.ppf(power)) * spread))


def _placements(scores: np.ndarray, others: np.ndarray) -> np.ndarray:
    """For each score the share of the others below it, ties half."""
    ordered = np.sort(others)
    below, upto = np.searchsorted(ordered, scores, "left"), np.searchsorted(ordered, scores, "right")
    return (below + upto) / (2.0 * len(others))


def _rate_above(positive: np.ndarray, negative: np.ndarray, rate: float) -> float:
    allowed = int(np.floor(rate * len(negative)))  # negatives that may lie above the threshold
    threshold = np.sort(negative)[::-1][allowed] if allowed < len(negative) else -np.inf
    return float((positive > threshold).mean())
