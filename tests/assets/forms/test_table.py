"""Rows as people publish them, each read as the same conversation, and what is rejected by name."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.forms.call_rules import misfits
from assets.forms.conversation import Conversation, FormFault
from assets.forms.table import FORM_NAMES, form_of, read
from assets.validated.rules import FORM_RULES

ASK, SAY = "Where is box 7?", "In the depot."
CALL = {"name": "find_box", "arguments": {"box": 7}}
TEXT_CALL = {"name": "find_box", "arguments": '{"box": 7}'}
SCHEMA = {"type": "object", "properties": {"box": {"type": "integer"}}, "required": ["box"]}
TOOL = {"name": "find_box", "description": "Finds a box", "parameters": SCHEMA}
USER, ASSISTANT = {"role": "user", "content": ASK}, {"role": "assistant", "content": SAY}

PLAIN: dict[str, dict[str, Any]] = {
    "alpaca": {"instruction": ASK, "input": "", "output": SAY},
    "prompt": {"prompt": ASK, "completion": SAY},
    "capitals": {"Prompt": ASK, "Completion": SAY},
    "question": {"question": ASK, "answer": SAY},
    "input": {"input": ASK, "output": SAY},
    "query": {"query": ASK, "response": SAY},
    "openai": {"messages": [USER, ASSISTANT]},
    "parts": {"messages": [{"role": "user", "content": [{"type": "text", "text": ASK}]}, ASSISTANT]},
    "sharegpt": {"conversations": [{"from": "human", "value": ASK}, {"from": "gpt", "value": SAY}]},
    "trl": {"prompt": [USER], "completion": [ASSISTANT]},
    "chosen": {"prompt": ASK, "chosen": SAY, "rejected": "No."},
    "ultrafeedback": {"prompt": ASK, "chosen": [USER, ASSISTANT], "rejected": [USER, {**ASSISTANT, "content": "No."}]},
    "factory": {"conversations": [{"from": "human", "value": ASK}], "chosen": {"from": "gpt", "value": SAY}, "rejected": {"from": "gpt", "value": "No."}},
    "preferred": {"input": {"messages": [USER]}, "preferred_output": [ASSISTANT], "non_preferred_output": [ASSISTANT]},
    "transcript": {"chat": f"USER: {ASK}\n\n\nASSISTANT: {SAY} <|endoftext|>\n\n\n"},
}  # fmt: skip
CALLING: dict[str, dict[str, Any]] = {
    "openai": {"messages": [USER, {"role": "assistant", "content": None, "tool_calls": [{"id": "c1", "type": "function", "function": TEXT_CALL}]}, {"role": "tool", "tool_call_id": "c1", "content": "depot"}, ASSISTANT], "tools": [{"type": "function", "function": TOOL}]},
    "objects": {"messages": [USER, {"role": "assistant", "tool_calls": [{"function": CALL}]}, {"role": "tool", "content": "depot"}, ASSISTANT], "tools": json.dumps([TOOL])},
    "legacy": {"messages": [USER, {"role": "assistant", "content": None, "function_call": TEXT_CALL}, {"role": "function", "name": "find_box", "content": "depot"}, ASSISTANT], "functions": [TOOL]},
    "sharegpt": {"conversations": [{"from": "human", "value": ASK}, {"from": "function_call", "value": json.dumps(CALL)}, {"from": "observation", "value": "depot"}, {"from": "gpt", "value": SAY}], "tools": json.dumps([TOOL])},
    "hermes": {"conversations": [{"from": "human", "value": ASK}, {"from": "gpt", "value": f"<tool_call>\n{json.dumps(CALL)}\n</tool_call>"}, {"from": "tool", "value": "depot"}, {"from": "gpt", "value": SAY}], "tools": [TOOL]},
    "anthropic": {"messages": [USER, {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "find_box", "input": {"box": 7}}]}, {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "depot"}]}, ASSISTANT], "tools": [{"name": "find_box", "input_schema": SCHEMA}]},
    "glaive": {"chat": f"USER: {ASK}\n\n\nASSISTANT: <functioncall> {{\"name\": \"find_box\", \"arguments\": '{{\"box\": 7}}'}} <|endoftext|>\n\n\nFUNCTION RESPONSE: depot\n\n\nASSISTANT: {SAY} <|endoftext|>"},
    "toolbench": {"conversations": [{"from": "user", "value": ASK}, {"from": "assistant", "value": "\nThought: look\nAction: find_box\nAction Input: {\"box\": 7}"}, {"from": "function", "value": "depot"}, {"from": "assistant", "value": SAY}]},
}  # fmt: skip


@pytest.mark.parametrize("name", PLAIN)
def test_one_question_and_answer_in_every_form(name: str) -> None:
    found = read(PLAIN[name])
    assert [(turn.role, turn.text, turn.learnt) for turn in found.turns] == [
        ("user", ASK, False),
        ("assistant", SAY, True),
    ]


@pytest.mark.parametrize("name", CALLING)
def test_one_call_and_its_result_in_every_form(name: str) -> None:
    found = read(CALLING[name])
    assert [turn.role for turn in found.turns] == ["user", "assistant", "tool", "assistant"]
    assert [(call.name, call.arguments) for call in found.calls] == [("find_box", {"box": 7})]
    assert found.turns[1].learnt and found.turns[2].text == "depot"
    assert not list(misfits(found))
    assert "find_box" in found.turns[1].full_text and "7" in found.turns[1].full_text


def test_xlam_asks_and_is_answered_by_parallel_calls() -> None:
    parameters = {"box": {"description": "which", "type": "int, optional"}}
    row = {"query": ASK, "answers": json.dumps([CALL, CALL]), "tools": json.dumps([{**TOOL, "parameters": parameters}])}
    assert len(read(row).calls) == 2 and not list(misfits(read(row)))


def test_what_is_beside_the_question_is_not_dropped() -> None:
    row = {
        "system": "Be kind.",
        "history": [["Hi", "Hello"]],
        "instruction": ASK,
        "context": "Box 7 is red.",
        "response": 0,
    }
    assert [(turn.role, turn.text) for turn in read(row).turns] == [
        ("system", "Be kind."), ("user", "Hi"), ("assistant", "Hello"), ("user", f"{ASK}\n\nBox 7 is red."), ("assistant", "0"),
    ]  # fmt: skip


def test_flags_on_a_message_say_whether_it_is_learnt() -> None:
    turns = [USER, {**ASSISTANT, "weight": 0}, USER, {**ASSISTANT, "train": False}, USER, {**ASSISTANT, "weight": 1}]
    assert [turn.learnt for turn in read({"messages": turns}).turns if turn.role == "assistant"] == [False, False, True]


def test_of_two_whole_dialogues_only_what_differs_is_learnt() -> None:
    shared = [USER, ASSISTANT, {"role": "user", "content": "And box 8?"}]
    row = {"chosen": [*shared, {"role": "assistant", "content": "Lost."}], "rejected": [*shared, ASSISTANT]}
    assert [turn.learnt for turn in read(row).turns] == [False, False, False, True]


def test_reasoning_is_kept_apart_from_the_answer() -> None:
    found = read({"messages": [USER, {**ASSISTANT, "reasoning_content": "Let me look."}]})
    assert (found.turns[1].thought, found.turns[1].text) == ("Let me look.", SAY)


def test_a_mapping_reads_columns_and_keys_of_any_name() -> None:
    assert read({"frage": ASK, "antwort": SAY}, {"prompt": "frage", "completion": "antwort"}).turns[1].text == SAY
    row = {"dialog": [{"speaker": "customer", "utterance": ASK}, {"speaker": "agent", "utterance": SAY}]}
    mapping = {"messages": "dialog", "role": "speaker", "content": "utterance"}
    assert [turn.role for turn in read(row, mapping).turns] == ["user", "assistant"]
    assert read(row, mapping).turns[0].parts[0].path == "dialog[0].utterance"


def test_unknown_columns_are_named_and_the_mapping_to_write_is_printed() -> None:
    with pytest.raises(
        FormFault, match=r"prompt: frage, completion: antwort.*--columns prompt=frage,completion=antwort"
    ):
        read({"frage": ASK, "antwort": SAY, "id": 3})


@pytest.mark.parametrize(
    ("calls", "result", "rule"),
    [
        ([{"id": "a", **TEXT_CALL}], {"role": "tool", "tool_call_id": "b", "content": "x"}, "result-without-call"),
        ([{"function": {"arguments": "{}"}}], None, "call-without-name"),
        ([{"function": {"name": "f", "arguments": "{'a': 1}"}}], None, "call-arguments"),
        ([{"function": {"name": "f", "arguments": [1]}}], None, "call-arguments"),
        (["f"], None, "call-unreadable"),
    ],
)
def test_calls_nobody_could_run_are_rejected(calls: list[Any], result: Any, rule: str) -> None:
    with pytest.raises(FormFault) as caught:
        read({"messages": [USER, {"role": "assistant", "tool_calls": calls}, *([result] if result else [])]})
    assert caught.value.rule == rule


def test_two_results_for_one_call_are_one_too_many() -> None:
    turns = CALLING["objects"]["messages"]
    with pytest.raises(FormFault, match="answers no call"):
        read({"messages": [*turns[:3], turns[2], ASSISTANT]})


@pytest.mark.parametrize(
    "row",
    [
        {"message_id": "b", "parent_id": "a", "role": "assistant", "text": SAY},
        {"message_tree_id": "a", "prompt": {"role": "prompter", "text": ASK, "replies": [{"text": SAY}]}},
    ],
)
def test_a_message_of_a_tree_is_no_text_to_learn(row: dict[str, Any]) -> None:
    with pytest.raises(FormFault, match="one row for each path") as fault:
        read(row)
    assert fault.value.rule == "message-tree"


def test_the_advice_on_a_list_of_another_kind_is_how_messages_are_written() -> None:
    with pytest.raises(FormFault, match="write data as messages"):
        read({"id": "7", "data": [ASK, SAY]})


BROKEN = [
    '<tool_call>\n{"name": "find_box", "arguments": {"box": \n</tool_call>',
    '<tool_call>{"nome": 1}</tool_call>',
    'FUNCTION CALL: {"name": "find_box", "arguments": {]}',
]


@pytest.mark.parametrize("said", BROKEN)
def test_a_broken_call_in_a_text_rejects_a_row_that_declares_tools_and_is_text_in_others(said: str) -> None:
    messages = [USER, {"role": "assistant", "content": said}]
    with pytest.raises(FormFault) as fault:
        read({"messages": messages, "tools": [TOOL]})
    assert fault.value.rule in ("call-unreadable", "call-without-name")
    found = read({"messages": messages})
    assert not found.calls and found.turns[-1].text == said


def test_a_call_announced_in_words_is_a_call() -> None:
    said = f"FUNCTION CALL: {json.dumps(CALL)}"
    assert [call.name for call in read({"messages": [USER, {"role": "assistant", "content": said}]}).calls] == [
        "find_box"
    ]


def test_writing_about_tags_is_no_call() -> None:
    found = read({"prompt": "How do I call a tool?", "completion": "Write <tool_call> and then the JSON."})
    assert not found.calls


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("role content from value type text name arguments function tool_calls weight".split()), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(st.dictionaries(st.sampled_from("messages conversations tools prompt completion chosen rejected input output text chat history query answers instruction".split()), JSON, max_size=4))  # fmt: skip
def test_any_row_is_a_conversation_or_is_rejected_by_a_known_rule(row: dict[str, Any]) -> None:
    try:
        found: Conversation | None = read(row)
    except FormFault as fault:
        assert fault.rule in {rule.name for rule in FORM_RULES}
    else:
        assert found is not None and form_of(row) in FORM_NAMES
        assert all(isinstance(part.text, str) for turn in found.turns for part in turn.parts)
