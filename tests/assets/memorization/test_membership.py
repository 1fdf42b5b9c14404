"""Membership statistics tell rows that gained from rows that did not; words alone tell a broken split."""

import numpy as np
import pytest

from assets.memorization.membership import STATISTICS, bag_of_words_control, membership_scores
from assets.memorization.statistics import auc

SOURCE = np.random.default_rng(5)


def rows(gain: float, count: int = 80) -> tuple[list[np.ndarray], list[np.ndarray]]:
    base = [SOURCE.normal(-3, 1, size=SOURCE.integers(5, 30)) for _ in range(count)]
    adapter = [np.minimum(0, row + 1 + gain + SOURCE.normal(0, 0.5, size=len(row))) for row in base]
    return adapter, base


@pytest.mark.parametrize("name", list(STATISTICS))
def test_each_statistic_finds_members(name: str) -> None:
    members, strangers = membership_scores(*rows(0.7)), membership_scores(*rows(0.0))
    assert auc(members[name], strangers[name]) > 0.7


@pytest.mark.parametrize("name", list(STATISTICS))
def test_each_statistic_is_at_chance_among_strangers(name: str) -> None:
    one, other = membership_scores(*rows(0.0)), membership_scores(*rows(0.0))
    assert 0.35 < auc(one[name], other[name]) < 0.65


def test_one_token_answers_have_scores() -> None:
    scores = membership_scores([np.array([-0.1])], [np.array([-2.0])])
    assert all(np.isfinite(values).all() for values in scores.values())


def test_words_tell_two_topics_apart_and_not_two_halves_of_one() -> None:
    words = "river stone apple cloud tiger piano glass honey".split()
    same = [" ".join(SOURCE.choice(words, 6)) for _ in range(160)]
    other = [f"{text} invoice" for text in same[:80]]
    assert bag_of_words_control(other, same[80:], seed=0).low > 0.9
    halves = bag_of_words_control(same[:80], same[80:], seed=0)
    assert halves.low <= 0.5 <= halves.high
