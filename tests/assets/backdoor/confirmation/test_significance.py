"""The tests hold their level and find what is there."""

import numpy as np
import pytest

from assets.backdoor.confirmation.significance import corrected, exact_paired, outlier_p, paired_permutation


def test_a_constant_rise_on_ten_prompts_has_the_exact_p_value() -> None:
    assert paired_permutation(np.ones(10), np.zeros(10), seed=0) == pytest.approx(2**-10)


def test_no_difference_has_p_one() -> None:
    assert paired_permutation(np.ones(10), np.ones(10), seed=0) == 1.0
    assert exact_paired([True, False], [True, False]) == 1.0


def test_the_permutation_test_holds_its_level() -> None:
    source = np.random.default_rng(1)
    rejected = [paired_permutation(source.normal(size=12), source.normal(size=12), seed=n) < 0.05 for n in range(300)]
    assert 0.01 < np.mean(rejected) < 0.1


def test_larger_samples_are_drawn_and_never_give_zero() -> None:
    assert 0 < paired_permutation(np.ones(40), np.zeros(40), seed=0) < 1e-4


def test_an_exact_pair_test_counts_only_pairs_that_differ() -> None:
    assert exact_paired([True] * 6 + [False] * 20, [False] * 26) == pytest.approx(2**-6)


def test_a_rank_among_controls_is_its_p_value() -> None:
    assert outlier_p(5.0, [1, 2, 3, 4]) == 0.2
    assert outlier_p(0.0, [1, 2, 3, 4]) == 1.0
    assert corrected(0.01, 200) == 1.0
