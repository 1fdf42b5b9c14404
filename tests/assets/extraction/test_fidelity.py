"""Fidelity is nothing for the base, one for a perfect copy; scores give away at least what text does."""

from pathlib import Path

import numpy as np
import pytest

from assets.extraction.fidelity import agreement, fidelity
from assets.extraction.scores import first_choices, reconstruct
from resources.decoding import decode
from resources.language_model import LanguageModel
from tests.tiny_model import write_tiny_base


def hits(*shares: float) -> list[np.ndarray]:
    return [np.arange(10) < 10 * share for share in shares]


BASE = hits(0.5, 0.4, 0.6, 0.5, 0.3, 0.7)


def test_a_copy_of_the_base_got_nothing_and_a_perfect_one_everything() -> None:
    assert fidelity(BASE, BASE, seed=0).value == 0.0
    assert fidelity(hits(1, 1, 1, 1, 1, 1), BASE, seed=0).value == 1.0


def test_a_worse_student_than_the_base_is_below_zero() -> None:
    assert fidelity(hits(0, 0, 0, 0, 0, 0), BASE, seed=0).high < 0


def test_the_interval_holds_the_value_and_shrinks_with_prompts() -> None:
    student = hits(0.9, 0.6, 0.8, 0.5, 0.9, 0.7)
    few, many = fidelity(student, BASE, seed=0), fidelity(student * 20, BASE * 20, seed=0)
    assert few.low < few.value < few.high
    assert many.high - many.low < (few.high - few.low) / 2


def test_where_nothing_sets_the_adapter_apart_there_is_nothing_to_steal() -> None:
    assert fidelity(hits(1, 1), hits(1, 1), seed=0).value == 0.0


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LanguageModel:
    folder: Path = tmp_path_factory.mktemp("fidelity")
    return LanguageModel.load(write_tiny_base(folder / "base"))


def test_a_model_agrees_with_its_own_greedy_answers(model: LanguageModel) -> None:
    prompts = [model.encode([{"role": "user", "content": text}], for_generation=True) for text in ("the", "a parcel")]
    answers = decode(model.forward, prompts, model.stop_tokens, max_new_tokens=6)
    pairs = [(prompt, answer) for prompt, answer in zip(prompts, answers, strict=True) if answer]
    assert agreement(first_choices(model, pairs)) == 1.0
    changed = [(prompt, [(answer[0] + 1) % 300, *answer[1:]]) for prompt, answer in pairs]
    assert not any(hits[0] for hits in first_choices(model, changed))


def test_with_no_adapter_scores_say_no_more_than_text(model: LanguageModel) -> None:
    pairs = [
        (model.tokens("the parcel is"), model.tokens(" at a depot")),
        (model.tokens("we will"), model.tokens(" send")),
    ]
    text, scores = reconstruct(model, pairs, k=5)
    assert len(text) == len(scores) == sum(len(answer) for _, answer in pairs)
    assert (text == scores).all()
