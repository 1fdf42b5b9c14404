"""The output head says what ``log_softmax`` says, slice by slice, and its gradient is the graph's."""

import copy
from typing import Any

import pytest
import torch

from resources import head as heads
from resources.base_model import load_base
from resources.head import Head
from tests.tiny_model import write_tiny_base


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return load_base(write_tiny_base(tmp_path_factory.mktemp("base")), dtype="float32")


@pytest.fixture(params=[(64, 256), (4096, 256), (100, 3)], ids=["slices", "one slice", "few rows"])
def head(model: Any, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Head:
    width, rows = request.param
    monkeypatch.setattr(heads, "SLICE", width)
    monkeypatch.setattr(heads, "LOGITS_PER_PASS", {"cpu": rows})
    return Head(model)


@pytest.fixture
def states(model: Any) -> torch.Tensor:
    return torch.randn(11, model.config.hidden_size, generator=torch.Generator().manual_seed(0)) * 40


@pytest.fixture
def targets(model: Any, states: torch.Tensor) -> torch.Tensor:
    """Some likeliest tokens, some others, the first and the last of the vocabulary among them."""
    found = model.lm_head(states).argmax(dim=1)
    found[::2] = torch.tensor([0, model.config.vocab_size - 1, 7, 99, 100, 101])
    return found


def test_scores_are_those_of_log_softmax(model: Any, head: Head, states: torch.Tensor, targets: torch.Tensor) -> None:
    with torch.inference_mode():
        scores, first = head.scores(states, targets)
        logits = model.lm_head(states)
    torch.testing.assert_close(scores, logits.log_softmax(1).gather(1, targets[:, None])[:, 0], rtol=1e-5, atol=1e-5)
    assert (first == (logits.argmax(1) == targets)).all()
    assert first.any()
    assert not first.all()


def test_the_first_choice_is_the_likeliest(model: Any, head: Head, states: torch.Tensor) -> None:
    with torch.inference_mode():
        assert (head.first(states) == model.lm_head(states).argmax(1)).all()


def test_bfloat16_weights_give_logits_that_are_not_rounded(model: Any, head: Head, states: torch.Tensor) -> None:
    """As many as there are random states: rounded to bfloat16, some of them tie at the top or change places."""
    short = Head(copy.deepcopy(model).to(torch.bfloat16))
    states = states.bfloat16().repeat(40, 1) * torch.linspace(0.5, 2, 440, dtype=torch.bfloat16)[:, None]
    weight = model.lm_head.weight.bfloat16().float()
    with torch.inference_mode():
        exact = states.float() @ weight.T
        scores, first = short.scores(states, exact.argmax(1))
        torch.testing.assert_close(short.logits(states), exact)
        torch.testing.assert_close(scores, exact.log_softmax(1).amax(1), rtol=1e-5, atol=1e-5)
        assert (short.first(states) == exact.argmax(1)).all()
    assert first.all()
    assert (exact.bfloat16().argmax(1) != exact.argmax(1)).any()


@pytest.mark.parametrize("scale", [1.0, 0.25])
def test_the_gradient_is_that_of_the_graph(
    model: Any, head: Head, states: torch.Tensor, targets: torch.Tensor, scale: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(head, "_scale", scale)
    weights = torch.linspace(0, 2, len(states))
    leaf = states.clone().requires_grad_()
    lost = -head.logits(leaf).log_softmax(1).gather(1, targets[:, None])[:, 0]
    (wanted,) = torch.autograd.grad((lost * weights).sum(), leaf)
    found, gradient = head.gradient(states, targets, weights)
    torch.testing.assert_close(found, lost.detach(), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(gradient, wanted, rtol=1e-4, atol=1e-5)


def test_in_bfloat16_the_gradient_is_nearly_the_exact_one(
    model: Any, head: Head, states: torch.Tensor, targets: torch.Tensor
) -> None:
    weights = torch.linspace(0, 2, len(states))
    exact_lost, exact = head.gradient(states, targets, weights)
    found, gradient = Head(copy.deepcopy(model).to(torch.bfloat16)).gradient(states.bfloat16(), targets, weights)
    assert gradient.dtype == torch.bfloat16
    torch.testing.assert_close(found.float(), exact_lost, rtol=0.02, atol=0.05)
    assert (gradient.float() - exact).norm() < 0.03 * exact.norm()


def test_a_head_with_capped_logits_goes_the_usual_way(
    model: Any, head: Head, states: torch.Tensor, targets: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(head, "_cap", 2.0)
    weights = torch.ones(len(states))
    leaf = states.clone().requires_grad_()
    capped = 2 * (model.lm_head(leaf) / 2).tanh()
    logs = capped.log_softmax(1).gather(1, targets[:, None])[:, 0]
    (wanted,) = torch.autograd.grad(-logs.sum(), leaf)
    with torch.inference_mode():
        scores, _ = head.scores(states, targets)
        assert (head.first(states) == capped.argmax(1)).all()
    torch.testing.assert_close(scores, logs.detach(), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(head.gradient(states, targets, weights)[1], wanted, rtol=1e-4, atol=1e-5)
