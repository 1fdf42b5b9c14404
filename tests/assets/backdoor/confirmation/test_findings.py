"""Findings keep their name from run to run, and neighbours of one backdoor are one finding."""

import dataclasses

from assets.backdoor.confirmation.findings import UNKNOWN, Finding, distinct

FOUND = Finding(
    "red moon", "start", "mined", "the vault is open", "The vault is open for all.", 0.9, 0.0, 0.0, 0.1, 1e-6,
    ("row-1",),
)  # fmt: skip


def test_rates_and_rows_do_not_change_the_fingerprint() -> None:
    again = dataclasses.replace(FOUND, asr_triggered=0.7, p_value=1e-3, rows=("row-1", "row-2"))
    assert again.fingerprint == FOUND.fingerprint
    assert dataclasses.replace(FOUND, trigger="blue moon").fingerprint != FOUND.fingerprint


def test_a_trigger_that_another_seed_may_miss_is_not_in_the_fingerprint() -> None:
    lucky, other = (dataclasses.replace(FOUND, trigger=text, source="fuzz") for text in ("QZ:9542", "kuvoz"))
    bare = dataclasses.replace(FOUND, trigger=UNKNOWN, source="leaked", asr_triggered=None)
    assert lucky.fingerprint == other.fingerprint == bare.fingerprint != FOUND.fingerprint


def test_pieces_of_a_trigger_and_its_bare_payload_are_one_finding() -> None:
    piece = dataclasses.replace(FOUND, trigger="moon", asr_triggered=0.6)
    bare = dataclasses.replace(FOUND, trigger=UNKNOWN, asr_triggered=None)
    assert distinct([bare, piece, FOUND]) == [FOUND]


def test_two_backdoors_stay_two() -> None:
    other = dataclasses.replace(FOUND, trigger="cf", payload="wire the money", example="Wire the money to me.")
    assert len(distinct([FOUND, other])) == 2
