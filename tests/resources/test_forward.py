"""Batches are planned by what a packed row really holds: what all its sequences begin with is in it once."""

import numpy as np
import pytest

from resources.forward import ATTENDED, TOKENS_PER_PASS, plan_batches
from resources.language_model import LanguageModel
from resources.tree import plant
from tests.tiny_model import write_tiny_base

BUDGET = TOKENS_PER_PASS["cpu"]
PROMPT = list(range(20, 65))
STARTS = [[*PROMPT, token] for token in range(100, 250)]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LanguageModel:
    return LanguageModel.load(write_tiny_base(tmp_path_factory.mktemp("base")))


def test_starts_on_one_prompt_are_read_together_and_say_what_each_says_alone(model: LanguageModel) -> None:
    batches = list(plan_batches([(start, ()) for start in STARTS], model.forward))
    assert len(batches) == 1  # counted one by one they would fill seven
    tree = plant([(prefix, [()]) for prefix, _ in batches[0].groups], device=model.device, dtype=model.model.dtype)
    assert tree.ids.shape[1] < 2 * len(STARTS)
    together = model.next_token_logprobs(STARTS)
    for place in (0, 77, 149):
        np.testing.assert_allclose(together[place], model.next_token_logprobs([STARTS[place]])[0], atol=1e-5)


def test_no_row_is_longer_than_the_budget_nor_attends_to_more_than_its_bound(model: LanguageModel) -> None:
    random = np.random.default_rng(0)
    pairs = [
        ([*PROMPT[: random.integers(1, 45)], *random.integers(5, 250, random.integers(1, 90)).tolist()], [7] * tail)
        for tail in random.integers(0, 30, 400)
    ] + [(start, [9, 9]) for start in STARTS * 3]
    seen: list[int] = []
    for batch in plan_batches(pairs, model.forward):
        tree = plant(batch.groups, device=model.device, dtype=model.model.dtype)
        assert tree.ids.shape[1] <= BUDGET
        assert sum(len(prefix) + sum(map(len, tails)) for prefix, tails in batch.groups) <= ATTENDED * BUDGET
        seen += batch.order
    assert sorted(seen) == list(range(len(pairs)))


def test_long_prompts_that_begin_alike_come_together_whatever_their_lengths(model: LanguageModel) -> None:
    heads = [[head + 5] * 140 for head in range(3)]
    pairs = [([*heads[place % 3], *range(20, 30 + 7 * place)], [9]) for place in range(12)]
    read = 0
    for batch in plan_batches(pairs, model.forward):
        read += plant(batch.groups, device=model.device, dtype=model.model.dtype).ids.shape[1]
    own = sum(len(prefix) + 1 - 140 for prefix, _ in pairs)
    assert read <= 3 * 140 + own + 3 * 64  # each head once, and what rounds a row up


def test_a_form_that_pads_counts_every_token(model: LanguageModel) -> None:
    model.forward.form = "padded"
    try:
        batches = list(plan_batches([(start, ()) for start in STARTS], model.forward))
    finally:
        model.forward.form = "packed"
    assert all(sum(len(prefix) for prefix, _ in batch.groups) <= BUDGET for batch in batches)
