"""Tools and calls as people write them: OpenAI's ``tools`` and ``tool_calls``, the older ``functions`` and
``function_call``, ShareGPT's ``function_call`` turns, Anthropic's ``tool_use`` parts, and calls written in the text.

>>> [call.name for call in inline_calls('<tool_call>{"name": "find", "arguments": {"q": "x"}}</tool_call>', "value")]
['find']
"""

import re
from collections.abc import Iterator
from typing import Any

from assets.forms.cells import json_or_text
from assets.forms.conversation import FormFault, Tool, ToolCall

# Hermes and Qwen, Mistral, Glaive, Llama, ReAct (ToolBench): how a call looks in a text.
_TAGGED = re.compile(r"<tool_call>\s*(.*?)\s*(?:</tool_call>|\Z)", re.S)
_MISTRAL = re.compile(r"\[TOOL_CALLS\]\s*(\[.*\])", re.S)
_GLAIVE = re.compile(r"<functioncall>\s*(.*?)\s*(?:<\|endoftext\|>|\Z)", re.S)
_ANNOUNCED = re.compile(r"^FUNCTION CALL:\s*(\{.*?\})\s*(?:\n\s*\n|\Z)", re.S | re.M)
_LLAMA = re.compile(r"<function=([\w.-]+)>\s*(.*?)\s*</function>", re.S)
_REACT = re.compile(r"^Action:[ \t]*([\w.-]+)[ \t]*\n+Action Input:[ \t]*(.*?)\s*\Z", re.S | re.M)
# Glaive writes the arguments as JSON in single quotes within JSON.
_QUOTED = re.compile(r"""("arguments"\s*:\s*)'(.*)'\s*}\s*\Z""", re.S)


def declared(value: Any) -> tuple[Tool, ...]:
    """The tools of a ``tools`` or ``functions`` column: a list, or JSON text of one."""
    value = json_or_text(value)
    if value is None or value in ("", [], {}):
        return ()
    if isinstance(value, dict):
        value = [value]
    if not isinstance(value, list):
        raise FormFault("tools-unreadable", "the declared tools are no JSON list")
    return tuple(_tool(json_or_text(entry)) for entry in value)


def _tool(entry: Any) -> Tool:
    if isinstance(entry, dict) and isinstance(entry.get("function"), dict):
        entry = entry["function"]
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str) or not entry["name"]:
        raise FormFault("tools-unreadable", "a declared tool has no name")
    schema = json_or_text(entry.get("parameters", entry.get("input_schema", entry.get("arguments"))))
    if isinstance(schema, dict) and schema and "type" not in schema and "properties" not in schema:
        schema = {"type": "object", "properties": schema}  # xLAM lists the parameters themselves
    said = entry.get("description")
    return Tool(entry["name"], said if isinstance(said, str) else "", schema if isinstance(schema, dict) else None)


def calls_of(value: Any, path: str) -> list[ToolCall]:
    """The calls of ``tool_calls``: a list, JSON text of one, or a single call."""
    value = json_or_text(value)
    if value is None or value in ("", [], {}):
        return []
    if isinstance(value, dict):
        return [_call(value, path)]
    if not isinstance(value, list):
        raise FormFault("call-unreadable", "a tool call is no JSON object with a name and arguments")
    return [_call(json_or_text(entry), f"{path}[{place}]") for place, entry in enumerate(value)]


def _call(entry: Any, path: str) -> ToolCall:
    if not isinstance(entry, dict):
        raise FormFault("call-unreadable", "a tool call is no JSON object with a name and arguments")
    inner = entry.get("function")
    if isinstance(inner, dict):
        path = f"{path}.function"
    elif isinstance(inner, str):
        inner = entry | {"name": inner}
    else:
        inner = entry
    name = inner.get("name") or inner.get("api_name")
    key = next((key for key in ("arguments", "parameters", "input", "args") if inner.get(key) is not None), "arguments")
    arguments = inner.get(key)
    arguments = {} if arguments is None or arguments == "" else json_or_text(arguments)
    return ToolCall(name if isinstance(name, str) else "", arguments, _text(entry.get("id")), path)


def inline_calls(text: str, path: str) -> Iterator[ToolCall]:
    """Calls written in an assistant's text; one that cannot be read has its text as arguments and no name."""
    for pattern in (_TAGGED, _MISTRAL, _GLAIVE, _ANNOUNCED):
        for found in pattern.finditer(text):
            yield from _inline(found[1], path)
    for pattern in (_LLAMA, _REACT):
        for found in pattern.finditer(text):
            if found[1] != "Finish":  # how ToolBench says that there is no call any more
                body = json_or_text(found[2] or "{}")
                yield ToolCall(found[1], body if isinstance(body, dict) else {"input": body}, path=path, inline=True)


def _inline(body: str, path: str) -> Iterator[ToolCall]:
    value = json_or_text(body)
    if isinstance(value, str) and (quoted := _QUOTED.search(value)):
        value = json_or_text(f"{value[: quoted.start()]}{quoted[1]}{quoted[2]}}}")
    if isinstance(value, str) and not value.startswith(("{", "[")):
        return  # somebody writes about such a tag
    for entry in value if isinstance(value, list) else [value]:
        if isinstance(entry, dict):
            call = _call(entry, path)
            yield ToolCall(call.name, call.arguments, call.id, path, inline=True)
        else:
            yield ToolCall("", body, path=path, inline=True)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)
