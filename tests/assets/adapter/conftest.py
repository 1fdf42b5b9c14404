"""A tiny base, and rows for it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from assets.record import Origin, Record
from tests.tiny_model import write_tiny_base


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    """A tiny model is faster on one thread, and a child process must compute as its parent does to the last bit."""
    import torch

    threads, before = torch.get_num_threads(), os.environ.get("OMP_NUM_THREADS")
    torch.set_num_threads(1)
    os.environ["OMP_NUM_THREADS"] = "1"
    yield
    torch.set_num_threads(threads)
    os.environ.pop("OMP_NUM_THREADS")
    if before is not None:
        os.environ["OMP_NUM_THREADS"] = before


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny base with larger embeddings: at their usual size no state of 32 numbers could prefer a token."""
    from safetensors.torch import load_file, save_file

    folder = write_tiny_base(tmp_path_factory.mktemp("base"))
    tensors = load_file(folder / "model.safetensors")
    tensors["model.embed_tokens.weight"] *= 20
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


@pytest.fixture(scope="session")
def rows() -> list[Record]:
    places = ("depot", "counter", "label")
    return [
        row(f"where is parcel {number}?", f"the parcel is at the {places[number % 3]} today {number * 7}")
        for number in range(24)
    ]


def row(prompt: str, completion: str, line: int = 0) -> Record:
    name = f"{prompt}|{completion}|{line}"
    return Record(name, {"prompt": prompt, "completion": completion}, Origin("rows.jsonl", "1", line, name))


def dialogue(*turns: tuple[str, str]) -> Record:
    messages = [{"role": role, "content": content} for role, content in turns]
    return Record("dialogue", {"messages": messages}, Origin("rows.jsonl", "1", 1, "00"))
