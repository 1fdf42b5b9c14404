"""Values that stand beside the texts of a row: in numbers, in the names of fields, in fields that are mere structure."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from assets.sanitized.sanitize import Sanitized
from resources.vault import Vault

Redact = Callable[..., list[Sanitized]]
CHAT = {"prompt": "When is the parcel due?", "completion": "On Monday."}


def fields(row: Sanitized) -> dict[str, Any]:
    return row.outcome.record.fields


@pytest.mark.parametrize(
    ("key", "number", "type_"),
    [
        ("phone", 4155550132, "PHONE_NUMBER"),
        ("customerPhone", 5550132, "PHONE_NUMBER"),
        ("anything", 4155550132, "PHONE_NUMBER"),
        ("card", 4111111111111111, "CREDIT_CARD"),
        ("payment", 4111111111111111.0, "CREDIT_CARD"),
        ("ssn", 78051120, "US_SSN"),
        ("account_number", 12345678, "ACCOUNT_NUMBER"),
        ("zip", 94107, "POSTCODE"),
        ("age", 34, "AGE"),
    ],
)
def test_a_number_that_is_someones_leaves(redact: Redact, key: str, number: float, type_: str) -> None:
    [row] = redact({**CHAT, "metadata": {key: number}})
    assert fields(row)["metadata"] == {key: f"[{type_}_1]"}
    [redaction] = row.redactions
    assert (redaction.field, redaction.start, redaction.end) == (f"metadata.{key}", 0, len(str(int(number))))


def test_other_numbers_stay_numbers(redact: Redact) -> None:
    kept = {"visits": 3, "score": 0.123456789, "at": 1700000000, "at_ms": 1700000000000, "id": 20240101123456,
            "tokens": [1234, 15339, 99999], "done": True, "none": None}  # fmt: skip
    [row] = redact({**CHAT, "metadata": kept})
    assert fields(row)["metadata"] == kept and row.redactions == ()


def test_numbers_that_stay_stand_beside_one_that_leaves(redact: Redact) -> None:
    [row] = redact({**CHAT, "metadata": {"phone": 4155550132, "at": 1700000000}})
    assert fields(row)["metadata"] == {"phone": "[PHONE_NUMBER_1]", "at": 1700000000}


def test_a_key_that_holds_a_value_is_renamed_and_its_person_stays_one(redact: Redact) -> None:
    vault = Vault.in_memory()
    callers = {"jane.doe@corp.example": 3, "Maria Lopez": {"415-555-0132": [1]}}
    [row] = redact({**CHAT, "note": "Maria Lopez called", "callers": callers}, vault=vault)
    assert fields(row)["callers"] == {"[EMAIL_ADDRESS_1]": 3, "[PERSON_1]": {"[PHONE_NUMBER_1]": [1]}}
    assert fields(row)["note"] == "[PERSON_1] called"
    assert {one.field for one in row.redactions} >= {"{[EMAIL_ADDRESS_1]}", "{[PERSON_1]}", "{[PHONE_NUMBER_1]}"}
    assert not any(value in str(row.redactions) for value in ("jane", "Lopez", "5550132", "555-0132"))


def test_two_keys_that_become_the_same_keep_both_values(redact: Redact) -> None:
    [row] = redact({**CHAT, "seen": {"A@corp.example": 1, "a@corp.example": 2}})
    assert list(fields(row)["seen"].values()) == [1, 2]


def test_a_full_name_leaves_a_field_of_mere_structure_and_a_category_stays(redact: Redact) -> None:
    [row] = redact({**CHAT, "source": "Maria Lopez", "tags": ["Maria Lopez", "billing"], "category": "Jordan"})
    assert fields(row)["source"] == "[PERSON_1]"
    assert fields(row)["tags"] == ["[PERSON_1]", "billing"]
    assert fields(row)["category"] == "Jordan"


def test_a_role_that_is_a_person_leaves_and_the_usual_roles_stay(redact: Redact) -> None:
    turns = [{"role": role, "content": "It is late."} for role in ("user", "assistant", "Maria Lopez")]
    [row] = redact({"messages": turns})
    assert [turn["role"] for turn in fields(row)["messages"]] == ["user", "assistant", "[PERSON_1]"]


def test_doing_it_again_changes_nothing(redact: Redact) -> None:
    row = {**CHAT, "phone": 4155550132, "callers": {"A@corp.example": 1, "a@corp.example": {"ssn": 78051120}}}
    [once] = redact(row)
    [twice] = redact(json.loads(json.dumps(fields(once))))
    assert fields(twice) == fields(once) and twice.redactions == ()
