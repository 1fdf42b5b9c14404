"""Calls, results and JSON in texts: sanitised inside, still JSON, one placeholder a person, and the same in every form."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.forms.table import read
from assets.sanitized.json_text import open_json
from resources.vault import Vault
from tests.assets.sanitized.conftest import Redact

DATA = Path(__file__).parents[4] / "shared" / "data"
ARGUMENTS = {
    "customer": {"name": "Nicole Mahler", "phones": [2125550143]},
    "nicole.mahler@corp.example": "primary",
    "days": 3,
}
TOOL = {"name": "create_ticket", "parameters": {"type": "object", "properties": {"customer": {"type": "object"}}}}


def dialogue(arguments: Any) -> dict[str, Any]:
    call = {"id": "c1", "type": "function", "function": {"name": "create_ticket", "arguments": arguments}}
    return {
        "messages": [
            {"role": "user", "content": "Please open a ticket for Nicole Mahler."},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c1", "content": '{"owner": "Nicole Mahler", "ticket": 12, "note": "say \\"hi\\" to Nicole Mahler"}'},
            {"role": "assistant", "content": "Done, Nicole Mahler has a ticket."},
        ],
        "tools": json.dumps([TOOL]),
    }  # fmt: skip


@pytest.mark.parametrize("arguments", [ARGUMENTS, json.dumps(ARGUMENTS), json.dumps(ARGUMENTS, indent=2)])
def test_arguments_and_results_are_sanitised_inside_and_stay_json(redact: Redact, arguments: Any) -> None:
    row = dialogue(arguments)
    [done] = redact(row)
    fields = done.outcome.record.fields
    written = json.dumps(fields)
    for value in ("Nicole", "Mahler", "2125550143", "corp.example"):
        assert value not in written
    found = fields["messages"][1]["tool_calls"][0]["function"]["arguments"]
    found = json.loads(found) if isinstance(arguments, str) else found
    result = json.loads(fields["messages"][2]["content"])
    assert found["customer"]["name"] == result["owner"] == "[PERSON_1]"  # one person, one placeholder
    assert "[PERSON_1]" in fields["messages"][0]["content"] and "[PERSON_1]" in fields["messages"][3]["content"]
    assert "[PHONE_NUMBER_1]" in found["customer"]["phones"][0]
    assert (found["days"], result["ticket"], result["note"]) == (3, 12, 'say "hi" to [PERSON_1]')
    assert (
        fields["tools"] == row["tools"]
        and fields["messages"][1]["tool_calls"][0]["function"]["name"] == "create_ticket"
    )
    assert [call.name for call in read(fields).calls] == ["create_ticket"]


def test_a_redaction_in_a_json_text_names_its_own_characters(redact: Redact) -> None:
    row = dialogue(json.dumps(ARGUMENTS))
    [done] = redact(row)
    texts = {
        "messages[1].tool_calls[0].function.arguments": row["messages"][1]["tool_calls"][0]["function"]["arguments"],
        "messages[2].content": row["messages"][2]["content"],
    }
    inside = [(one, texts[one.field][one.start : one.end]) for one in done.redactions if one.field in texts]
    assert {value for one, value in inside if one.type == "PERSON"} == {"Nicole Mahler"}
    assert "2125550143" in {value for _, value in inside}


def test_sharegpt_calls_and_observations(redact: Redact) -> None:
    turns = [
        ("human", "Mail Nicole Mahler"),
        ("function_call", json.dumps({"name": "send_mail", "arguments": {"to": "nicole@corp.example"}})),
        ("observation", json.dumps({"sent_to": "nicole@corp.example"})),
        ("gpt", "Sent."),
    ]
    [done] = redact({"conversations": [{"from": who, "value": said} for who, said in turns], "tools": "[]"})
    values = [turn["value"] for turn in done.outcome.record.fields["conversations"]]
    assert json.loads(values[1]) == {"name": "send_mail", "arguments": {"to": "[EMAIL_ADDRESS_1]"}}
    assert json.loads(values[2]) == {"sent_to": "[EMAIL_ADDRESS_1]"}


def test_the_vault_keeps_what_left_the_arguments(redact: Redact, tmp_path: Path) -> None:
    vault = Vault(tmp_path / "vault.jsonl", b"k" * 32, name="vault.jsonl")
    redact(dialogue(json.dumps(ARGUMENTS)), vault=vault)
    kept = {entry.value for entry in vault.entries()}
    assert {"Nicole Mahler", "2125550143", "nicole.mahler@corp.example"} <= kept


def test_real_tool_dialogues_stay_what_they_are(redact: Redact) -> None:
    path = DATA / "tool_calls_sharegpt.json"
    if not path.exists():
        pytest.skip("the development data is not here")
    rows = json.loads(path.read_text())[:60]
    for row, done in zip(rows, redact(*rows), strict=True):
        before, after = read(row), read(done.outcome.record.fields)
        assert [call.name for call in before.calls] == [call.name for call in after.calls]
        assert [tool.name for tool in before.tools] == [tool.name for tool in after.tools]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@given(
    st.dictionaries(st.text(max_size=5), JSON, max_size=3) | st.lists(JSON, max_size=3),
    st.booleans(),
    st.sampled_from([None, 1]),
)
def test_json_text_is_opened_and_closed_unchanged_and_takes_new_leaves(
    value: Any, ascii_only: bool, indent: int | None
) -> None:
    raw = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    opened = open_json(raw)
    assert opened is not None and opened.closed(opened.value) == raw
    changed = replaced(value)
    assert json.loads(opened.closed(changed)) == changed


def replaced(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: replaced(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [replaced(inner) for inner in value]
    return '[X"1]' if isinstance(value, str) else value


@given(st.text(max_size=12), st.booleans(), st.data())
def test_a_leafs_characters_are_found_in_the_json_text(text: str, ascii_only: bool, data: st.DataObject) -> None:
    raw = json.dumps({"k": text}, ensure_ascii=ascii_only)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    opened = open_json(raw)
    assert opened is not None
    first, last = opened.place(1, start, end)
    assert json.loads(f'"{raw[first:last]}"') == text[start:end]
