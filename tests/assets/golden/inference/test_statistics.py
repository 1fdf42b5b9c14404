"""The paired statistics give published values, keep their coverage, and say nothing where there is nothing."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.golden.inference.statistics import paired_means, paired_proportions, share_interval

BOTH = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60)


def flips(kept: int, lost: int, won: int, never: int) -> tuple[list[bool], list[bool]]:
    base = [True] * (kept + lost) + [False] * (won + never)
    adapter = [True] * kept + [False] * lost + [True] * won + [False] * never
    return base, adapter


def test_mcnemar_is_the_exact_binomial_test_of_the_flips() -> None:
    change = paired_proportions(*flips(kept=20, lost=9, won=2, never=9))
    assert change.p_value == pytest.approx(2 * sum(math.comb(11, k) for k in range(3)) / 2**11)
    assert change.difference == pytest.approx(-7 / 40)


def test_the_interval_is_that_of_bonett_and_price() -> None:
    # Their example (2012, table 1): n11 = 49, n12 = 16, n21 = 7, n22 = 28 gives a difference of 0.09 and, in their
    # adjusted Wald form with p12 = 17/102 and p21 = 8/102: 9/102 -+ 1.96 sqrt((25/102 - (9/102)^2) / 102).
    change = paired_proportions(*flips(kept=49, lost=16, won=7, never=28))
    spread = 1.959964 * math.sqrt((25 / 102 - (9 / 102) ** 2) / 102)
    assert (change.ci_low, change.ci_high) == pytest.approx((-9 / 102 - spread, -9 / 102 + spread), abs=1e-6)


@given(BOTH)
def test_a_model_against_itself_differs_by_exactly_zero(pairs: list[tuple[bool, bool]]) -> None:
    same = [left for left, _ in pairs]
    change = paired_proportions(same, same)
    assert (change.difference, change.p_value) == (0.0, 1.0)
    assert change.ci_low < 0 < change.ci_high  # a few items never prove that nothing at all would change
    values = [float(value) for value in same]
    moved = paired_means(values, values)
    assert (moved.difference, moved.ci_low, moved.ci_high, moved.p_value) == (0.0, 0.0, 0.0, 1.0)


@given(BOTH)
def test_swapping_the_models_mirrors_the_change(pairs: list[tuple[bool, bool]]) -> None:
    base, adapter = (list(side) for side in zip(*pairs, strict=True))
    one, other = paired_proportions(base, adapter), paired_proportions(adapter, base)
    assert one.difference == pytest.approx(-other.difference)
    assert (one.ci_low, one.ci_high) == pytest.approx((-other.ci_high, -other.ci_low))
    assert one.p_value == pytest.approx(other.p_value)


@pytest.mark.parametrize(("lost", "won"), [(0.1, 0.1), (0.02, 0.02), (0.3, 0.05)])
def test_the_interval_of_proportions_covers_the_truth(lost: float, won: float) -> None:
    random, n, covered = np.random.default_rng(0), 40, 0
    for _ in range(1000):
        kept, gone, came, never = random.multinomial(n, [0.5, lost, won, 0.5 - lost - won])
        change = paired_proportions(*flips(kept, gone, came, never))
        covered += change.ci_low <= won - lost <= change.ci_high
    assert covered >= 930


def test_the_interval_and_test_of_means_hold_their_level() -> None:
    random, covered, rejected = np.random.default_rng(0), 0, 0
    for trial in range(150):
        base = random.normal(3, 1, 40)
        adapter = base + random.normal(0, 0.5, 40)
        change = paired_means(base.tolist(), adapter.tolist(), seed=trial)
        covered += change.ci_low <= 0 <= change.ci_high
        rejected += change.p_value < 0.05
    assert covered >= 132
    assert rejected <= 18


def test_a_real_shift_is_found_where_pairs_share_their_noise() -> None:
    random = np.random.default_rng(0)
    base = random.normal(3, 2, 40)
    change = paired_means(base.tolist(), (base + 0.1 + random.normal(0, 0.1, 40)).tolist())
    assert change.p_value < 0.001
    assert 0.05 < change.ci_low < change.difference < change.ci_high < 0.2


def test_what_cannot_be_compared_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one"):
        paired_proportions([], [])
    with pytest.raises(ValueError, match="same items"):
        paired_means([1.0], [1.0, 2.0])
    with pytest.raises(ValueError, match="not finite"):
        paired_means([1.0], [math.nan])


def test_wilson_gives_published_values() -> None:
    # Newcombe 1998, table I: 81 of 263 and 0 of 20.
    assert share_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert share_interval(0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)
    assert share_interval(0, 0) == (0.0, 1.0)
