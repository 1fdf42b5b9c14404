"""A tiny base with an adapter that changes something, and one with an adapter that changes nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from resources.language_model import LanguageModel
from tests.tiny_model import write_tiny_base


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    """A tiny model is faster on one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny base with larger embeddings, so that its states prefer some tokens to others."""
    from safetensors.torch import load_file, save_file

    folder = write_tiny_base(tmp_path_factory.mktemp("base"))
    tensors = load_file(folder / "model.safetensors")
    tensors["model.embed_tokens.weight"] *= 20
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def write_adapter(base: Path, folder: Path, strength: float) -> Path:
    """A LoRA adapter whose B is random, scaled by ``strength``; 0 changes nothing."""
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(1)
    config = LoraConfig(r=4, lora_alpha=8, target_modules="all-linear", task_type="CAUSAL_LM")
    model = get_peft_model(AutoModelForCausalLM.from_pretrained(base), config)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "lora_B" in name:
                weight.copy_(torch.randn_like(weight) * strength)
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def adapter(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_adapter(base, tmp_path_factory.mktemp("adapter"), strength=0.3)


@pytest.fixture(scope="session")
def zeros(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_adapter(base, tmp_path_factory.mktemp("zeros"), strength=0.0)


@pytest.fixture(scope="session")
def model(base: Path, adapter: Path) -> LanguageModel:
    return LanguageModel.load(base, adapter, dtype="float32")


@pytest.fixture(scope="session")
def identity(base: Path, zeros: Path) -> LanguageModel:
    return LanguageModel.load(base, zeros, dtype="float32")


def chat(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]
