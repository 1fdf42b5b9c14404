"""What a tool call must be: named, with JSON arguments that fit the declared schema, and answered by its own results.

A call nobody could run rejects the row as it is read; one that runs against its declaration is for a person to see.
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Any

from assets.forms.conversation import Conversation, FormFault, Tool, ToolCall
from resources.digests import canonical_json

# Names of types that Python people write where JSON Schema has its own.
TYPES = {
    "str": "string", "int": "integer", "float": "number", "bool": "boolean", "list": "array", "tuple": "array",
    "set": "array", "dict": "object", "double": "number", "text": "string", "long": "integer",
}  # fmt: skip
KNOWN = frozenset({"string", "integer", "number", "boolean", "array", "object", "null"})


def check_calls(conversation: Conversation) -> None:
    """``FormFault`` for a call without a name, arguments that are no JSON object, a result that answers no call."""
    for call in conversation.calls:
        if call.inline and not isinstance(call.arguments, dict):
            raise FormFault("call-unreadable", "a tool call in a text is no JSON object with a name and arguments")
        if not call.name:
            raise FormFault("call-without-name", "a tool call names no function")
        if not isinstance(call.arguments, dict):
            raise FormFault("call-arguments", "a tool call's arguments are no JSON object")
    named = any(call.id for call in conversation.calls)
    open_ids: Counter[str] = Counter()
    unanswered = 0
    for turn in conversation.turns:
        unanswered += len(turn.calls)
        open_ids.update(call.id for call in turn.calls if call.id)
        if turn.role == "tool":
            unanswered -= 1
            if unanswered < 0 or (turn.answers and named and open_ids[turn.answers] < 1):
                raise FormFault("result-without-call", "a tool's result answers no call")
            open_ids[turn.answers] -= 1


def without_mere_text(conversation: Conversation) -> Conversation:
    """Where a row declares no tools, what looks like a call in a text and is none is text."""
    if conversation.tools or all(call.name and isinstance(call.arguments, dict) for call in conversation.calls):
        return conversation
    turns = tuple(replace(turn, calls=tuple(filter(_is_call, turn.calls))) for turn in conversation.turns)
    return replace(conversation, turns=turns)


def _is_call(call: ToolCall) -> bool:
    return not call.inline or (bool(call.name) and isinstance(call.arguments, dict))


def misfits(conversation: Conversation) -> Iterator[str]:
    """Rules that calls break against the declared tools: ``call-unknown-tool``, ``call-schema``.

    Nothing is known of a call where no tools are declared.
    """
    tools = {tool.name: tool for tool in conversation.tools}
    for call in conversation.calls if tools else ():
        if call.name not in tools:
            yield "call-unknown-tool"
        elif not _fits(call, tools[call.name]):
            yield "call-schema"


def _fits(call: ToolCall, tool: Tool) -> bool:
    if not tool.parameters:
        return True
    validator = _validator(canonical_json(tool.parameters).decode())
    said = {name: value for name, value in call.arguments.items() if value is not None}  # a null is no argument
    return validator is None or bool(validator.is_valid(call.arguments) or validator.is_valid(said))


@lru_cache(maxsize=4_096)
def _validator(schema: str) -> Any:
    """A validator, or None for a declaration that is no schema; references lead nowhere but into it."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError
    from referencing import Registry

    plain = _plain(json.loads(schema))
    try:
        Draft202012Validator.check_schema(plain)
    except (SchemaError, RecursionError):
        return None
    return Draft202012Validator(plain, registry=Registry())


def _plain(schema: Any) -> Any:
    """The schema with type names as JSON Schema has them, and without those it does not know."""
    if isinstance(schema, list):
        return [_plain(inner) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {name: _plain(inner) for name, inner in schema.items() if name not in ("$ref", "$schema", "$id")}
    kind = schema.get("type")
    if isinstance(kind, str):
        word = kind.partition(",")[0].partition("[")[0].strip().lower()
        word = TYPES.get(word, word)
        plain.pop("type")
        if word in KNOWN:
            plain["type"] = word
    if isinstance(schema.get("pattern"), str):  # a stranger's pattern can take forever
        plain.pop("pattern")
    if isinstance(schema.get("required"), bool):  # a parameter's own flag, which belongs to its object
        plain.pop("required")
    return plain
