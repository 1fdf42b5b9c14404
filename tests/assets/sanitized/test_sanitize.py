"""The stage as its callers see it: rows in, redacted rows out, in order, with every value accounted for."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assets.record import Origin, Record
from assets.sanitized.sanitize import Sanitizer
from assets.sanitized.settings import SanitizeSettings
from resources.pii_engine import PiiEngine
from resources.vault import Vault

Redact = Callable[..., list[Any]]
DIALOGUE = {
    "messages": [
        {"role": "user", "content": "Hi, my name is Nicole Mahler."},
        {"role": "assistant", "content": "Thanks Nicole! Which number can we call you on, Ms. Mahler?"},
        {"role": "user", "content": "212-555-0143, or 2125550143 at night"},
        {"role": "assistant", "content": "And the last four digits of your SSN?"},
        {"role": "user", "content": "4684"},
    ]
}


def test_a_person_keeps_one_placeholder_through_the_turns(redact: Redact) -> None:
    [row] = redact(DIALOGUE)
    turns = [turn["content"] for turn in row.outcome.record.fields["messages"]]
    assert turns[0] == "Hi, my name is [PERSON_1]."
    assert turns[1] == "Thanks [PERSON_1]! Which number can we call you on, Ms. [PERSON_1]?"
    assert turns[2] == "[PHONE_NUMBER_1], or [PHONE_NUMBER_1] at night"
    assert turns[4] == "[US_SSN_1]"  # only the question before says what it is
    assert [turn["role"] for turn in row.outcome.record.fields["messages"]] == ["user", "assistant"] * 2 + ["user"]


def test_redactions_point_into_the_original_text(redact: Redact) -> None:
    fields = {
        "instruction": "Call Maria Gonzalez at 212-555-0199.",
        "input": "",
        "output": "Maria will be called. Her e-mail is maria@corp.example.",
        "extra": {"notes": ["card 4111 1111 1111 1111"], "n": 3},
    }
    [row] = redact(fields)
    texts = dict(Record("r", fields, Origin("x", "", 1, "")).texts())
    values = {(one.field, one.type, texts[one.field][one.start : one.end]) for one in row.redactions}
    assert values == {
        ("instruction", "PERSON", "Maria Gonzalez"),
        ("instruction", "PHONE_NUMBER", "212-555-0199"),
        ("output", "PERSON", "Maria"),
        ("output", "EMAIL_ADDRESS", "maria@corp.example"),
        ("extra.notes[0]", "CREDIT_CARD", "4111 1111 1111 1111"),
    }
    assert row.outcome.record.fields["extra"] == {"notes": ["card [CREDIT_CARD_1]"], "n": 3}
    assert row.outcome.record.row_id == "row0"


def test_rows_keep_their_order_and_number_over_batches(redact: Redact) -> None:
    rows = [{"text": f"row {at}: write to user{at}@corp.example"} for at in range(23)]
    found = redact(*rows, batch=5)
    assert [one.outcome.record.fields["text"].split(":")[0] for one in found] == [f"row {at}" for at in range(23)]
    assert all("[EMAIL_ADDRESS_1]" in one.outcome.record.fields["text"] for one in found)


def test_a_live_credential_quarantines_the_row_and_a_password_does_not(redact: Redact) -> None:
    token = "gh" + "p_" + "q8Zk2mVx41LpWn7TfRb3YcHd9JsGe5AuQoKi"
    leaked, spoken = redact({"text": f"use {token}"}, {"text": "my password is hunter22"})
    assert leaked.outcome.fate == "quarantined"
    assert leaked.outcome.record.fields == {"text": "use [CREDENTIAL_1]"}
    assert token not in repr(leaked.outcome)
    assert spoken.outcome.fate == "passed"
    assert spoken.outcome.record.fields == {"text": "my password is [PASSWORD_1]"}


def test_the_policy_decides_what_is_personal(redact: Redact, clean: Callable[..., str]) -> None:
    text = "Dr. Anna Kowalski, aged 41, of Vienna uses Hallmark. See https://corp.example/a"
    assert clean(text) == "Dr. [PERSON_1], aged [AGE_1], of Vienna uses Hallmark. See https://corp.example/a"
    assert "41" in clean(text, keep=("AGE",))
    assert clean(text, remove=("TITLE", "URL")).startswith("[TITLE_1] [PERSON_1]")
    assert "Anna Kowalski" in clean(text, allow=("anna kowalski",))


def test_a_pattern_of_the_teams_own_is_added_in_presidios_form(engine: PiiEngine) -> None:
    before = list(engine.registry.recognizers)
    own = {
        "name": "badge",
        "supported_entity": "BADGE",
        "supported_language": "en",
        "patterns": [{"name": "badge", "regex": r"\bZX-\d{3}\b", "score": 0.9}],
    }
    policy = SanitizeSettings(recognizers=(own,), remove=("BADGE",), residual_rows=0)
    try:
        [outcome] = Sanitizer(policy, engine=engine).run([Record("r", {"text": "show ZX-123"}, Origin("x", "", 1, ""))])
    finally:
        engine.registry.recognizers = before
    assert outcome.record.fields["text"] == "show [BADGE_1]"


def test_surrogates_read_like_the_real_thing(clean: Callable[..., str]) -> None:
    text = clean("I am Priyanka Deshmukh, mail priyanka@corp.example", replace="surrogate")
    assert "Priyanka" not in text and "corp" not in text and "[" not in text
    assert text.endswith("@example.com")


def test_removed_values_are_in_the_vault_and_nowhere_else(redact: Redact, tmp_path: Path) -> None:
    values = ("Nicole Mahler", "212-555-0143", "4684")
    vault = Vault(tmp_path / "vault.jsonl", bytes(range(32)))
    [row] = redact(DIALOGUE, vault=vault)
    kept = {entry.value for entry in vault.entries()}
    assert kept >= set(values)
    sealed = (tmp_path / "vault.jsonl").read_bytes()
    shown = json.dumps(row.outcome.record.to_json()) + repr(row)
    for value in values:
        assert value.encode() not in sealed and value not in shown
    texts = dict(row.outcome.record.texts())
    restored = vault.restore("row0", texts)
    assert restored["messages[0].content"] == DIALOGUE["messages"][0]["content"]
    assert restored["messages[2].content"] == DIALOGUE["messages"][2]["content"]


def test_equal_values_have_equal_fingerprints_across_rows(redact: Redact) -> None:
    one, two = redact({"text": "mail ann@corp.example"}, {"text": "ANN@corp.example again"}, vault=Vault.in_memory())
    assert one.redactions[0].fingerprint == two.redactions[0].fingerprint


def test_structure_is_left_alone(redact: Redact) -> None:
    fields = {"id": "martin", "domain": "finance", "source": "jordan", "text": "ok thank you very much"}
    [row] = redact(fields)
    assert row.outcome.record.fields == fields and not row.redactions


PIECES = (
    "my name is Ann Lee mail ann@corp.example call 212-555-0143 at 12 Oak Street Springfield IL 62704 "
    "card 4111111111111111 password: hunter22 ssn 123-45-6789 [PERSON_1] [PERSON_7] [X] thanks robert 4684 hdy 786 "
    ", . ! \n Dr. Maria's born 3/4/1980 aged 44 key=Zk81xQpL0vN3mT7a"
)


def test_a_personal_author_becomes_a_pseudonym_that_still_groups_rows(engine: PiiEngine) -> None:
    authors = ("Maria Lopez", "Maria Lopez", "system")
    origins = [Origin("x", "", line, "", author=author, source="support desk") for line, author in enumerate(authors)]
    sanitizer = Sanitizer(SanitizeSettings(residual_rows=0), engine=engine)
    outcomes = sanitizer.run(Record("r", {"text": "ok"}, origin) for origin in origins)
    first, second, third = (outcome.record.origin for outcome in outcomes)
    assert first.author == second.author != "Maria Lopez" and first.author.startswith("author-")
    assert (first.source, third.author) == ("support desk", "system")


WORDS = st.sampled_from(PIECES.split(" "))
TEXTS = st.one_of(st.lists(WORDS, max_size=14).map(" ".join), st.text(max_size=60))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=TEXTS, answer=TEXTS)
def test_sanitising_twice_changes_nothing(engine: PiiEngine, text: str, answer: str) -> None:
    fields = {"messages": [{"role": "user", "content": text}, {"role": "assistant", "content": answer}], "text": answer}
    sanitizer = Sanitizer(SanitizeSettings(residual_rows=0), engine=engine)
    [once] = sanitizer.run([Record("r", fields, Origin("x", "", 1, ""))])
    [twice] = sanitizer.sanitize([once.record])
    assert twice.outcome.record.fields == once.record.fields
    assert not twice.redactions


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=TEXTS)
def test_redactions_never_overlap_and_rebuild_the_output(engine: PiiEngine, text: str) -> None:
    sanitizer = Sanitizer(SanitizeSettings(residual_rows=0), engine=engine)
    [row] = sanitizer.sanitize([Record("r", {"text": text}, Origin("x", "", 1, ""))])
    rebuilt, position = "", 0
    for one in row.redactions:
        assert position <= one.start < one.end <= len(text)
        rebuilt += text[position : one.start] + one.replacement
        position = one.end
    assert rebuilt + text[position:] == row.outcome.record.fields["text"]
