"""Rows that join and leave a running batch say what they would have said alone."""

from typing import Any

import pytest
import torch
from tiny_model import write_tiny_base

from resources.continuous_batching import ContinuousBatch, Row
from resources.decoding import decode
from resources.language_model import LanguageModel


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LanguageModel:
    return LanguageModel.load(write_tiny_base(tmp_path_factory.mktemp("base")), dtype="float32")


TEXTS = ("the parcel", "we will send your label today please", "thank you", "sorry the depot is at a counter", "a")


@pytest.mark.parametrize("decoding", ["packed", "cached", "whole"])
def test_joining_late_changes_no_answer(model: LanguageModel, decoding: Any) -> None:
    prompts = [model.encode([{"role": "user", "content": text}], for_generation=True) for text in TEXTS]
    alone = decode(model.forward, prompts, frozenset(), max_new_tokens=90)
    assert model.forward.decoding == "packed"
    model.forward.decoding = decoding
    try:
        with torch.inference_mode():
            batch = ContinuousBatch(model.forward, frozenset())
            rows = [Row(prompt, 90 - 20 * place) for place, prompt in enumerate(prompts)]
            batch.join(rows[:2])
            for place, row in enumerate(rows[2:]):
                for _ in range(7 + 30 * place):
                    batch.step()
                batch.join([row])
            gone = Row(prompts[0], 90)
            batch.join([gone])
            batch.step()
            batch.drop([gone])
            while batch.rows:
                batch.step()
    finally:
        model.forward.decoding = "packed"
    assert [row.made for row in rows] == [said[: row.most] for said, row in zip(alone, rows, strict=True)]
    assert {row.ended for row in rows} == {"length"} and gone.ended == "dropped"


def test_a_sample_depends_on_its_seed_and_not_on_its_company(model: LanguageModel) -> None:
    prompt = model.encode([{"role": "user", "content": TEXTS[0]}], for_generation=True)

    def said(seed: int, company: int, **more: float) -> list[int]:
        row = Row(prompt, 20, temperature=1.0, seed=seed, **more)
        with torch.inference_mode():
            batch = ContinuousBatch(model.forward, frozenset())
            batch.join([row, *(Row(prompt, 20) for _ in range(company))])
            while batch.rows:
                batch.step()
        return row.made

    assert said(1, 0) == said(1, 3) != said(2, 0)
    greedy = decode(model.forward, [prompt], frozenset(), max_new_tokens=20)[0]
    assert said(1, 0, top_p=1e-6) == greedy
