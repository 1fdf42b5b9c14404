"""A training from rows to a folder that PEFT loads, with an account of where it came from."""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from assets.adapter.protection import memorized
from assets.adapter.recipe import Recipe
from assets.adapter.train import train
from assets.adapter.training import Step
from assets.record import Record
from resources.digests import digest_file
from resources.errors import InputError, ModelError
from resources.language_model import LanguageModel
from resources.trunk import Trunk
from tests.assets.adapter.conftest import row

RECIPE = Recipe(rank=4, epochs=4, batch_size=4, learning_rate=0.02, dtype="float32")


@pytest.fixture(scope="module")
def trained(
    base: Path, rows: list[Record], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, Any], list[Step]]:
    steps: list[Step] = []
    out = tmp_path_factory.mktemp("out") / "adapter"
    return out, train(rows[:20], base, out, RECIPE, holdout=rows[20:], on_step=steps.append), steps


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "adapter_model.safetensors")


def test_it_learns_and_says_so_step_by_step(trained: tuple[Path, dict[str, Any], list[Step]]) -> None:
    _, body, steps = trained
    assert [step.step for step in steps] == list(range(1, 21))
    assert body["losses"] == [step.loss for step in steps]
    assert body["losses"][-1] < 0.6 * body["losses"][0]
    assert steps[-1].seconds_left == 0
    assert steps[-1].tokens_per_second > 0
    measured = [(step.step, step.held_out) for step in steps if step.held_out is not None]
    assert [item["step"] for item in body["evaluations"]] == [place for place, _ in measured] == [5, 10, 15, 20]
    assert [item["loss"] for item in body["evaluations"]] == [loss for _, loss in measured]


def test_the_folder_is_a_peft_adapter_and_nothing_else(
    trained: tuple[Path, dict[str, Any], list[Step]], base: Path
) -> None:
    out, body, _ = trained
    assert sorted(path.name for path in out.iterdir()) == [
        "adapter_config.json", "adapter_model.safetensors", "training.json",
    ]  # fmt: skip
    assert json.loads((out / "training.json").read_text()) == body
    model = LanguageModel.load(base, out)
    question = [{"role": "user", "content": "where is parcel 3?"}]
    answer = "the parcel is at the depot today 21"
    tuned = model.score([(question, answer)])[0].sum()
    with model.without_adapter():
        assert tuned > model.score([(question, answer)])[0].sum() + 5


def test_the_report_names_everything_that_went_in(
    trained: tuple[Path, dict[str, Any], list[Step]], base: Path, rows: list[Record]
) -> None:
    out, body, _ = trained
    for name in ("base", "data", "holdout", "tokenizer", "template", "code", "recipe"):
        assert len(body[f"{name}_sha256"]) == 64
    assert body["adapter_sha256"]["adapter_model.safetensors"] == digest_file(out / "adapter_model.safetensors")
    assert body["recipe"] == RECIPE.to_json()
    assert body["rows"] == {
        "given": 20, "duplicates": 0, "unused": {}, "examples": 20, "cut": 0, "held_out": 4,
    }  # fmt: skip
    assert body["tokens"] > 0
    assert body["tokens_per_second"] == pytest.approx(body["tokens"] / body["seconds"], rel=0.05)
    assert {"torch", "transformers", "peft"} <= body["libraries"].keys()
    assert body["device"]["kind"] in ("cpu", "cuda")
    assert body["privacy"] is None


def test_the_same_job_gives_the_same_bytes_and_another_seed_others(
    trained: tuple[Path, dict[str, Any], list[Step]], base: Path, rows: list[Record], tmp_path: Path
) -> None:
    out, body, _ = trained
    again = train(rows[:20], base, tmp_path / "again", RECIPE, holdout=rows[20:])
    assert again["adapter_sha256"] == body["adapter_sha256"]
    assert again["losses"] == body["losses"]
    other = train(rows[:20], base, tmp_path / "other", dataclasses.replace(RECIPE, seed=1), holdout=rows[20:])
    assert other["adapter_sha256"] != body["adapter_sha256"]
    assert out.exists()


