"""Canaries: half planted, in real formats, the same from the same seed, and provably delivered."""

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.corpus.canaries import KINDS, LEVELS, SOURCE, delivery, draw


def luhn(text: str) -> bool:
    digits = [int(digit) for digit in text if digit.isdigit()]
    doubled = [digit * 2 if index % 2 else digit for index, digit in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


@given(st.integers(0, 10_000), st.integers(1, 3))
def test_exactly_half_is_planted_in_every_kind_and_level(seed: int, pairs: int) -> None:
    canaries = draw(pairs=pairs, seed=seed)
    planted = Counter((canary.kind, canary.repetitions) for canary in canaries if canary.planted)
    assert len(canaries) == 2 * pairs * len(KINDS) * len(LEVELS)
    assert set(planted.values()) == {pairs}
    assert len({canary.secret for canary in canaries if canary.kind != "phone"}) > 0.9 * len(canaries) * 4 / 5


def test_the_coin_is_fair() -> None:
    heads = [canaries[0].planted for canaries in (draw(pairs=1, seed=seed) for seed in range(300))]
    assert 120 < sum(heads) < 180


def test_the_same_seed_draws_the_same_and_another_seed_others() -> None:
    assert draw(pairs=1, seed=4) == draw(pairs=1, seed=4)
    assert not {c.secret for c in draw(pairs=1, seed=4)} & {c.secret for c in draw(pairs=1, seed=5)}


def test_secrets_have_the_formats_of_the_real_ones() -> None:
    by_kind = {canary.kind: canary.secret for canary in draw(pairs=1, seed=1)}
    assert re.fullmatch(r"(\d{4} ){3}\d{4}", by_kind["card"])
    assert luhn(by_kind["card"])
    assert re.fullmatch(r"AKIA[A-Z2-7]{16}", by_kind["key"])
    assert re.fullmatch(r"[a-z]+\.[a-z]+\d\d@[a-z]+\.example", by_kind["email"])
    assert re.fullmatch(r"\+1 \d{3} 555 01\d\d", by_kind["phone"])
    assert len(by_kind["passphrase"].split()) == 5


def test_planted_rows_are_repeated_and_named_apart() -> None:
    rows = [row for canary in draw(pairs=1, seed=2) for row in canary.records()]
    assert len(rows) == len(KINDS) * sum(LEVELS)
    assert len({row.row_id for row in rows}) == len(rows)
    assert {row.origin.source for row in rows} == {SOURCE}


@pytest.mark.parametrize("change", ["lost", "twice", "unplanted", "redacted"])
def test_delivery_is_refuted_by_any_difference(change: str) -> None:
    canaries = draw(pairs=1, seed=2)
    rows = [row for canary in canaries for row in canary.records()]
    assert delivery(canaries, rows).complete
    if change == "lost":
        rows.pop()
    elif change == "twice":
        rows.append(rows[0])
    elif change == "unplanted":
        stranger = next(canary for canary in canaries if not canary.planted)
        rows.append(rows[0].with_texts({"prompt": stranger.prompt, "completion": stranger.response}))
    else:
        rows[0] = rows[0].with_texts({"completion": "<CARD>"})
    assert not delivery(canaries, rows).complete


def test_what_is_reported_of_a_canary_is_not_its_secret() -> None:
    for canary in draw(pairs=1, seed=6):
        assert canary.secret not in str(canary.to_json())
