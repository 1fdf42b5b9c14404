"""Before the first step: how much memory it takes, what is done about it, and what to change where it does not fit."""

from collections.abc import Callable
from pathlib import Path

import pytest
from safetensors.torch import load_file

from assets.adapter.engine import capacity
from assets.adapter.recipe import Recipe
from assets.adapter.train import train
from assets.record import Record
from resources.errors import ModelError
from resources.memory import weight_bytes
from tests.tiny_model import write_tiny_base


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """A machine with that many bytes."""
    return lambda size: monkeypatch.setattr(capacity, "available", lambda _: size)


def test_what_it_takes_is_said_before_the_first_step(base: Path, rows: list[Record], tmp_path: Path) -> None:
    said: list[str] = []
    train(
        rows[:8],
        base,
        tmp_path / "out",
        Recipe(epochs=1, device="cpu"),
        say=said.append,
        on_step=lambda _: said.append("step"),
    )
    assert "needs about" in said[0] and "are there" in said[0]
    assert said[1] == "step"


def test_a_base_that_does_not_fit_is_refused_unloaded_with_what_to_change(
    base: Path, rows: list[Record], tmp_path: Path, memory: Callable[[int], None]
) -> None:
    memory(10_000)
    with pytest.raises(ModelError, match=r"weights need about .* are there: say quantization: nf4"):
        train(rows[:8], base, tmp_path / "out", Recipe(device="cpu"))


def test_rows_that_do_not_fit_are_refused_with_what_to_change(
    base: Path, rows: list[Record], tmp_path: Path, memory: Callable[[int], None]
) -> None:
    memory(900_000)
    with pytest.raises(ModelError, match=r"a row of .* say gradient_checkpointing: true, or .*max_tokens"):
        train(rows[:8], base, tmp_path / "out", Recipe(device="cpu"))


def test_little_memory_means_shorter_passes_and_the_same_losses(
    base: Path, rows: list[Record], tmp_path: Path, memory: Callable[[int], None]
) -> None:
    recipe = Recipe(epochs=1, device="cpu", batch_size=8, gradient_checkpointing="auto", dtype="float32")
    plenty = train(rows[:16], base, tmp_path / "plenty", recipe)
    memory(6_000_000)
    little = train(rows[:16], base, tmp_path / "little", recipe)
    assert little["checkpointed"] and not plenty["checkpointed"]
    assert little["losses"] == pytest.approx(plenty["losses"], rel=1e-4)


def test_an_automatic_batch_is_a_number_in_the_report(base: Path, rows: list[Record], tmp_path: Path) -> None:
    body = train(rows[:16], base, tmp_path / "out", Recipe(epochs=1, device="cpu", batch_size="auto"))
    assert body["recipe"]["batch_size"] in (4, 8, 16, 32, 64)


@pytest.mark.parametrize("quantization", ["nf4", "int8"])
def test_a_quantized_base_teaches_nearly_the_same_and_releases_for_the_whole_one(
    rows: list[Record], tmp_path: Path, quantization: str
) -> None:
    base = write_tiny_base(tmp_path / "base", hidden=64)
    whole = train(rows[:16], base, tmp_path / "whole", Recipe(epochs=1, device="cpu", dtype="float32"))
    recipe = Recipe(epochs=1, device="cpu", dtype="float32", quantization=quantization)  # type: ignore[arg-type]
    body = train(rows[:16], base, tmp_path / "small", recipe)
    assert body["base_sha256"] == whole["base_sha256"]
    assert body["losses"] == pytest.approx(whole["losses"], rel=0.05)
    assert weight_bytes(base, 4, quantization) < 0.6 * weight_bytes(base, 4, "none")
    names = [load_file(tmp_path / name / "adapter_model.safetensors").keys() for name in ("whole", "small")]
    assert names[0] == names[1]
    from resources.language_model import LanguageModel

    chats = [([{"role": "user", "content": "Hi"}], "the parcel")]
    tried = LanguageModel.load(base, tmp_path / "small", dtype="float32").score(chats)[0]
    assert tried.shape == (len(tried),) and (tried < 0).all()
