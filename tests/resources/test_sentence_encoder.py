"""The bundled sentence encoder: unit vectors, in order, in which the same meaning is near and another far."""

import numpy as np
import pytest

from resources.sentence_encoder import DIMENSIONS, SentenceEncoder


@pytest.fixture(scope="module")
def encoder():
    return SentenceEncoder.load()


def test_meaning_is_nearer_than_wording(encoder):
    texts = ["How do I bake bread?", "What is the way to make a loaf?", "How do I fix a car?", "How do I bake bread?"]
    vectors = encoder.encode(texts)
    assert vectors.shape == (4, DIMENSIONS)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert np.array_equal(vectors[0], vectors[3])
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.2


def test_batching_by_length_changes_no_vector(encoder):
    texts = ["A short one.", "word " * 80, "", "Another, a little longer than the first one."]
    together = encoder.encode(texts)
    apart = np.concatenate([encoder.encode([text]) for text in texts])
    assert np.allclose(together, apart, atol=1e-4)


def test_no_texts_give_no_vectors(encoder):
    assert encoder.encode([]).shape == (0, DIMENSIONS)
