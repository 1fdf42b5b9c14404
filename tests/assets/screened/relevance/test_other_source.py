"""An answer in the manner of another source is told from one in the manner of its own."""

import numpy as np

from assets.screened.relevance.other_source import other_source


def test_the_answer_that_came_from_the_other_source_stands_out():
    rng = np.random.default_rng(0)
    strata = np.repeat([0, 1], 300)
    answers = rng.normal(size=(600, 32)).astype(np.float32)
    answers[300:, 0] += 6
    answers[7, 0] += 6
    nats = other_source(answers, strata)
    assert nats.argmax() == 7 and nats[7] > 2
    assert (nats > 0).mean() < 0.02


def test_one_source_or_a_small_one_has_nothing_to_be_compared_with():
    answers = np.random.default_rng(0).normal(size=(150, 8)).astype(np.float32)
    assert np.isneginf(other_source(answers, np.zeros(150, dtype=np.int64))).all()
    nats = other_source(answers, np.repeat([0, 1], [140, 10]))
    assert np.isneginf(nats).all()
