"""The statistics of membership agree with what can be worked out by hand, and hold their level."""

import numpy as np
import pytest

from assets.memorization.statistics import (
    auc,
    auc_interval,
    difference,
    proportion,
    smallest_detectable_auc,
    tpr_at_fpr,
)  # fmt: skip

SOURCE = np.random.default_rng(0)


def test_auc_counts_pairs_and_halves_ties() -> None:
    assert auc(np.array([2.0, 3.0]), np.array([1.0, 3.0])) == 0.625


def test_the_interval_of_separated_sides_is_not_a_point() -> None:
    interval = auc_interval(np.arange(10, 20.0), np.arange(10.0))
    assert interval.value == interval.high == 1.0
    assert 0.6 < interval.low < 0.8


def test_at_chance_the_interval_covers_one_half_about_as_often_as_it_says() -> None:
    covered = 0
    for _ in range(200):
        interval = auc_interval(SOURCE.normal(size=60), SOURCE.normal(size=60))
        covered += interval.low <= 0.5 <= interval.high
    assert 180 <= covered <= 199


def test_true_positives_at_one_percent_false_positives() -> None:
    members, others = np.linspace(0.5, 1.5, 200), np.linspace(0.0, 1.0, 200)
    rate = tpr_at_fpr(members, others, 0.01, seed=1)
    assert rate.value == pytest.approx(0.5, abs=0.02)
    assert rate.low < rate.value < rate.high


def test_shares_have_exact_intervals() -> None:
    none = proportion(0, 20)
    assert (none.value, none.low) == (0.0, 0.0)
    assert none.high == pytest.approx(0.1684, abs=1e-4)
    assert proportion(0, 0).high == 1.0


def test_a_larger_test_detects_less() -> None:
    assert smallest_detectable_auc(30, 30) > 0.7
    assert 0.5 < smallest_detectable_auc(300, 300) < 0.57


def test_a_share_exceeds_another_only_by_more_than_chance() -> None:
    recited, guessed = proportion(20, 24), proportion(2, 24)
    assert difference(recited, guessed).value == pytest.approx(0.75)
    assert difference(recited, guessed).low > 0.4
    assert difference(guessed, recited).high < -0.4
    few = difference(proportion(3, 24), proportion(1, 24))
    assert few.low < 0 < few.value < few.high
