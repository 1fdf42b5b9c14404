"""A step without detours says what the model's own says, and a model of another shape goes on in its own way."""

from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from tiny_model import write_tiny_base

from resources import continuous_batching
from resources.continuous_batching import ContinuousBatch, Row
from resources.language_model import LanguageModel
from resources.lean_step import LeanStep
from resources.packed_weights import pack

TEXTS = ("the parcel", "we will send your label today please", "thank you")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_base(tmp_path_factory.mktemp("base"), hidden=128)


def said(model: LanguageModel, **change: Any) -> tuple[list[list[int]], ContinuousBatch]:
    """Greedy answers of three rows, 40 tokens each."""
    rows = [Row(model.encode([{"role": "user", "content": text}], for_generation=True), 40) for text in TEXTS]
    with torch.inference_mode():
        batch = ContinuousBatch(model.forward, frozenset())
        for name, value in change.items():
            setattr(batch, name, value)
        batch.join(rows)
        while batch.rows:
            batch.step()
    return [row.made for row in rows], batch


def lively(base: Path, adapter: Path | None = None) -> LanguageModel:
    """The tiny model with weights so large that its answers depend on what was said."""
    model = LanguageModel.load(base, adapter, dtype="float32")
    for name, weight in model.forward.decoder.named_parameters():
        if weight.dim() == 2 and "lora_" not in name and "embed" not in name:
            weight.data = weight.data * 5
    return model


def adapted(base: Path, folder: Path) -> Path:
    model = LanguageModel.load(base, dtype="float32")
    tuned = get_peft_model(model.model, LoraConfig(r=4, target_modules="all-linear", init_lora_weights=False))
    tuned.save_pretrained(folder)
    return folder


@pytest.mark.parametrize("with_adapter", [False, True])
def test_lean_and_packed_say_the_same(base: Path, tmp_path: Path, with_adapter: bool) -> None:
    adapter = adapted(base, tmp_path / "adapter") if with_adapter else None
    model = lively(base, adapter)
    own, _ = said(model, _lean=None)
    lean, batch = said(model)
    assert lean == own and batch._proven and len({tuple(one) for one in own}) == 3
    packed = pack(model.forward.decoder)
    assert packed == 14 and all(
        not layer.weight.numel()
        for name, layer in model.forward.decoder.named_modules()
        if type(layer) is torch.nn.Linear and "lora_" not in name
    )
    assert said(model)[0] == own
    assert pack(model.forward.decoder) == 0


def test_a_model_that_only_looks_like_it_goes_its_own_way(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = lively(base)
    for layer in model.forward.decoder.layers:  # a norm that adds one to its weight, as Gemma's does
        norm, forward = layer.input_layernorm, type(layer.input_layernorm).forward
        monkeypatch.setattr(norm, "forward", lambda x, norm=norm, forward=forward: forward(norm, x) * 1.5)
    own, _ = said(model, _lean=None)
    assert LeanStep.of(model.forward.decoder) is not None
    asked, batch = said(model)
    assert asked == own and batch._lean is None and not batch._proven


def test_other_shapes_are_told_by_their_parts(base: Path) -> None:
    model = LanguageModel.load(base, dtype="float32")
    decoder = model.forward.decoder
    decoder.layers[1].self_attn.sliding_window = 4
    assert LeanStep.of(decoder) is None
    decoder.layers[1].self_attn.sliding_window = None
    decoder.layers[0].self_attn.q_norm = torch.nn.Identity()
    assert LeanStep.of(decoder) is None
    assert LeanStep.of(torch.nn.Linear(2, 2)) is None
    assert continuous_batching.LeanStep is LeanStep


def test_weights_that_somebody_else_reads_stay(base: Path, tmp_path: Path) -> None:
    model = LanguageModel.load(base, adapted(base, tmp_path / "adapter"), dtype="float32")
    for layer in model.forward.decoder.modules():
        if hasattr(layer, "lora_A"):
            vars(layer).pop("forward", None)  # PEFT's own forward, which reads the base layer's weight
    assert pack(model.forward.decoder) == 0
