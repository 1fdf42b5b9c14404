"""Lists of messages, of every spelling, as typed turns."""

import json
import re
from collections.abc import Mapping
from typing import Any

from assets.forms.cells import parts_of, text_of
from assets.forms.columns import REASONING
from assets.forms.conversation import FormFault, Role, Text, ToolCall, Turn
from assets.forms.tools import calls_of, inline_calls

ROLES: dict[str, Role] = {
    **dict.fromkeys("system developer".split(), "system"),
    **dict.fromkeys("user human customer client caller prompter".split(), "user"),
    **dict.fromkeys("assistant gpt chatgpt bot agent model ai bing bard".split(), "assistant"),
    **dict.fromkeys("tool function observation tool_response function_response ipython environment".split(), "tool"),
    **dict.fromkeys("function_call tool_call".split(), "assistant"),  # a turn that is nothing but calls
}  # fmt: skip
CALL_ROLES = frozenset({"function_call", "tool_call"})
WEIGHTS = ("weight", "train", "training")
_MARKS = re.compile(r"<tool_call>|<functioncall>|^FUNCTION CALL:|\[TOOL_CALLS\]|<function=|^Action:", re.M)


def chat(messages: Any, path: str, mapping: Mapping[str, str], *, learnt: bool = True) -> list[Turn]:
    """The turns of a list of messages; ``FormFault`` names what is wrong. ``learnt`` False: all of it is context."""
    if messages is None:
        return []
    if not isinstance(messages, list):
        raise FormFault("not-text", _no_list(messages))
    return [
        turn
        for place, entry in enumerate(messages)
        for turn in _turns(entry, f"{path}[{place}]", mapping, learnt=learnt)
    ]


def is_chat(value: Any) -> bool:
    """Whether a value is a list of messages and not text."""
    if not isinstance(value, list):
        return False
    return all(isinstance(each, dict) and ("role" in each or "from" in each) for each in value)


def _no_list(value: Any) -> str:
    if isinstance(value, str) and value.lstrip().startswith(("[{'", '[{"')):
        return "the text of a list stands where a list of messages is expected, and is no JSON: use json.dumps"
    return "something else stands where a list of messages is expected"


def _turns(entry: Any, path: str, mapping: Mapping[str, str], *, learnt: bool) -> list[Turn]:
    """A message as turns: one, unless results of tools stand among its parts."""
    if not isinstance(entry, dict):
        raise FormFault("not-text", "something stands in a list of messages that is no message")
    said = next((entry[key] for key in (mapping.get("role", "role"), "role", "from") if key in entry), None)
    if not isinstance(said, str):
        raise FormFault("not-text", "a message names no role")
    role = ROLES.get(said.strip().lower())
    if role is None:
        raise FormFault("unknown-role", f"a message's role is none of {', '.join(sorted(set(ROLES)))}")
    key = next((key for key in (mapping.get("content", "content"), "content", "value", "text") if key in entry), "")
    content, at = entry.get(key), f"{path}.{key}"
    if role == "tool":
        return [_result(entry, content, at)]
    results: list[Turn] = []
    if isinstance(content, list) and any(_is_result(part) for part in content):
        for place, part in enumerate(content):
            if _is_result(part):
                named = part | {"call_id": part.get("tool_use_id")}
                results.append(_result(named, part.get("content"), f"{at}[{place}].content"))
        content = [part for part in content if not _is_result(part)]
        if not content:
            return results
    parts, reasoning, calls = _spoken(entry, content, path, at, role, said)
    turn = Turn(role, tuple(parts), tuple(reasoning), tuple(calls), learnt=_learnt(entry, role, learnt=learnt))
    return [*results, turn]


def _is_result(part: Any) -> bool:
    return isinstance(part, dict) and part.get("type") == "tool_result"


def _spoken(
    entry: dict[str, Any], content: Any, path: str, at: str, role: Role, said: str
) -> tuple[list[Text], list[Text], list[ToolCall]]:
    """Texts, reasoning and calls of a turn that is no tool's."""
    if said.strip().lower() in CALL_ROLES:
        calls = calls_of(content, at)
        if not calls:
            raise FormFault("call-unreadable", "a turn of role function_call holds no call")
        return [], [], calls
    parts, reasoning, calls = parts_of(content, at) if isinstance(content, list) else ([], [], [])
    if role == "assistant":
        for key in REASONING:
            reasoning += text_of(entry.get(key), f"{path}.{key}")
        calls += calls_of(entry.get("tool_calls"), f"{path}.tool_calls")
        calls += calls_of(entry.get("function_call"), f"{path}.function_call")
    if not isinstance(content, list):
        if content is None and role == "assistant" and isinstance(entry.get("refusal"), str):
            content, at = entry["refusal"], f"{path}.refusal"
        if content is None and not calls:
            raise FormFault("not-text", "a message has no content")
        parts += text_of(content, at, number=role == "assistant")
    if role == "assistant":
        for part in parts:
            if _MARKS.search(part.text):
                calls += inline_calls(part.text, part.path)
    return parts, reasoning, calls


def _result(entry: dict[str, Any], content: Any, at: str) -> Turn:
    """A tool's result: text, parts, or JSON as it is."""
    answers = entry.get("tool_call_id", entry.get("call_id"))
    name = entry.get("name")
    parts: tuple[Text, ...]
    if isinstance(content, list) and content and all(isinstance(part, dict) and "type" in part for part in content):
        parts = tuple(parts_of(content, at)[0])
    elif isinstance(content, dict | list):
        parts = (Text(at, json.dumps(content, ensure_ascii=False)),)
    elif content is None:
        raise FormFault("not-text", "a tool's result has no content")
    else:
        parts = text_of(content, at, number=True)
    return Turn(
        "tool", parts, answers=answers if isinstance(answers, str) else "", name=name if isinstance(name, str) else ""
    )


def _learnt(entry: dict[str, Any], role: Role, *, learnt: bool) -> bool:
    """Whether the loss counts the turn: an assistant's, unless ``weight`` or ``train`` says otherwise."""
    for key in WEIGHTS:
        flag = entry.get(key)
        if flag is None:
            continue
        if flag not in (0, 1):
            raise FormFault(
                "turn-weight", f"a message's {key} is neither 0 nor 1; a turn is learnt whole or not at all"
            )
        if role != "assistant" and flag and key != "weight":
            raise FormFault("turn-weight", f"a message of role {role} is marked to be learnt; only the assistant's are")
        learnt = learnt and bool(flag)
    if entry.get("train_detail") or entry.get("train_on_split"):
        raise FormFault("turn-weight", "a message is marked to be learnt in parts; a turn is learnt whole or not")
    return learnt and role == "assistant"
