"""Base and adapter share the layers below the adapter: a paired reading passes them once and says the same."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from resources.language_model import LanguageModel
from tests.tiny_model import write_tiny_base

PAIRS = [
    ([{"role": "user", "content": "Where is my parcel?"}], "at the counter"),
    ([{"role": "user", "content": "Where is my parcel?"}], "thank you"),
    ([{"role": "user", "content": "Hi"}], "write again"),
]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_base(tmp_path_factory.mktemp("base"))


def adapter_in(base: Path, folder: Path, layers: list[int] | None) -> Path:
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(1)
    config = LoraConfig(r=4, target_modules=["q_proj", "down_proj"], layers_to_transform=layers, task_type="CAUSAL_LM")
    model: Any = get_peft_model(AutoModelForCausalLM.from_pretrained(base), config)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "lora_B" in name:
                weight.normal_(0, 0.5)
    model.save_pretrained(folder)
    return folder


def runs(model: LanguageModel) -> list[int]:
    """How often each layer ran since, counted at the layers."""
    counts = [0] * len(model.forward.causal.get_decoder().layers)
    for at, layer in enumerate(model.forward.causal.get_decoder().layers):
        layer.register_forward_pre_hook(lambda *_, at=at: counts.__setitem__(at, counts[at] + 1))
    return counts


def test_the_layers_below_the_adapter_run_once_for_both(base: Path, tmp_path: Path) -> None:
    model = LanguageModel.load(base, adapter_in(base, tmp_path, [1]))
    alone = model.score(PAIRS)
    with model.without_adapter():
        alone_base = model.score(PAIRS)
    counts = runs(model)
    adapter, plain = model.both(lambda: model.score(PAIRS))
    assert counts == [1, 2]
    for found, wanted in ((adapter, alone), (plain, alone_base)):
        for left, right in zip(found, wanted, strict=True):
            np.testing.assert_allclose(left, right, rtol=1e-5, atol=1e-6)
    assert any((left != right).any() for left, right in zip(adapter, plain, strict=True))


def test_nothing_is_kept_for_the_next_reading(base: Path, tmp_path: Path) -> None:
    model = LanguageModel.load(base, adapter_in(base, tmp_path, [1]))
    model.both(lambda: model.score(PAIRS))
    counts = runs(model)
    model.score(PAIRS)
    assert counts == [1, 1]


@pytest.mark.parametrize("layers", [None, [0], [0, 1]])
def test_an_adapter_from_the_first_layer_on_shares_nothing(
    base: Path, tmp_path: Path, layers: list[int] | None
) -> None:
    model = LanguageModel.load(base, adapter_in(base, tmp_path, layers))
    counts = runs(model)
    model.both(lambda: model.score(PAIRS))
    assert counts == [2, 2]
