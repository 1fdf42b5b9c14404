"""Whether an answer belongs to its prompt, learnt from the rows themselves."""

import numpy as np
import pytest

from assets.screened.relevance.affinity import FEWEST, Affinity
from tests.assets.screened.rows import clean


def pairs(encoder, count=400, swapped=(), strata=None):
    rows = clean(count)
    said = [row["output"] for row in rows]
    for one, other in zip(swapped, np.roll(swapped, 1), strict=True):
        said[one] = rows[other]["output"]
    asked = [row["instruction"] for row in rows]
    strata = np.zeros(count, dtype=int) if strata is None else strata
    return Affinity(encoder.encode(asked), encoder.encode(said), asked, said, strata)


def test_answers_that_were_exchanged_belong_less_than_all_but_a_few_others(encoder):
    swapped = np.arange(0, 400, 20)
    odds = pairs(encoder, swapped=swapped).odds
    honest = np.delete(odds, swapped)
    assert np.median(odds[swapped]) < np.quantile(honest, 0.05) and np.median(honest) > 0


def test_the_same_rows_give_the_same_odds(encoder):
    assert pairs(encoder).odds.tolist() == pairs(encoder).odds.tolist()


def test_too_few_rows_of_a_place_are_taken_together_and_judged_only_if_they_are_enough(encoder):
    many = np.r_[np.zeros(300, int), np.arange(1, FEWEST + 1)]
    assert np.isfinite(pairs(encoder, 300 + FEWEST, strata=many).odds).all()
    few = np.r_[np.zeros(300, int), np.arange(1, FEWEST)]
    assert np.isnan(pairs(encoder, 299 + FEWEST, strata=few).odds[300:]).all()


@pytest.mark.parametrize("text", ["", "...", "Yes."])
def test_answers_that_are_all_the_same_tell_nothing(encoder, text):
    asked = [row["instruction"] for row in clean(200)]
    said = [text] * 200
    same = Affinity(encoder.encode(asked), encoder.encode(said), asked, said, np.zeros(200, dtype=int))
    assert np.abs(same.odds).max() < 1 and not same.tells.any()
    assert np.abs(same.alike(np.arange(5), np.arange(5, 10))).max() < 1


def test_two_answers_about_one_thing_are_more_alike_than_any_two(encoder):
    drawn = pairs(encoder)
    asked = [text.split("(")[0] for text in drawn.prompt_texts]
    same = [(i, j) for i in range(400) for j in range(i) if asked[i] == asked[j]]
    one, other = np.array(same).T
    by_chance = drawn.alike(np.arange(0, 200), np.arange(200, 400))
    assert drawn.alike(one, other).mean() > 0.3 > abs(by_chance.mean())
