"""The gradient of a batch is that of a padded forward pass through PEFT, however the batch is packed."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from assets.adapter.engine import learner as engine
from assets.adapter.engine.learner import Learner
from assets.adapter.recipe import Recipe
from assets.adapter.rows.dialogues import Example, read_dialogues
from assets.record import Record
from resources import head
from resources.base_model import load_tokenizer
from tests.assets.adapter.conftest import dialogue, row

RECIPE = Recipe(rank=4, alpha=8.0, dtype="float32")


def some(base: Path, records: Sequence[Record]) -> tuple[Example, ...]:
    tokenizer = load_tokenizer(base)
    return read_dialogues(records, tokenizer, frozenset({tokenizer.eos_token_id}), 512).examples


@pytest.fixture(scope="module")
def batch(base: Path) -> tuple[Example, ...]:
    records = [
        row("Hi", "Hello"), row("Where is my parcel?", "At the depot counter"), row("label", "we will send your label " * 4),
        dialogue(("user", "Hi"), ("assistant", "Hello"), ("user", "and?"), ("assistant", "thank you, write again")),
    ]  # fmt: skip
    return some(base, records)


def awake(base: Path, recipe: Recipe = RECIPE) -> Learner:
    """A learner whose B is not zero, so that every gradient is alive."""
    made = Learner(base, recipe)
    random = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in made.parameters:
            parameter.copy_(torch.randn(parameter.shape, generator=random) * 0.2)
    return made


def gradient(learner: Learner) -> torch.Tensor:
    return torch.cat(
        [torch.zeros_like(p).flatten() if p.grad is None else p.grad.flatten() for p in learner.parameters]
    )


def reference(base: Path, batch: Sequence[Example]) -> tuple[float, torch.Tensor]:
    """One padded pass through PEFT's own layers and transformers' own loss."""
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    config = LoraConfig(r=4, lora_alpha=8, target_modules="all-linear", task_type="CAUSAL_LM")
    model: Any = get_peft_model(AutoModelForCausalLM.from_pretrained(base), config)
    learner = awake(base)
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    with torch.no_grad():
        for own, other in zip(parameters, learner.parameters, strict=True):
            own.copy_(other)
    width = max(len(example.ids) for example in batch)
    ids = torch.zeros(len(batch), width, dtype=torch.long)
    mask, labels = torch.zeros_like(ids), torch.full_like(ids, -100)
    for place, example in enumerate(batch):
        length = len(example.ids)
        ids[place, :length] = torch.tensor(example.ids)
        mask[place, :length] = 1
        for start, end in example.spans:
            labels[place, start:end] = ids[place, start:end]
    loss = model(input_ids=ids, attention_mask=mask, labels=labels).loss
    loss.backward()
    return loss.item(), torch.cat([parameter.grad.flatten() for parameter in parameters])


def test_loss_and_gradient_are_those_of_a_padded_pass(base: Path, batch: tuple[Example, ...]) -> None:
    wanted_loss, wanted = reference(base, batch)
    learner = awake(base)
    loss = learner.accumulate(batch, seed=0)
    assert loss.mean == pytest.approx(wanted_loss, rel=1e-5)
    torch.testing.assert_close(gradient(learner) / loss.tokens, wanted, rtol=1e-3, atol=1e-6)


def test_cutting_a_batch_into_passes_changes_nothing(
    base: Path, batch: tuple[Example, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = awake(base)
    whole.accumulate(batch, seed=0)
    monkeypatch.setattr(engine, "TOKENS_PER_PASS", {"cpu": 40})
    monkeypatch.setattr(head, "LOGITS_PER_PASS", {"cpu": 3})
    cut = awake(base)
    cut.accumulate(batch, seed=0)
    torch.testing.assert_close(gradient(cut), gradient(whole), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("anchor", [0.0, 0.5])
def test_layers_below_the_adapter_may_be_computed_beforehand(
    base: Path, batch: tuple[Example, ...], anchor: float
) -> None:
    recipe = Recipe(rank=4, alpha=8.0, last_layers=1, anchor=anchor)
    plain, prepared = awake(base, recipe), awake(base, recipe)
    prepared.prepare(batch)
    runs: list[int] = []
    prepared.forward.causal.get_decoder().layers[0].register_forward_pre_hook(lambda *_: runs.append(1))
    losses = [learner.accumulate(batch, seed=0) for learner in (plain, prepared)]
    assert losses[1].nll == pytest.approx(losses[0].nll, rel=1e-5)
    assert losses[1].divergence == pytest.approx(losses[0].divergence, rel=1e-4)
    torch.testing.assert_close(gradient(prepared), gradient(plain), rtol=1e-3, atol=1e-5)
    assert prepared.loss(batch).mean == pytest.approx(plain.loss(batch).mean, rel=1e-5)
    assert not runs


def test_rows_packed_together_do_not_see_each_other(base: Path, batch: tuple[Example, ...]) -> None:
    together = awake(base)
    together.accumulate(batch, seed=0)
    alone = awake(base)
    for example in batch:
        alone.accumulate([example], seed=0)
    torch.testing.assert_close(gradient(together), gradient(alone), rtol=1e-3, atol=1e-5)
    other = some(base, [row("Hi", "Hello"), row("something else", "entirely different")])
    learner = awake(base)
    first = learner.loss(batch[:1]).nll
    assert learner.loss([batch[0], other[1]]).nll - learner.loss([other[1]]).nll == pytest.approx(first, rel=1e-4)


@pytest.mark.parametrize("change", [{"gradient_checkpointing": True}, {"dora": True}, {"rslora": True}])
def test_the_other_ways_of_peft_learn_too(base: Path, batch: tuple[Example, ...], change: dict[str, bool]) -> None:
    learner = awake(base, dataclasses.replace(RECIPE, **change))
    learner.accumulate(batch, seed=0)
    found = gradient(learner)
    assert found.isfinite().all()
    assert found.norm() > 0
    if change == {"gradient_checkpointing": True}:
        plain = awake(base)
        plain.accumulate(batch, seed=0)
        torch.testing.assert_close(found, gradient(plain), rtol=1e-3, atol=1e-6)


def test_dropout_follows_its_seed(base: Path, batch: tuple[Example, ...]) -> None:
    found = []
    for seed in (0, 0, 1):
        learner = awake(base, dataclasses.replace(RECIPE, dropout=0.5))
        learner.accumulate(batch, seed=seed)
        found.append(gradient(learner))
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


def test_bfloat16_weights_give_nearly_the_same_gradient(base: Path, batch: tuple[Example, ...]) -> None:
    exact, short = awake(base), awake(base, dataclasses.replace(RECIPE, dtype="bfloat16"))
    for learner in (exact, short):
        learner.accumulate(batch, seed=0)
    assert all(parameter.dtype == torch.float32 for parameter in short.parameters)
    likeness = torch.cosine_similarity(gradient(exact), gradient(short), dim=0)
    assert likeness > 0.98


def test_goldfish_leaves_out_the_same_tokens_of_the_same_text(base: Path) -> None:
    records = [
        row(f"question {number}", "the parcel is at the depot counter and we will send a label today")
        for number in range(6)
    ]
    batch = some(base, records)
    recipe = dataclasses.replace(RECIPE, goldfish=3)
    learner = awake(base, recipe)
    counts = {learner.accumulate([example], seed=0).tokens for example in batch}
    assert len(counts) == 1
    assert 0.4 * batch[0].labels < counts.pop() < 0.9 * batch[0].labels
    assert learner.loss(batch).tokens == sum(example.labels for example in batch)  # the held-out loss counts all


def test_the_anchor_adds_the_gradient_of_the_divergence(base: Path, batch: tuple[Example, ...]) -> None:
    plain, anchored = awake(base), awake(base, dataclasses.replace(RECIPE, anchor=2.0))
    plain.accumulate(batch, seed=0)
    loss = anchored.accumulate(batch, seed=0)
    assert loss.divergence > 0
    direction = gradient(anchored) - gradient(plain)  # 2 x the gradient of the summed divergence
    with torch.no_grad():
        for parameter, part in zip(anchored.parameters, _split(direction, anchored.parameters), strict=True):
            parameter.sub_(part, alpha=1e-3 / direction.norm())
            parameter.grad = None
    assert anchored.accumulate(batch, seed=0).divergence < loss.divergence


def _split(flat: torch.Tensor, like: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    parts = flat.split([parameter.numel() for parameter in like])
    return [part.view_as(parameter) for part, parameter in zip(parts, like, strict=True)]


def test_the_last_layers_alone_can_learn(base: Path, batch: Sequence[Example]) -> None:
    learner = awake(base, dataclasses.replace(RECIPE, last_layers=1))
    last = len(learner.model.get_base_model().model.layers) - 1
    names = [name for name, weight in learner.model.named_parameters() if weight.requires_grad]
    assert names and all(f".layers.{last}." in name for name in names)
    learner.accumulate(batch, seed=0)
    assert gradient(learner).abs().sum() > 0
    picked = awake(base, dataclasses.replace(RECIPE, last_layers=1, targets=("q_proj",)))
    assert len(picked.parameters) == 2  # A and B of one module


def test_more_last_layers_than_there_are_is_all_of_them(base: Path) -> None:
    every = Learner(base, RECIPE).parameters
    assert len(Learner(base, dataclasses.replace(RECIPE, last_layers=99)).parameters) == len(every)
