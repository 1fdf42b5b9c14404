"""A person's correction weighs what the recipe says, and the account of the training names who made it."""

import dataclasses
from pathlib import Path

import pytest
import torch

from assets.adapter.engine.learner import Learner
from assets.adapter.recipe import Recipe
from assets.adapter.rows.corrections import account, corrections_first, weighed
from assets.adapter.rows.dialogues import read_dialogues
from assets.adapter.train import train
from assets.record import Record
from resources.base_model import load_tokenizer
from resources.language_model import LanguageModel
from tests.assets.adapter.conftest import row

DROP = "20261124-feedback"
RECIPE = Recipe(rank=4, epochs=4, batch_size=4, learning_rate=0.02, dtype="float32")
ASKED, WRONG, RIGHT = "where is my parcel?", "the parcel is at the depot", "we will send your label today"


def correction(prompt: str, answer: str, reviewer: str = "ada") -> Record:
    made = row(prompt, answer, 1)
    return dataclasses.replace(made, origin=dataclasses.replace(made.origin, drop=DROP, author=reviewer))


@pytest.fixture(scope="module")
def disputed(rows: list[Record]) -> list[Record]:
    """Rows among which one question is answered wrongly twice and, once, as a person corrected it."""
    return [*rows[:8], row(ASKED, WRONG, 2), row(ASKED, WRONG, 3), correction(ASKED, RIGHT)]


def preference(base: Path, adapter: Path) -> float:
    """By how many nats the corrected answer is ahead of the wrong one."""
    model = LanguageModel.load(base, adapter)
    question = [{"role": "user", "content": ASKED}]
    right, wrong = (model.score([(question, answer)])[0].sum() for answer in (RIGHT, WRONG))
    return float(right - wrong)


def test_a_heavier_correction_is_learnt_better(base: Path, disputed: list[Record], tmp_path: Path) -> None:
    found = []
    for weight in (1.0, 8.0):
        out = tmp_path / str(weight)
        train(disputed, base, out, dataclasses.replace(RECIPE, correction_weight=weight), corrections=[DROP])
        found.append(preference(base, out))
    assert found[1] > found[0] + 1


def test_at_weight_one_a_correction_is_a_row_like_any_other_to_the_last_bit(
    base: Path, disputed: list[Record], tmp_path: Path
) -> None:
    recipe = dataclasses.replace(RECIPE, correction_weight=1.0, goldfish=4, anchor=0.1)
    plain = train(disputed, base, tmp_path / "plain", recipe)
    named = train(disputed, base, tmp_path / "named", recipe, corrections=[DROP])
    assert named["adapter_sha256"] == plain["adapter_sha256"]
    assert named["losses"] == plain["losses"]
    heavy = train(
        disputed, base, tmp_path / "heavy", dataclasses.replace(recipe, correction_weight=2.0), corrections=[DROP]
    )
    assert heavy["adapter_sha256"] != plain["adapter_sha256"]


def test_without_corrections_the_weight_changes_nothing(base: Path, rows: list[Record], tmp_path: Path) -> None:
    light, heavy = (
        train(rows[:8], base, tmp_path / str(weight), dataclasses.replace(RECIPE, epochs=1, correction_weight=weight))
        for weight in (1.0, 8.0)
    )
    assert light["adapter_sha256"] == heavy["adapter_sha256"]


def test_the_gradient_is_that_of_the_weighted_sum_and_losses_stay_comparable(
    base: Path, disputed: list[Record]
) -> None:
    tokenizer = load_tokenizer(base)
    examples = read_dialogues(disputed, tokenizer, frozenset({tokenizer.eos_token_id}), 512).examples
    heavy = tuple(weighed(examples, disputed, [DROP], 3.0))

    def gradient(batch: tuple, times: float = 1.0) -> tuple[torch.Tensor, Learner]:
        learner = Learner(base, RECIPE)
        with torch.no_grad():
            for parameter in learner.parameters:
                parameter.fill_(0.05)
        learner.accumulate(batch, seed=0)
        return times * torch.cat([parameter.grad.flatten() for parameter in learner.parameters]), learner

    others, corrected = examples[:-1], examples[-1:]
    wanted = gradient(others)[0] + gradient(corrected, 3.0)[0]
    found, learner = gradient(heavy)
    torch.testing.assert_close(found, wanted, rtol=1e-3, atol=1e-4)
    plain, weighty = learner.accumulate(examples, seed=0), learner.accumulate(heavy, seed=0)
    assert weighty.mean == plain.mean and weighty.tokens == plain.tokens == plain.weight
    assert weighty.weight == plain.tokens + 2 * examples[-1].labels
    assert learner.loss(heavy) == learner.loss(examples)  # the held-out loss counts every token once


def test_the_report_says_whose_corrections_were_learnt(base: Path, disputed: list[Record], tmp_path: Path) -> None:
    rows = [*disputed, correction("and the label?", "at the counter", "ben"), correction("and the van?", "")]
    body = train(rows, base, tmp_path / "out", dataclasses.replace(RECIPE, epochs=1), corrections=[DROP])
    assert body["corrections"] == {
        "rows": 3, "examples": 2, "weight": 2.0, "by_reviewer": {"ada": 2, "ben": 1}, "drops": [DROP],
    }  # fmt: skip


def test_what_nobody_answers_for_gets_no_weight(base: Path, rows: list[Record]) -> None:
    anonymous = correction(ASKED, RIGHT, reviewer="")
    tokenizer = load_tokenizer(base)
    examples = read_dialogues([anonymous], tokenizer, frozenset({tokenizer.eos_token_id}), 512).examples
    assert tuple(weighed(examples, [anonymous], [DROP], 4.0)) == examples
    assert account(examples, [anonymous], [DROP], 4.0)["rows"] == 0
    named = dataclasses.replace(anonymous, origin=dataclasses.replace(anonymous.origin, author="ada"))
    assert tuple(weighed(examples, [named], ["another-drop"], 4.0)) == examples


def test_of_near_duplicates_the_corrected_one_is_kept(base: Path, rows: list[Record], tmp_path: Path) -> None:
    text = "the parcel is at a depot counter and we will send your label today please write again thank you"
    copies = [
        row("where is my parcel with the label", text),
        correction("where is my parcel with the label", text + "!"),
    ]
    assert list(corrections_first([*rows[:3], *copies], [DROP])) == [copies[1], *rows[:3], copies[0]]
    recipe = dataclasses.replace(RECIPE, epochs=1, deduplicate=True)
    body = train([*rows[:6], *copies], base, tmp_path / "out", recipe, corrections=[DROP])
    assert (body["rows"]["duplicates"], body["corrections"]["examples"]) == (1, 1)
