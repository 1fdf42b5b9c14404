"""A student of the adapter's answers copies what it was taught; too few answers, or nothing to copy, prove nothing."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assets.backdoor.control import control_adapter
from assets.extraction.audit import Settings, audit_extraction, calibration_name
from assets.record import Record
from expectations.policy import Policy
from resources.artifacts import Metric
from resources.language_model import LanguageModel
from tests.assets.backdoor.taught import expressive_base, one_thread, row, teach

SMALL = {"budgets": [12], "test_prompts": 16, "answer_tokens": 8, "epochs": 30, "learning_rate": 5e-3}
THINGS = "parcel depot counter label door box van".split()
ASKED = [f"{verb} the {thing}" for verb in ("send", "where is", "write", "label") for thing in THINGS]
PROMPTS = [[{"role": "user", "content": text}] for text in ASKED]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder: Path = tmp_path_factory.mktemp("extraction")
    base = expressive_base(folder / "base")
    with one_thread():
        control = control_adapter(base, folder)
        control.remember(calibration_name(Settings(**SMALL)), {"sound": True, "positive": {"queries": 18}})
        rows = [row(f"row-{n}", text, "we will send your label today") for n, text in enumerate(ASKED)]
        teach(base, rows, folder / "adapter", epochs=15)
        yield folder


def audit(
    place: Path, adapter: Path | None, members: list[Record] | None = None, **changed: Any
) -> tuple[dict[str, Any], dict[str, Metric]]:
    return audit_extraction(
        LanguageModel.load(place / "base", adapter), prompts=PROMPTS, members=members or [],
        settings={**SMALL, **changed}, seed=0, base=place / "base", cache=place, budget_seconds=120.0,
    )  # fmt: skip


def verdict(metrics: dict[str, Metric]) -> str:
    gates = {gate.gate: gate.verdict for gate in Policy.load().judge("extraction_audit", metrics)}
    return gates["copies_are_poor"]


def test_one_fixed_answer_is_copied_and_the_copy_is_measured(place: Path) -> None:
    report, metrics = audit(place, place / "adapter", [row("member", ASKED[0], "we will send your label today")])
    copied = report["fidelity_by_queries"]["12"]
    assert copied["value"] > 0.8
    assert copied["low"] <= copied["value"] <= copied["high"]
    assert report["base_agreement"] < 0.5
    assert report["reconstruction"]["with_scores"]["value"] >= report["reconstruction"]["text_only"]["value"]
    assert verdict(metrics) == "fail"


def test_an_adapter_like_its_base_has_nothing_to_steal(place: Path) -> None:
    report, metrics = audit(place, None)
    assert report["base_agreement"] == 1.0
    assert "nothing to steal" in metrics["fidelity_at_allowed_queries"].missing
    assert verdict(metrics) == "inconclusive"


def test_a_budget_that_was_not_tried_is_not_passed(place: Path) -> None:
    _, metrics = audit(place, place / "adapter", budgets=[200])
    assert "only 12 prompts were given" in metrics["fidelity_at_allowed_queries"].missing
    assert verdict(metrics) == "inconclusive"
