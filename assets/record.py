"""The record: one row of training data, its own fields kept as they came, with where it came from.

A record keeps the *form* it arrived in (``assets.forms``) rather than being converted, so that a redaction can name
the field it touched. What stages need is derived: ``conversation`` (typed turns), ``texts`` (every text by field
path), and ``messages``, ``prompt`` and ``response`` (what is said, as text).

>>> row = Record("r1", {"instruction": "Say hi", "output": "Hi"}, Origin("a.jsonl", "v1", 1, "00"))
>>> [(turn.role, turn.content) for turn in row.messages()]
[('user', 'Say hi'), ('assistant', 'Hi')]
>>> row.with_texts({"output": "Hello"}).fields["output"]
'Hello'
"""

import copy
import dataclasses
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from assets.forms.conversation import Conversation
from assets.forms.table import OTHER, form_of, read

METADATA_FIELDS = ("source", "author", "created_at")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a record came from. ``line`` is 1-based; ``digest`` is of the original bytes of that line or row.

    ``split`` is the part of the data ("train", "test") where the object names one.
    """

    object_key: str
    version: str
    line: int
    digest: str
    drop: str = ""
    source: str = "unknown"
    author: str = ""
    created_at: str = ""
    split: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """A turn as text: ``content`` is all that is said in it, calls and their arguments included."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Record:
    """``row_id`` is stable: the digest of source object and line (see ``row_id``).

    ``columns``: what the row's own columns are called in the forms, ``{"prompt": "frage"}``, where that was said.
    """

    row_id: str
    fields: dict[str, Any]
    origin: Origin
    columns: Mapping[str, str] = field(default_factory=dict)

    @property
    def form(self) -> str:
        return form_of(self.fields, self.columns)

    def conversation(self) -> Conversation:
        """The record as typed turns; ``FormFault`` where its fields give none."""
        return read(self.fields, self.columns)

    def texts(self) -> Iterator[tuple[str, str]]:
        """Every string in the fields as ``(path, text)``; nested ones as ``messages[2].content``."""
        return ((path, container[key]) for path, container, key in _slots("", self.fields))

    def with_texts(self, texts: Mapping[str, str]) -> "Record":
        """A copy in which the named paths carry new text."""
        fields = copy.deepcopy(self.fields)
        unknown = set(texts)
        for path, container, key in _slots("", fields):
            if path in texts:
                container[key] = texts[path]
                unknown.discard(path)
        if unknown:
            raise KeyError(f"no text at {sorted(unknown)}")
        return dataclasses.replace(self, fields=fields)

    def messages(self) -> list[Message]:
        """The record's turns as text. Empty for the form ``other``; ``FormFault`` where another form is broken."""
        if self.form == OTHER:
            return []
        return [Message(turn.role, turn.full_text) for turn in self.conversation().turns]

    def prompt(self) -> str:
        """Everything the model is given, turns joined by newlines."""
        return "\n".join(turn.content for turn in self.messages() if turn.role != "assistant")

    def response(self) -> str:
        """Everything the model is to learn to say, assistant turns joined by newlines."""
        return "\n".join(turn.content for turn in self.messages() if turn.role == "assistant")

    def to_json(self) -> dict[str, Any]:
        body = {"row_id": self.row_id, "fields": self.fields, "origin": dataclasses.asdict(self.origin)}
        return body | ({"columns": dict(self.columns)} if self.columns else {})

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Record":
        return cls(value["row_id"], value["fields"], Origin(**value["origin"]), value.get("columns", {}))


def row_id(object_digest: str, line: int) -> str:
    """Name of the row at ``line`` of the object whose content has ``object_digest``; 20 hex digits."""
    return hashlib.sha256(f"{object_digest}:{line}".encode()).hexdigest()[:20]


def _slots(path: str, value: Any) -> Iterator[tuple[str, Any, Any]]:
    """``(path, container, key)`` of every string below ``value``."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(items):
        name = f"{path}[{key}]" if isinstance(value, list) else f"{path}.{key}" if path else str(key)
        if isinstance(inner, str):
            yield name, value, key
        else:
            yield from _slots(name, inner)
