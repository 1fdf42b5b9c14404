"""What stands in one cell or one message: text, parts of a content list, numbers, JSON written as text."""

import json
from typing import Any

from assets.forms.conversation import FormFault, Text, ToolCall

TEXT_PARTS = frozenset({"text", "input_text", "output_text"})
MEDIA_PARTS = frozenset(
    "image image_url input_image audio audio_url input_audio video video_url file input_file document".split()
)
CALL_PARTS = frozenset({"tool_use", "tool_call"})


def parse_json(text: str) -> Any:
    """The JSON value in a text; ``ValueError`` where it is none, or one that two readers could read differently."""
    return json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("an object names a key twice")
    return value


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")


def json_or_text(value: Any) -> Any:
    """The value of JSON text; anything else as it is."""
    if isinstance(value, str):
        try:
            return parse_json(value)
        except (ValueError, RecursionError):
            return value
    return value


def text_of(value: Any, path: str, *, number: bool = False) -> tuple[Text, ...]:
    """A cell that should hold text; a number where an answer may be one. Nothing from a null or an empty text."""
    if value is None or value == "":
        return ()
    if isinstance(value, str):
        return (Text(path, value),)
    if number and isinstance(value, int | float) and not isinstance(value, bool):
        return (Text(path, json.dumps(value)),)
    raise FormFault("not-text", f"{_kind(value)} stands where text is expected")


def parts_of(content: Any, path: str) -> tuple[list[Text], list[Text], list[ToolCall]]:
    """Texts, reasoning and calls of a message's content list; ``FormFault`` names a part that is no text."""
    texts: list[Text] = []
    thoughts: list[Text] = []
    calls: list[ToolCall] = []
    for place, part in enumerate(content):
        at = f"{path}[{place}]"
        if isinstance(part, str):
            texts.append(Text(at, part))
            continue
        kind = part.get("type", "text") if isinstance(part, dict) else None
        if kind in MEDIA_PARTS:
            raise FormFault("image-or-audio", f"a message has a part of type {kind}; only text can be learnt here")
        if kind in TEXT_PARTS and isinstance(part.get("text"), str):
            texts.append(Text(f"{at}.text", part["text"]))
        elif kind in ("thinking", "reasoning") and isinstance(part.get(kind, part.get("text")), str):
            key = kind if kind in part else "text"
            thoughts.append(Text(f"{at}.{key}", part[key]))
        elif kind == "refusal" and isinstance(part.get("refusal"), str):
            texts.append(Text(f"{at}.refusal", part["refusal"]))
        elif kind in CALL_PARTS:
            arguments = part.get("input", part.get("arguments", {}))
            calls.append(ToolCall(str(part.get("name") or ""), arguments, str(part.get("id") or ""), at))
        else:
            raise FormFault("not-text", "a message's content has a part that is neither text nor a known kind of part")
    return texts, thoughts, calls


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "a truth value"
    if isinstance(value, int | float):
        return "a number"
    return "a list" if isinstance(value, list) else "a structure"
