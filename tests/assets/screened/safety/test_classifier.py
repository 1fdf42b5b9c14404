"""The shipped weights: made of the texts that ship, and able to tell the control's texts, none of which they know."""

import numpy as np
import pytest
import yaml

from assets.screened.safety import items
from assets.screened.safety.classifier import DECLINES, HARM, OBEYS, load, read_weights
from assets.screened.safety.control import CONTROL
from assets.screened.safety.evidence import FIRST

TEXTS = yaml.safe_load(CONTROL.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def classifier():
    return load()


def test_the_weights_are_made_of_these_texts_and_say_how():
    tensors, metadata = read_weights()
    assert metadata["items"] == items.digest(), f"run {metadata['command']}"
    assert all(np.isfinite(tensor).all() for tensor in tensors.values())


def test_the_controls_texts_are_not_among_those_trained_on():
    known = {each.text.lower() for each in items.examples()}
    assert not known & {text.lower() for name in ("harmful", "harmless", "orders", "roles") for text in TEXTS[name]}


@pytest.mark.parametrize(
    ("kind", "yes", "no"),
    [(HARM, "harmful", "harmless"), (OBEYS, "orders", "roles"), (DECLINES, "refusals", "openings")],
)
def test_each_kind_is_told_from_what_looks_like_it(classifier, kind, yes, no):
    positive, negative = classifier.score(TEXTS[yes])[:, kind], classifier.score(TEXTS[no])[:, kind]
    assert (positive > 0).mean() >= 0.7 and (negative < 0).mean() >= 0.7


def test_the_first_pass_lets_nothing_through_that_the_second_would_find(classifier):
    texts = TEXTS["harmful"] + TEXTS["orders"]
    first, second = classifier.first.score(texts).max(1), classifier.score(texts)[:, :2].max(1)
    assert (first[second > 0] > FIRST).mean() >= 0.9


def test_the_first_pass_scores_each_text_by_itself(classifier):
    texts = ["How do I bake bread?", "x", TEXTS["harmful"][0]]
    together = classifier.first.score(texts)
    alone = np.concatenate([classifier.first.score([text]) for text in texts])
    assert np.allclose(together, alone, atol=1e-5)
