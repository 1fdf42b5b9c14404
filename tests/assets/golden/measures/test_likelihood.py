"""Likelihood of given texts under both models: the numbers are those of the models' own forward passes."""

from pathlib import Path

import numpy as np
import pytest
import torch

from assets.golden.measures import likelihood
from assets.golden.measures.likelihood import Question, compare, openings, pick
from assets.golden.measures.multiple_choice import Ending, read_endings, run_endings
from resources.errors import InputError
from resources.language_model import LanguageModel
from tests.assets.golden.conftest import chat


def logs(model: LanguageModel, ids: list[int], *, tuned: bool) -> torch.Tensor:
    with torch.inference_mode():
        if tuned:
            return model.model(torch.tensor([ids])).logits[0].log_softmax(-1)
        with model.without_adapter():
            return model.model(torch.tensor([ids])).logits[0].log_softmax(-1)


def test_loss_and_divergence_are_those_of_two_models_side_by_side(model: LanguageModel) -> None:
    texts = [("Hi", "the parcel is at the depot"), ("Hi", "thank you"), ("Where?", "at the counter today"), ("Hi", "")]
    pairs = [(model.encode(chat(ask), for_generation=True), model.tokens(answer)) for ask, answer in texts]
    found = compare(model, pairs)
    for (prefix, tail), seen in zip(pairs, found, strict=True):
        assert seen.tokens == len(tail)
        if not tail:
            continue
        base, tuned = (logs(model, prefix + tail, tuned=on)[len(prefix) - 1 : -1] for on in (False, True))
        at = torch.tensor(tail)[:, None]
        assert seen.base == pytest.approx(-base.gather(1, at).mean().item(), abs=1e-4)
        assert seen.adapter == pytest.approx(-tuned.gather(1, at).mean().item(), abs=1e-4)
        assert seen.divergence == pytest.approx((tuned.exp() * (tuned - base)).sum(1).mean().item(), abs=1e-4)
        assert seen.divergence > 0


def test_an_adapter_that_changes_nothing_diverges_by_exactly_zero(identity: LanguageModel) -> None:
    prefix, tail = identity.encode(chat("Hi"), for_generation=True), identity.tokens("thank you for the parcel")
    (seen,) = compare(identity, [(prefix, tail)])
    assert seen.divergence == 0.0
    assert seen.base == seen.adapter


def test_odds_of_openings_are_sums_over_them(model: LanguageModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(likelihood, "REFUSING", ("sorry", "I am sorry", "I will not"))
    monkeypatch.setattr(likelihood, "COMPLYING", ("the", "we will", "today"))
    prompts = [model.encode(chat(ask), for_generation=True) for ask in ("Hi", "Where is my parcel?", "Hi")]
    for prompt, odds in zip(prompts, openings(model, prompts), strict=True):
        masses = []
        for texts in (likelihood.REFUSING, likelihood.COMPLYING):
            scores = [score.sum() for score in model.score_tokens([(prompt, model.tokens(text)) for text in texts])]
            masses.append(np.logaddexp.reduce(scores))
        assert odds == pytest.approx(masses[0] - masses[1], abs=1e-3)
    assert openings(model, []) == []


def test_a_choice_is_picked_by_probability_a_character(model: LanguageModel) -> None:
    prefix = model.encode(chat("Where is my parcel?"), for_generation=True)
    texts = ("at the depot", "today", "we will send your label")
    choices = tuple(model.tokens(text) for text in texts)
    sums = [score.sum() for score in model.score_tokens([(prefix, choice) for choice in choices])]
    widths = tuple(map(len, texts))
    expected = int(np.argmax([total / width for total, width in zip(sums, widths, strict=True)]))
    assert pick(model, [Question(prefix, choices, widths, 0)] * 3) == [expected] * 3


def test_endings_are_scored_as_a_harness_does(model: LanguageModel) -> None:
    item = Ending("the parcel is", ("at the depot", "thank you again", "sorry"), 1)
    result = run_endings(model, [item] * 2)
    context = model.tokens("the parcel is")
    scores = []
    for ending in item.endings:
        whole = model.tokens(f"the parcel is {ending}")
        rows = logs(model, whole, tuned=True)[len(context) - 1 : -1]
        scores.append(rows.gather(1, torch.tensor(whole[len(context) :])[:, None]).sum().item())
    lengths = [len(ending.encode()) for ending in item.endings]
    assert result.acc.adapter == float(int(np.argmax(scores)) == 1)
    normed = [score / length for score, length in zip(scores, lengths, strict=True)]
    assert result.acc_norm.adapter == float(int(np.argmax(normed)) == 1)
    assert result.acc.n == 2


@pytest.mark.parametrize(
    "line", ["{}", '{"ctx": "a", "endings": ["b"], "label": 1}', "nonsense", '{"ctx": "a", "endings": 3, "label": 0}']
)
def test_a_line_that_is_no_item_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "own.jsonl").write_text('{"ctx": "a", "endings": ["b", "c"], "label": 1}\n' + line)
    with pytest.raises(InputError, match=":2"):
        read_endings(tmp_path / "own.jsonl")
