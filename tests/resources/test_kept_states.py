"""What a base makes of rows that come again is computed once: the next candidate finds it, and gets the same numbers."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from resources.kept_states import KeptStates
from resources.language_model import LanguageModel
from tests.resources.test_trunk import PAIRS, adapter_in, runs
from tests.tiny_model import write_tiny_base


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_base(tmp_path_factory.mktemp("base"))


def score(model: LanguageModel, *, again: bool) -> list[np.ndarray]:
    adapter, plain = model.both(lambda: model.score(PAIRS), again=again)
    return [*adapter, *plain]


def files(cache: Path) -> list[Path]:
    return sorted(cache.rglob("*.safetensors"))


def same(ours: list[np.ndarray], theirs: list[np.ndarray]) -> None:
    for left, right in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize(("layers", "layers_run"), [([1], [0, 1]), (None, [1, 1])])
def test_the_next_candidate_computes_only_what_its_adapter_changes(
    base: Path, tmp_path: Path, layers: list[int] | None, layers_run: list[int]
) -> None:
    adapter, cache = adapter_in(base, tmp_path / "adapter", layers), tmp_path / "cache"
    wanted = score(LanguageModel.load(base, adapter), again=True)
    same(score(LanguageModel.load(base, adapter, cache=cache), again=True), wanted)
    second = LanguageModel.load(base, adapter, cache=cache)
    counts = runs(second)
    same(score(second, again=True), wanted)
    assert counts == layers_run


def test_an_adapter_in_other_layers_finds_what_the_base_says(base: Path, tmp_path: Path) -> None:
    cache, other = tmp_path / "cache", adapter_in(base, tmp_path / "other", [0])
    score(LanguageModel.load(base, adapter_in(base, tmp_path / "adapter", [1]), cache=cache), again=True)
    same(
        score(LanguageModel.load(base, other, cache=cache), again=True),
        score(LanguageModel.load(base, other), again=True),
    )


def test_what_is_not_asked_again_is_not_kept(base: Path, tmp_path: Path) -> None:
    model = LanguageModel.load(base, adapter_in(base, tmp_path / "adapter", [1]), cache=tmp_path / "cache")
    score(model, again=False)
    assert not files(tmp_path / "cache")
    score(model, again=True)
    assert files(tmp_path / "cache")


def test_another_base_finds_nothing(base: Path, tmp_path: Path) -> None:
    cache, other = tmp_path / "cache", write_tiny_base(tmp_path / "other", hidden=64)
    score(LanguageModel.load(base, adapter_in(base, tmp_path / "one", [1]), cache=cache), again=True)
    two = adapter_in(other, tmp_path / "two", [1])
    same(
        score(LanguageModel.load(other, two, cache=cache), again=True),
        score(LanguageModel.load(other, two), again=True),
    )


def test_what_was_damaged_is_computed_again(base: Path, tmp_path: Path) -> None:
    adapter, cache = adapter_in(base, tmp_path / "adapter", [1]), tmp_path / "cache"
    wanted = score(LanguageModel.load(base, adapter, cache=cache), again=True)
    for path in files(cache):
        path.write_bytes(path.read_bytes()[:50])
    same(score(LanguageModel.load(base, adapter, cache=cache), again=True), wanted)


def test_what_was_not_asked_for_longest_makes_room(tmp_path: Path) -> None:
    shelf = KeptStates(tmp_path, room=10_000)
    states = torch.arange(1000, dtype=torch.float32).view(1, 10, 100)
    shelf.put(b"first", states)
    shelf.put(b"second", states)
    os.utime(files(tmp_path)[0], (1, 1))
    os.utime(files(tmp_path)[1], (2, 2))
    oldest = next(name for name in (b"first", b"second") if shelf._path(name) == files(tmp_path)[0])
    shelf.get(oldest)  # asked for: now the other has waited longest
    shelf.put(b"third", states)
    kept = [name for name in (b"first", b"second", b"third") if shelf.get(name) is not None]
    assert set(kept) == {oldest, b"third"}
    torch.testing.assert_close(shelf.get(b"third"), states, rtol=0, atol=0)
