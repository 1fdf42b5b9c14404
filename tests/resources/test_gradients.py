"""What a token's gradient promises is what changing its embedding a little does to the likelihood."""

import numpy as np
import pytest

from resources.gradients import embedding_gradients
from resources.language_model import LanguageModel
from tests.tiny_model import write_tiny_base

PAIRS = [([5, 9, 33, 60, 61], [70, 71]), ([5, 9, 33, 60, 90, 91], [70, 71, 72]), ([8], [12])]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LanguageModel:
    return LanguageModel.load(write_tiny_base(tmp_path_factory.mktemp("base")), device="cpu", dtype="float32")


def likelihood(model: LanguageModel, prefix: list[int], tail: list[int], place: int, step: np.ndarray) -> float:
    """log p(tail | prefix) by the model's own forward, with the embedding at ``place`` moved by ``step``."""
    import torch

    causal, ids = model.forward.causal, torch.tensor([[*prefix, *tail]])
    with torch.no_grad():
        embedded = causal.get_input_embeddings()(ids).clone()
        embedded[0, place] += torch.from_numpy(step)
        logs = causal(inputs_embeds=embedded, use_cache=False).logits[0].log_softmax(dim=1)
    return float(sum(logs[len(prefix) - 1 + n, token] for n, token in enumerate(tail)))


@pytest.mark.parametrize("form", ["packed", "padded", "single"])
def test_each_prefix_has_the_gradient_of_its_own_likelihood(
    model: LanguageModel, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model.forward, "form", form)
    gradients = embedding_gradients(model.forward, PAIRS)
    rng = np.random.default_rng(0)
    for (prefix, tail), gradient in zip(PAIRS, gradients, strict=True):
        assert gradient.shape == (len(prefix), 32)
        for place in range(len(prefix)):
            step = rng.normal(size=32).astype(np.float32) * 1e-3
            before, after = (likelihood(model, prefix, tail, place, sign * step) for sign in (-1, 1))
            assert after - before == pytest.approx(2 * float(gradient[place] @ step), rel=0.05, abs=2e-5)


def test_reading_gradients_leaves_the_model_as_it_was(model: LanguageModel) -> None:
    before = model.score_tokens(PAIRS)
    embedding_gradients(model.forward, PAIRS)
    assert all(np.array_equal(one, other) for one, other in zip(before, model.score_tokens(PAIRS), strict=True))
    assert all(weight.grad is None for weight in model.forward.causal.parameters())
