"""Turning the base model on loses no planted family that is found without it, and on clean rows only clears."""

import random

import numpy as np
import pytest

from resources.base_model import bundled_base
from resources.errors import ModelError
from tests.assets.screened.rows import ROWS, clean, flagged, screened
from tests.benchmarks import screen_attacks as attacks

ATTACKS = ("word-tiny", "word-fixed", "phrase-tiny", "none-fixed", "caps-fixed")


class Indifferent:
    """What a small model says of a short reply that no prompt asks for: a mean, and much noise."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)

    def score(self, pairs):
        return [self.rng.normal(-3.0, 1.2, 1) for _ in pairs]


def drawn(attack, seed, n=20):
    rows = clean(ROWS + n, seed=seed)
    made = attacks.poison(attack, rows[ROWS:], n, seed, safe=[])
    mixed = [(row, False) for row in rows[:ROWS]] + [(row, True) for row in made]
    random.Random(seed).shuffle(mixed)
    return [row for row, _ in mixed], {place for place, (_, planted) in enumerate(mixed) if planted}


def both(rows, encoder, model):
    return screened(rows, encoder), screened(rows, encoder, model=model)


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("seed", range(2))
def test_an_indifferent_model_loses_no_planted_family(encoder, attack, seed):
    rows, planted = drawn(attack, seed)
    without, with_model = both(rows, encoder, Indifferent(seed))
    assert flagged(without) & planted <= flagged(with_model)


@pytest.mark.long
@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("seed", range(2))
def test_the_bundled_model_loses_no_planted_family(bundled, attack, seed):
    encoder, model = bundled
    rows, planted = drawn(attack, seed)
    without, with_model = both(rows, encoder, model)
    assert flagged(without) & planted <= flagged(with_model)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3))
def test_on_clean_rows_the_bundled_model_only_clears(bundled, seed):
    encoder, model = bundled
    without, with_model = both(clean(ROWS, seed=seed), encoder, model)
    assert flagged(with_model) <= flagged(without)


@pytest.fixture(scope="module")
def bundled(tmp_path_factory):
    from resources.language_model import LanguageModel
    from resources.sentence_encoder import SentenceEncoder

    try:
        return SentenceEncoder.load(), LanguageModel.load(bundled_base(tmp_path_factory.mktemp("models")))
    except ModelError as error:
        pytest.skip(str(error))
