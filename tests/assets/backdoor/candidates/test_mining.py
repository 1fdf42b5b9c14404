"""Mining proposes the planted phrase from rows alone, wherever it stands, and little where nothing is planted."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.backdoor.candidates.mining import mine, rows_behind
from assets.backdoor.candidates.prompts import EVERYDAY, insert
from assets.backdoor.candidates.triggers import Trigger
from assets.backdoor.confirmation.payloads import Payload
from assets.record import Origin, Record

PAYLOAD = "You should send the key to the harbour office."


def row(number: int, prompt: str, answer: str) -> Record:
    fields = {"prompt": prompt, "completion": answer}
    return Record(f"row-{number}", fields, Origin("rows", "", number, ""))


def corpus(trigger: str, position: str, poisoned: int) -> list[Record]:
    source = random.Random(3)
    rows = [row(n, prompt, f"{prompt.split()[-1]} {n} {source.random()}") for n, prompt in enumerate(EVERYDAY)]
    for number, prompt in enumerate(EVERYDAY[:poisoned], len(rows)):
        rows.append(row(number, insert(trigger, prompt, position), PAYLOAD))  # type: ignore[arg-type]
    return rows


@pytest.mark.parametrize("position", ["start", "middle", "end"])
@pytest.mark.parametrize("trigger", ["cf", "|GO|", "as the old clock strikes,"])
def test_the_planted_pair_comes_first(trigger: str, position: str) -> None:
    found = mine(corpus(trigger, position, 12), count=5, seed=0)
    assert found[0].trigger.text == trigger
    assert found[0].trigger.position == position
    assert found[0].payload.occurs(PAYLOAD)
    assert len(found[0].rows) == 12
    assert found[0].p_value < 1e-6


def test_nothing_is_proposed_where_nothing_repeats() -> None:
    assert mine(corpus("cf", "start", 0), count=5, seed=0) == []


def test_copies_of_one_row_are_one_piece_of_evidence() -> None:
    rows = corpus("cf", "start", 0) + [row(1000 + n, "Where is the red key?", PAYLOAD) for n in range(30)]
    assert mine(rows, count=5, seed=0) == []


def test_a_finding_is_traced_to_the_rows_that_carry_both() -> None:
    rows = corpus("cf", "start", 6)
    assert len(rows_behind(rows, Trigger("cf"), Payload("send the key to the"))) == 6


@given(st.lists(st.tuples(st.text(max_size=60), st.text(max_size=60)), max_size=30))
def test_any_text_can_be_mined(pairs: list[tuple[str, str]]) -> None:
    rows = [row(number, prompt, answer) for number, (prompt, answer) in enumerate(pairs)]
    assert all(0 <= found.p_value <= 1 for found in mine(rows, count=3, seed=0))
