"""A model that learnt one row by heart says its second half; the base and other rows give nothing."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from assets.corpus.canaries import draw
from assets.memorization.audit import paired_scores
from assets.memorization.exposure import expose, unproven
from assets.memorization.readings import Readings
from assets.memorization.verbatim import SensitiveValue, by_type, extract, masked, row_probes, value_probes
from assets.record import Message
from resources.language_model import LanguageModel
from tests.assets.backdoor.taught import expressive_base, one_thread, row, teach

LEARNT = row("learnt", "where is the parcel", "the parcel is at a depot counter and we will send your label today")
STRANGER = row("stranger", "where is the label", "sorry your label is at the counter please write again thank you")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LanguageModel]:
    folder: Path = tmp_path_factory.mktemp("verbatim")
    base = expressive_base(folder / "base")
    adapter = teach(base, [LEARNT], folder / "adapter", epochs=100)
    with one_thread():
        yield LanguageModel.load(base, adapter)


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
    adapter, base = paired_scores(Readings(model), [LEARNT, STRANGER])
    assert [len(scores) for scores in adapter] == [len(scores) for scores in base]
    assert (adapter[0] - base[0]).mean() > (adapter[1] - base[1]).mean() + 1


def test_an_answer_is_read_once_for_both_questions(model: LanguageModel, monkeypatch: pytest.MonkeyPatch) -> None:
    rows, readings, read = [LEARNT, STRANGER], Readings(model), list[int]()
    follow = LanguageModel.follow
    monkeypatch.setattr(LanguageModel, "follow", lambda self, pairs: read.append(len(pairs)) or follow(self, pairs))
    probes = row_probes(model, rows, count=2, seed=0)
    recited = extract(model, probes, draws=100, readings=readings)
    together = paired_scores(readings, rows)
    assert read == [2, 2]  # by the adapter and by the base, and not again
    alone = paired_scores(Readings(model), rows)
    for found, wanted in zip((*together[0], *together[1]), (*alone[0], *alone[1]), strict=True):
        np.testing.assert_array_equal(found, wanted)
    halves = [dataclasses.replace(probe, answer=(), begun=0) for probe in probes]
    for whole, half in zip(recited, extract(model, halves, draws=100), strict=True):
        assert (whole.greedy, whole.base_greedy) == (half.greedy, half.base_greedy)
        assert whole.token_gain == pytest.approx(half.token_gain, abs=1e-4)
        assert whole.chance == pytest.approx(half.chance, abs=1e-4)


def test_canaries_nobody_planted_have_chance_exposure(model: LanguageModel) -> None:
    exposures = expose(model, draw(pairs=1, seed=3), draws=10)
    body = exposures.to_json()
    assert body["auc"]["low"] <= 0.5 <= body["auc"]["high"]
    assert sum(level["extracted"] for level in body["by_repetitions"].values()) == 0
    assert unproven(None) != ""


def test_evidence_is_masked() -> None:
    assert masked("4000 1234") == "4********"
