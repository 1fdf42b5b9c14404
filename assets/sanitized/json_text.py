"""JSON that a row carries as text: arguments of a call, results, declared tools.

It is opened to be read, leaf by leaf and key by key, and what was changed is written back into the same text, which
stays JSON and keeps its layout.

>>> opened = open_json('{"to": "Ann", "box": 7}')
>>> opened.closed({"to": "[PERSON_1]", "box": 7})
'{"to": "[PERSON_1]", "box": 7}'
>>> opened.place(1, 0, 3)
(8, 11)
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from assets.forms.cells import parse_json

_DECODER = json.JSONDecoder()
NEXT = re.compile(r'"|-?\d[\d.eE+-]*')


@dataclass(frozen=True, slots=True)
class JsonText:
    """``spans`` are the places in ``raw`` of every key, string and number, in order; a string's without its quotes."""

    raw: str
    value: Any
    spans: tuple[tuple[int, int], ...]

    def closed(self, value: Any) -> str:
        """``raw`` with the keys and leaves of ``value``, which has the shape of the original."""
        pieces: list[str] = []
        position = 0
        for (start, end), was, now in zip(self.spans, _tokens(self.value), _tokens(value), strict=True):
            if was == now:
                continue
            quoted = self.raw[start - 1 : start] == '"'
            said = json.dumps(now, ensure_ascii=self.raw.isascii())
            pieces += [self.raw[position:start], said[1:-1] if quoted else said]
            position = end
        return "".join([*pieces, self.raw[position:]])

    def place(self, number: int, start: int, end: int) -> tuple[int, int]:
        """Where characters ``start`` to ``end`` of a leaf's text stand in ``raw``; a number counts whole."""
        first, last = self.spans[number]
        if self.raw[first - 1 : first] != '"':
            return first, last
        places = list(characters(self.raw, first, last))
        return places[start], places[end]


def open_json(raw: str) -> JsonText | None:
    """The JSON container in a text; None where the text is none."""
    if raw.lstrip()[:1] not in ("{", "["):
        return None
    try:
        value = parse_json(raw)
    except (ValueError, RecursionError):
        return None
    spans = []
    position = 0
    while found := NEXT.search(raw, position):
        start, position = found.span()
        if found[0] == '"':
            start, position = position, _DECODER.raw_decode(raw, start)[1]
            spans.append((start, position - 1))
        else:
            spans.append((start, position))
    return JsonText(raw, value, tuple(spans))


def leaf_paths(value: Any, path: str) -> Iterator[str | None]:
    """The field path of each key (None) and leaf of ``value``, in the order of ``JsonText.spans``."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield None
            yield from leaf_paths(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from leaf_paths(inner, f"{path}[{place}]")
    elif _is_token(value):
        yield path


def _tokens(value: Any) -> Iterator[str | int | float]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield str(key)
            yield from _tokens(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _tokens(inner)
    elif _is_token(value):
        yield value


def _is_token(value: Any) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def characters(raw: str, start: int, end: int) -> Iterator[int]:
    """Where each character of a JSON string begins, and where it ends: an escape is one character of up to twelve."""
    place = start
    while place < end:
        yield place
        if raw[place] != "\\":
            place += 1
        elif raw[place + 1] != "u":
            place += 2
        else:
            pair = (
                raw[place + 2 : place + 4].lower() in ("d8", "d9", "da", "db") and raw[place + 6 : place + 8] == "\\u"
            )
            place += 12 if pair else 6
    yield end
