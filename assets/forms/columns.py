"""A row's columns by the names that forms know, whatever their case, and by a mapping where they are called otherwise.

>>> row = Columns({"Frage": "Wo?", "Antwort": "Hier."}, {"prompt": "frage", "completion": "Antwort"})
>>> row.path("prompt"), row.value("completion"), row.has("messages")
('Frage', 'Hier.', False)
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from resources.errors import InputError

METADATA = ("source", "author", "reviewer", "created_at")
CHATS = ("messages", "conversations", "conversation")
ANSWERS = ("output", "completion", "response", "answer")
REASONING = ("reasoning_content", "reasoning", "thinking")
SYSTEM = ("system", "system_prompt")
MEDIA = ("images", "image", "audios", "audio", "videos", "video")
# Every column some form reads; a fault in any other one is nobody's loss.
READ = frozenset(
    {*METADATA, *CHATS, *ANSWERS, *REASONING, *SYSTEM, *MEDIA, "instruction", "prompt", "question", "query", "input"}
    | {"context", "history", "text", "chat", "tools", "functions", "answers", "chosen", "rejected", "label", "kto_tag"}
    | {"preferred_output", "non_preferred_output"}
)
# What a mapping may name: a column, or the keys of a message.
MAPPABLE = READ | {"role", "content"}
_SHOWABLE = re.compile(r"[^\W\d]+(?:[_.-][^\W\d]+)*\d{0,2}")
_SHOWN = 12


class Columns:
    """One row's fields. ``mapping`` is ``{name that forms know: the row's own column}``."""

    def __init__(self, fields: Mapping[str, Any], mapping: Mapping[str, str]) -> None:
        self.fields, self.mapping = fields, mapping
        self._own: dict[str, str] = {}
        for name in fields:
            self._own.setdefault(name.strip().lower(), name)
        self._own.update((name.strip().lower(), name) for name in fields if name == name.strip().lower())

    def path(self, name: str) -> str:
        """The row's own name of a column."""
        wanted = self.mapping.get(name, name)
        return wanted if wanted in self.fields else self._own.get(wanted.strip().lower(), wanted)

    def has(self, name: str) -> bool:
        """Whether the row has the column, if only with a null in it."""
        return self.path(name) in self.fields

    def value(self, name: str) -> Any:
        return self.fields.get(self.path(name))

    def filled(self, name: str) -> bool:
        """Whether something stands in the column; 0 is something."""
        value = self.value(name)
        return not (value is None or (isinstance(value, str | list) and not value))

    def first(self, names: Iterable[str]) -> str:
        """The first of ``names`` that is filled, else the first that is there, else an empty text."""
        here = [name for name in names if self.has(name)]
        return next((name for name in here if self.filled(name)), here[0] if here else "")


def unread(fields: Mapping[str, Any], mapping: Mapping[str, str]) -> list[str]:
    """The columns of a row that no form reads."""
    own = {name.strip().lower() for name in mapping.values()}
    return [name for name in fields if name.strip().lower() not in READ | own]


def shown(names: Iterable[str]) -> str:
    """Columns for a message: a name that could be somebody's, or a value, is counted instead."""
    names = list(names)
    listed = [name for name in names[:_SHOWN] if len(name) <= 40 and _SHOWABLE.fullmatch(name)]
    hidden = len(names) - len(listed)
    return ", ".join(listed) + (f"{' and ' if listed else ''}{hidden} more" if hidden else "")


def parse_mapping(words: Iterable[str]) -> dict[str, str]:
    """``["prompt=frage,completion=antwort"]`` as a mapping; ``InputError`` says what is wrong with it."""
    pairs = [pair for word in words for pair in word.split(",") if pair.strip()]
    return checked({name.strip(): own.strip() for name, _, own in (pair.partition("=") for pair in pairs)}, "--columns")


def checked(mapping: Mapping[str, Any], where: str) -> dict[str, str]:
    """A mapping whose names forms know; ``InputError`` otherwise."""
    for name, own in mapping.items():
        if name not in MAPPABLE:
            message = f"no form has a column {name!r}; they have {', '.join(sorted(MAPPABLE))}"
            raise InputError(message, object_key=where, rule="columns-known")
        if not isinstance(own, str) or not own:
            raise InputError(f"columns.{name} must name a column", object_key=where, rule="columns-known")
    return dict(mapping)