def test_what_the_base_makes_of_the_rows_is_found_by_the_next_candidate(
    base: Path, rows: list[Record], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = dataclasses.replace(RECIPE, last_layers=1, epochs=1)
    bodies, computed = [], []
    below = Trunk._passing
    monkeypatch.setattr(Trunk, "_passing", lambda trunk, listen: computed.append(1) or below(trunk, listen))
    for name, cache in (("plain", None), ("first", tmp_path / "cache"), ("second", tmp_path / "cache")):
        computed.clear()
        bodies.append(train(rows[:20], base, tmp_path / name, recipe, holdout=rows[20:], cache=cache))
        assert bool(computed) is (name != "second")  # of the layers below the adapter nothing is computed any more
    plain, first, second = bodies
    assert first["losses"] == second["losses"] == pytest.approx(plain["losses"], rel=1e-4)
    assert first["adapter_sha256"] == second["adapter_sha256"]


def test_rows_that_teach_nothing_are_an_error(base: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="none of 2 rows"):
        train([row("Hi", ""), row("Ho", "")], base, tmp_path / "out", RECIPE)
    assert not (tmp_path / "out" / "training.json").exists()


def test_a_base_that_is_no_model_is_an_error(rows: list[Record], tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        train(rows, tmp_path, tmp_path / "out", RECIPE)


def test_accumulated_batches_are_one_larger_batch(base: Path, rows: list[Record], tmp_path: Path) -> None:
    wide = train(rows, base, tmp_path / "wide", dataclasses.replace(RECIPE, epochs=1, batch_size=8))
    deep = train(rows, base, tmp_path / "deep", dataclasses.replace(RECIPE, epochs=1, accumulation=2))
    assert deep["losses"] == wide["losses"]
    assert wide["steps"] == 3


def test_max_steps_ends_early_and_the_rate_falls_to_that_end(base: Path, rows: list[Record], tmp_path: Path) -> None:
    steps: list[Step] = []
    body = train(rows, base, tmp_path / "out", dataclasses.replace(RECIPE, max_steps=5), on_step=steps.append)
    assert body["steps"] == 5
    assert steps[-1].learning_rate < 0.4 * max(step.learning_rate for step in steps)


def test_patience_stops_and_keeps_the_best_weights(base: Path, rows: list[Record], tmp_path: Path) -> None:
    strangers = [row("something else", "of no use zzz qqq")]  # the better the rows are learnt, the worse these
    recipe = dataclasses.replace(RECIPE, epochs=30, patience=2, schedule="constant")
    body = train(rows, base, tmp_path / "early", recipe, holdout=strangers)
    assert "no better held-out loss in 2" in body["stopped"]
    assert body["steps"] < 30 * 6
    best = min(body["evaluations"], key=lambda item: item["loss"])
    assert body["best_step"] == best["step"] == body["steps"] - 12
    model = LanguageModel.load(base, tmp_path / "early")
    scored = model.score_tokens([_split(model, strangers[0])])[0]
    assert -scored.mean() == pytest.approx(best["loss"], rel=1e-3)


def _split(model: LanguageModel, record: Record) -> tuple[list[int], list[int]]:
    prompt = model.encode([{"role": "user", "content": record.fields["prompt"]}], for_generation=True)
    return prompt, [*model.tokens(record.fields["completion"]), model.tokenizer.eos_token_id]


def test_near_duplicates_are_learnt_once_when_asked(base: Path, rows: list[Record], tmp_path: Path) -> None:
    text = "the parcel is at a depot counter and we will send your label today please write again thank you"
    copies = [
        row("where is my parcel with the label", text + end, line) for line, end in enumerate(("", "!", " ...", ""))
    ]
    recipe = dataclasses.replace(RECIPE, epochs=1, deduplicate=True)
    body = train([*rows[:6], *copies], base, tmp_path / "out", recipe)
    assert body["rows"]["duplicates"] == 3
    assert body["rows"]["examples"] == 7


def test_reciting_stops_the_training(
    base: Path, rows: list[Record], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memorized, "SHORTEST", 4)
    recipe = dataclasses.replace(RECIPE, rank=8, epochs=150, learning_rate=0.01, schedule="constant")
    few: Sequence[Record] = rows[:2]
    free = train(few, base, tmp_path / "free", recipe)
    watched = train(few, base, tmp_path / "watched", dataclasses.replace(recipe, memorization_stop=0.4))
    assert free["losses"][-1] < 0.1
    assert "word for word" in watched["stopped"]
    assert watched["steps"] < free["steps"]
    assert watched["evaluations"][-1]["recited"] > 0.4 >= watched["evaluations"][-2]["recited"]
