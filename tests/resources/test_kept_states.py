"""What a base makes of rows that come again is computed once: the next candidate finds it, and gets the same numbers."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch

from resources.kept_states import KeptStates
from resources.language_model import LanguageModel
from tests.resources.test_trunk import PAIRS, adapter_in, runs
from tests.tiny_model import write_tiny_base

LAYERS = {"last": [1], "all": None}


@dataclass(frozen=True)
class Models:
    """A base, adapters in its last layer and in all, and what each says where nothing is kept."""

    base: Path
    adapters: dict[str, Path]
    said: dict[str, list[np.ndarray]]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    folder = tmp_path_factory.mktemp("models")
    base = write_tiny_base(folder / "base")
    adapters = {name: adapter_in(base, folder / name, layers) for name, layers in LAYERS.items()}
    said = {name: score(LanguageModel.load(base, adapter), again=True) for name, adapter in adapters.items()}
    return Models(base, adapters, said)


def score(model: LanguageModel, *, again: bool) -> list[np.ndarray]:
    adapter, plain = model.both(lambda: model.score(PAIRS), again=again)
    return [*adapter, *plain]


def files(cache: Path) -> list[Path]:
    return sorted(cache.rglob("*.safetensors"))


def same(ours: list[np.ndarray], theirs: list[np.ndarray]) -> None:
    for left, right in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize(("name", "other", "layers_run"), [("last", "all", [0, 1]), ("all", "last", [1, 1])])
def test_the_next_candidate_computes_only_what_its_adapter_changes(
    models: Models, tmp_path: Path, name: str, other: str, layers_run: list[int]
) -> None:
    model = LanguageModel.load(models.base, models.adapters[name], cache=tmp_path)
    same(score(model, again=True), models.said[name])
    counts = runs(model)
    same(score(model, again=True), models.said[name])
    assert counts == layers_run
    same(score(LanguageModel.load(models.base, models.adapters[other], cache=tmp_path), again=True), models.said[other])


def test_what_is_not_asked_again_is_not_kept_and_what_was_damaged_is_computed_again(
    models: Models, tmp_path: Path
) -> None:
    model = LanguageModel.load(models.base, models.adapters["last"], cache=tmp_path)
    score(model, again=False)
    assert not files(tmp_path)
    score(model, again=True)
    assert files(tmp_path)
    for path in files(tmp_path):
        path.write_bytes(path.read_bytes()[:50])
    same(score(model, again=True), models.said["last"])


def test_another_base_and_another_type_of_number_find_nothing(models: Models, tmp_path: Path) -> None:
    other, states, cpu = write_tiny_base(tmp_path / "other", hidden=64), torch.ones(1, 2, 3), torch.device("cpu")
    kept = KeptStates.of(models.base, tmp_path, torch.float32, cpu)
    assert kept is not None
    kept.put(b"row", states)
    for base, dtype, found in (
        (models.base, torch.float32, True), (other, torch.float32, False), (models.base, torch.bfloat16, False),
    ):  # fmt: skip
        shelf = KeptStates.of(base, tmp_path, dtype, cpu)
        assert shelf is not None and (shelf.get(b"row") is not None) is found
    assert KeptStates.of(models.base, None, torch.float32, cpu) is None
    assert KeptStates.of(models.base, tmp_path, torch.float32, torch.device("cuda")) is None


def test_what_was_not_asked_for_longest_makes_room(tmp_path: Path) -> None:
    shelf = KeptStates(tmp_path, room=10_000)
    states = torch.arange(1000, dtype=torch.float32).view(1, 10, 100)
    shelf.put(b"first", states)
    shelf.put(b"second", states)
    shelf.put(b"fourth", states)
    assert len(files(tmp_path)) == 2, "what was asked for today stays"
    os.utime(files(tmp_path)[0], (1, 1))
    os.utime(files(tmp_path)[1], (2, 2))
    oldest = next(name for name in (b"first", b"second") if shelf._path(name) == files(tmp_path)[0])
    shelf.get(oldest)  # asked for: now the other has waited longest
    shelf.put(b"third", states)
    kept = [name for name in (b"first", b"second", b"third") if shelf.get(name) is not None]
    assert set(kept) == {oldest, b"third"}
    torch.testing.assert_close(shelf.get(b"third"), states, rtol=0, atol=0)
