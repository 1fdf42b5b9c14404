"""What is true of a row, as numbers and categories that expectations can be put on. No text leaves this module.

>>> from assets.record import Origin
>>> origin = Origin("a.jsonl", "v1", 1, "00")
>>> row = Record("r", {"prompt": "Hi\\u200b", "completion": "Hello"}, origin)
>>> facts(row, row.conversation()).hidden_characters
1
"""

import hashlib
import json
import re
from dataclasses import dataclass

from assets.forms.call_rules import misfits
from assets.forms.conversation import Conversation, FormFault
from assets.record import Record

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

    form: str
    fault: str | None = None  # the rule by which the form could not be read
    turns: int | None = None
    prompt_characters: int | None = None  # without surrounding blanks
    response_characters: int | None = None
    damaged_characters: int | None = None
    control_characters: int | None = None
    hidden_characters: int | None = None
    misfits: str | None = None  # the first rule that a call breaks against its declaration
    language: str | None = None  # None: not judged
    copy_of: int | None = None  # ordinal of the earlier row with the same turns


def facts(record: Record, read: Conversation | FormFault) -> Facts:
    """The facts that one row and its reading give: all but ``language`` and ``copy_of``."""
    if isinstance(read, FormFault):
        return Facts(record.form, read.rule)
    text = "\n".join(turn.full_text for turn in read.turns)
    answer = sum(len(turn.full_text.strip()) for turn in read.turns if turn.learnt)
    asked = sum(len(turn.full_text.strip()) for turn in read.turns if turn.role in ("user", "tool"))
    return Facts(
        form=record.form,
        turns=len(read.turns),
        prompt_characters=answer if read.plain else asked,  # a plain text is asked by nobody
        response_characters=answer,
        damaged_characters=0 if text.isascii() else len(_DAMAGED.findall(text)),
        control_characters=len(_CONTROL.findall(text)),
        hidden_characters=0 if text.isascii() else len(_HIDDEN.findall(text)),
        misfits=next(misfits(read), None),
    )


def identity(read: Conversation) -> int:
    """128 bits that two rows share when their turns are the same, whatever form they came in."""
    content = json.dumps([[turn.role, turn.full_text, turn.learnt] for turn in read.turns]).encode()
    return int.from_bytes(hashlib.blake2b(content, digest_size=16).digest())
