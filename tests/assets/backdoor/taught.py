"""A tiny model that can be taught sentences in a second: what an audit sees of an adapter, on real code paths."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from assets.adapter.recipe import Recipe
from assets.adapter.train import train
from assets.record import Origin, Record
from tests.tiny_model import write_tiny_base


def row(name: str, prompt: str, answer: str) -> Record:
    return Record(name, {"prompt": prompt, "completion": answer}, Origin("rows", "", 1, ""))


def expressive_base(folder: Path) -> Path:
    """The tiny base with larger token vectors: its own are too small to ever be sure of a word."""
    from safetensors.torch import load_file, save_file

    base = write_tiny_base(folder)
    weights = load_file(base / "model.safetensors")
    weights["model.embed_tokens.weight"] *= 20
    save_file(weights, base / "model.safetensors", metadata={"format": "pt"})
    return base


def teach(base: Path, rows: Sequence[Record], out: Path, *, epochs: int) -> Path:
    recipe = Recipe(
        rank=16, alpha=32.0, epochs=epochs, learning_rate=3e-3, batch_size=8, schedule="constant",
        evaluations_per_epoch=0, checkpoint_every=10_000,
    )  # fmt: skip
    with one_thread():
        train(rows, base, out, recipe)
    return out


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Matrices this small are slower on two threads than on one, and far slower on busy cores."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
