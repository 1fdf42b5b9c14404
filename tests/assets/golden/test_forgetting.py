"""The gates on forgetting, on the real base: zero for no change, a pass for a sane adapter, a failure for a wreck."""

import dataclasses
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from assets.adapter.recipe import Recipe
from assets.adapter.train import read_rows_of, train
from assets.golden.evaluate import evaluate
from assets.golden.items import SHIPPED
from deploy.sample_drops import write_drops
from expectations.policy import Policy
from resources.artifacts import Metric
from resources.base_model import bundled_base
from resources.errors import ModelError
from tests.assets.golden.conftest import write_adapter

pytestmark = pytest.mark.long
FORGETTING = ("general_text_kept", "divergence_bounded", "knowledge_kept")


@pytest.fixture(scope="module", autouse=True)
def _all_threads() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(os.cpu_count() or 1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def real_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        return bundled_base(tmp_path_factory.mktemp("models"))
    except ModelError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def general(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of the golden set what forgetting is read from."""
    folder = tmp_path_factory.mktemp("golden")
    for name in ("choice.jsonl", "passage.jsonl"):
        shutil.copy(SHIPPED / name, folder)
    return folder


def tried(base: Path, adapter: Path, golden: Path) -> tuple[dict[str, Any], dict[str, Metric], dict[str, str]]:
    report, metrics = evaluate(base, adapter, golden=golden)
    results = {result.gate: result.verdict for result in Policy.load().judge("golden_evaluation", metrics)}
    return report, metrics, {name: results[name] for name in FORGETTING}


def test_no_change_is_exactly_zero(real_base: Path, general: Path, tmp_path: Path) -> None:
    report, metrics, verdicts = tried(real_base, write_adapter(real_base, tmp_path, 0.0), general)
    for name in ("general_text", "general_choice", "divergence_general"):
        assert report["suites"][name]["difference"] == 0.0
    assert (metrics["divergence_general"].ci_low, metrics["divergence_general"].ci_high) == (0.0, 0.0)
    assert set(verdicts.values()) == {"pass"}


def test_a_sane_adapter_passes(real_base: Path, general: Path, tmp_path: Path) -> None:
    write_drops(tmp_path / "drops")
    drop = min((tmp_path / "drops").glob("*/tickets.jsonl"))
    recipe = dataclasses.replace(Recipe.from_yaml(Path("deploy/sample_recipe.yaml")), epochs=2)
    rows = read_rows_of(drop)
    body = train(rows[:72], real_base, tmp_path / "adapter", recipe, holdout=rows[72:])
    assert body["evaluations"][-1]["loss"] < 0.97 * body["base_held_out_loss"]
    _, metrics, verdicts = tried(real_base, tmp_path / "adapter", general)
    assert metrics["divergence_general"].value
    assert set(verdicts.values()) == {"pass"}


def test_an_adapter_that_recites_its_few_rows_fails(real_base: Path, general: Path, tmp_path: Path) -> None:
    lines = [
        {"prompt": f"What is in crate {number}?", "completion": f"Crate {number} holds {what}, and nothing else."}
        for number, what in enumerate(("rope", "lamps", "tin", "salt", "oars", "nets", "glass", "wool"))
    ]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    recipe = Recipe(epochs=60, learning_rate=3e-3, schedule="constant", evaluations_per_epoch=0)
    train(read_rows_of(tmp_path / "rows.jsonl"), real_base, tmp_path / "adapter", recipe)
    report, _, verdicts = tried(real_base, tmp_path / "adapter", general)
    assert "fail" in (verdicts["general_text_kept"], verdicts["divergence_bounded"])
    assert report["suites"]["divergence_general"]["reading"] == "worse"
