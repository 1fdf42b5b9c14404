"""What is true of a row, as numbers and categories that expectations can be put on. No text leaves this module.

>>> from assets.record import Origin
>>> origin = Origin("a.jsonl", "v1", 1, "00")
>>> row = Record("r", {"prompt": "Hi\\u200b", "completion": "Hello"}, origin)
>>> facts(row, readable_turns(row)).hidden_characters
1
"""

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

from assets.record import RESPONSE_FIELDS, Form, Message, Record

ROLES = frozenset({"system", "user", "assistant"})
_ORDER = re.compile(r"s?(ua)+")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
# Zero-width space and joiners of no script, bidirectional overrides (Trojan Source, CVE-2021-42574), tag characters
# and the variation selectors that can carry whole messages. Joiners U+200C and U+200D are left out: scripts and emoji
# need them.
_HIDDEN = re.compile(
    "[\u00ad\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f\U000e0100-\U000e01ef]"
)
# The replacement character, noncharacters, private use, and UTF-8 that was read as Latin-1 or Windows-1252.
_DAMAGED = re.compile("[\ufffd\ufdd0-\ufdef\ufffe\uffff\ue000-\uf8ff]|[ÃÂ][\u0080-\u00bf]|â€")


@dataclass(frozen=True, slots=True)
class Facts:
    """One row's facts. Numbers are None where the row's shape does not give them."""

    form: Form
    typed: bool  # text stands wherever text is expected
    roles_known: bool | None = None
    roles_in_order: bool | None = None
    turns: int | None = None
    prompt_characters: int | None = None  # without surrounding blanks
    response_characters: int | None = None
    damaged_characters: int | None = None
    control_characters: int | None = None
    hidden_characters: int | None = None
    language: str | None = None  # None: not judged
    copy_of: int | None = None  # ordinal of the earlier row with the same turns


def readable_turns(record: Record) -> list[Message] | None:
    """The row as chat turns; None where its shape does not give any: no form, no text, or a null where it starts."""
    form, fields = record.form, record.fields
    if form == "other" or not _typed(form, fields) or fields[form] is None:
        return None
    return record.messages()


def facts(record: Record, turns: list[Message] | None) -> Facts:
    """The facts that one row and its ``readable_turns`` give: all but ``language`` and ``copy_of``."""
    form = record.form
    if turns is None:
        return Facts(form, form == "other" or _typed(form, record.fields))
    text = "\n".join(turn.content for turn in turns)
    known = all(turn.role in ROLES for turn in turns)
    return Facts(
        form=form,
        typed=True,
        roles_known=known,
        roles_in_order=bool(_ORDER.fullmatch("".join(turn.role[:1] for turn in turns))) if known else None,
        turns=len(turns),
        prompt_characters=sum(len(turn.content.strip()) for turn in turns if turn.role == "user"),
        response_characters=sum(len(turn.content.strip()) for turn in turns if turn.role == "assistant"),
        damaged_characters=0 if text.isascii() else len(_DAMAGED.findall(text)),
        control_characters=len(_CONTROL.findall(text)),
        hidden_characters=0 if text.isascii() else len(_HIDDEN.findall(text)),
    )


def identity(turns: list[Message]) -> int:
    """128 bits that two rows share when their turns are the same, whatever form they came in."""
    content = json.dumps([[turn.role, turn.content] for turn in turns]).encode()
    return int.from_bytes(hashlib.blake2b(content, digest_size=16).digest())


def _typed(form: Form, fields: dict[str, Any]) -> bool:
    """Whether text stands wherever the form expects it; a null is no text, except where the field may be absent."""
    if form == "messages":
        messages = fields["messages"]
        return messages is None or (
            isinstance(messages, list)
            and all(
                isinstance(turn, dict) and isinstance(turn.get("role"), str) and isinstance(turn.get("content"), str)
                for turn in messages
            )
        )
    names = ("instruction", "input", "output") if form == "instruction" else ("prompt", *RESPONSE_FIELDS)
    return all(isinstance(fields.get(name), str | None) for name in names)
