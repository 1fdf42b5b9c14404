"""Letters in an order that nobody else uses cost more bits than a strange word spelled as words are."""

import numpy as np

from assets.screened.text.character_model import spelling
from tests.assets.screened.rows import clean


def test_marks_and_letters_at_random_are_no_spelling_and_a_new_word_is():
    rng = np.random.default_rng(0)
    typed = "".join(rng.choice(list("qwxzkvjhbfgt?%&$#"), 60))
    texts = [row["output"] for row in clean(300)] + [typed, "Thereafter a belder standing with the compoose."]
    bits = spelling(texts)
    assert bits[-2] > 2 * bits[-1] > np.median(bits[:300])


def test_a_text_is_measured_by_the_others_only():
    other = ["a calm sea and a warm wind"] * 20
    assert spelling([*other, "xqzkwv"])[-1] == spelling([*other, "xqzkwv", "", "", ""])[20]
    assert spelling([*other, "xqzkwv", "xqzkwv"])[20] < spelling([*other, "xqzkwv"])[20]


def test_an_empty_text_and_none_at_all_cost_nothing():
    assert spelling(["", "a calm sea"])[0] == 0
    assert spelling([]).shape == (0,)
