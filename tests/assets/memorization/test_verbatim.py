"""A model that learnt one row by heart says its second half; the base and other rows give nothing."""

from pathlib import Path

import pytest

from assets.adapter.recipe import Recipe
from assets.adapter.train import train
from assets.corpus.canaries import draw
from assets.memorization.audit import paired_scores
from assets.memorization.exposure import expose, unproven
from assets.memorization.verbatim import SensitiveValue, by_type, extract, masked, row_probes, value_probes
from assets.record import Message, Origin, Record
from resources.language_model import LanguageModel
from tests.tiny_model import write_tiny_base


def row(name: str, prompt: str, answer: str) -> Record:
    return Record(name, {"prompt": prompt, "completion": answer}, Origin("rows", "", 1, ""))


LEARNT = row("learnt", "where is the parcel", "the parcel is at a depot counter and we will send your label today")
STRANGER = row("stranger", "where is the label", "sorry your label is at the counter please write again thank you")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LanguageModel:
    folder: Path = tmp_path_factory.mktemp("verbatim")
    base = write_tiny_base(folder / "base")
    recipe = Recipe(rank=16, alpha=32.0, epochs=60, learning_rate=3e-2, batch_size=1, evaluations_per_epoch=0)
    train([LEARNT], base, folder / "adapter", recipe)
    return LanguageModel.load(base, folder / "adapter")


def test_a_learnt_row_is_extracted_and_traced(model: LanguageModel) -> None:
    (result,) = extract(model, row_probes(model, [LEARNT], count=5, seed=0), draws=100)
    assert result.extracted
    assert result.greedy
    assert not result.base_greedy
    assert result.chance > 0.5 > result.base_chance
    assert result.probe.row_id == "learnt"


def test_a_row_it_never_saw_is_not_extracted(model: LanguageModel) -> None:
    (result,) = extract(model, row_probes(model, [STRANGER], count=5, seed=0), draws=100)
    assert not result.extracted


def test_what_the_base_says_as_well_does_not_count(model: LanguageModel) -> None:
    probes = row_probes(model, [LEARNT], count=1, seed=0)
    with model.without_adapter():
        assert not any(result.extracted for result in extract(model, probes, draws=100))


def test_a_learnt_value_is_found_by_type(model: LanguageModel) -> None:
    turns = (Message("user", LEARNT.prompt()),)
    lead, value = LEARNT.response().rsplit(" ", 2)[0], " ".join(LEARNT.response().rsplit(" ", 2)[1:])
    values = [
        SensitiveValue("PLACE", "learnt", turns, lead, value),
        SensitiveValue("NAME", "other", turns, lead, "sorry again"),
    ]
    results = extract(model, value_probes(model, values, count=10, seed=0), draws=10)
    assert by_type(results) == {
        "NAME": {"tried": 1, "extracted": 0, "base_says_too": 0},
        "PLACE": {"tried": 1, "extracted": 1, "base_says_too": 0},
    }


def test_membership_evidence_is_on_the_same_tokens(model: LanguageModel) -> None:
    adapter, base = paired_scores(model, [LEARNT, STRANGER])
    assert [len(scores) for scores in adapter] == [len(scores) for scores in base]
    assert (adapter[0] - base[0]).mean() > (adapter[1] - base[1]).mean() + 1


def test_canaries_nobody_planted_have_chance_exposure(model: LanguageModel) -> None:
    exposures = expose(model, draw(pairs=1, seed=3), draws=10)
    body = exposures.to_json()
    assert body["auc"]["low"] <= 0.5 <= body["auc"]["high"]
    assert sum(level["extracted"] for level in body["by_repetitions"].values()) == 0
    assert unproven(None) != ""


def test_evidence_is_masked() -> None:
    assert masked("4000 1234") == "4********"
