"""JSON that is written inside a text: a call in its tags, a block of code. What is redacted in it must leave it JSON.

A span is cut to the strings that it touches, so that no quote, comma or name of a field goes with it; of a number the
whole goes, and what stands in its place is a string.

>>> from resources.pii_engine import Span
>>> text = 'Pay: {"card": 4111111111111111}'
>>> [(text[each.start : each.end], quoted) for each, quoted in fitted(text, [Span(14, 20, "CREDIT_CARD", "card", 1.0)])]
[('4111111111111111', True)]
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from assets.sanitized.json_text import NEXT, characters
from resources.pii_engine import Span

_DECODER = json.JSONDecoder()
_OPENS = re.compile(r'[{\[](?=\s*["{\[\d-])')
_KEY = re.compile(r'"\s*:')


@dataclass(frozen=True, slots=True)
class Token:
    """A string's characters without its quotes, or a number; ``key``: the string is the name of a field."""

    start: int
    end: int
    quoted: bool
    key: bool


def fitted(text: str, spans: Sequence[Span]) -> list[tuple[Span, bool]]:
    """The spans as they can be taken out, and whether what takes their place must be put in quotes."""
    parts = list(_containers(text, spans))
    if not parts:
        return [(span, False) for span in spans]
    tokens = [token for start, end in parts for token in _tokens(text, start, end)]
    found: dict[tuple[int, int], tuple[Span, bool]] = {}
    for span in spans:
        for piece, quote in _pieces(text, span, parts, tokens):
            found.setdefault((piece.start, piece.end), (piece, quote))
    taken: list[tuple[Span, bool]] = []
    for at in sorted(found):
        if not taken or taken[-1][0].end <= at[0]:  # what meets another is found when the text is read again
            taken.append(found[at])
    return taken


def _containers(text: str, spans: Sequence[Span]) -> Iterator[tuple[int, int]]:
    """Where JSON containers begin and end, outermost first; none behind the last span."""
    last = max((span.end for span in spans), default=0)
    position = 0
    while (opening := _OPENS.search(text, position)) and opening.start() < last:
        try:
            _, position = _DECODER.raw_decode(text, opening.start())
        except (ValueError, RecursionError):
            position = opening.end()
        else:
            yield opening.start(), position


def _tokens(text: str, start: int, end: int) -> Iterator[Token]:
    while found := NEXT.search(text, start, end):
        first, start = found.span()
        if found[0] == '"':
            first, start = start, _DECODER.raw_decode(text, first)[1]
            yield Token(first, start - 1, True, _KEY.match(text, start - 1) is not None)
        else:
            yield Token(first, start, False, False)


def _pieces(
    text: str, span: Span, parts: Sequence[tuple[int, int]], tokens: Sequence[Token]
) -> Iterator[tuple[Span, bool]]:
    edges = [0, *(edge for part in parts for edge in part), len(text)]
    for start, end in list(pairwise(edges))[::2]:  # between the containers
        if max(start, span.start) < min(end, span.end):
            yield replace(span, start=max(start, span.start), end=min(end, span.end)), False
    for token in tokens:
        start, end = max(token.start, span.start), min(token.end, span.end)
        if start >= end or (token.key and not (token.start <= span.start and span.end <= token.end)):
            continue
        if not token.quoted:
            yield replace(span, start=token.start, end=token.end), True
        elif any(map(str.isalnum, text[start:end])):
            start, end = _whole(text, token, start, end)
            yield replace(span, start=start, end=end), False


def _whole(text: str, token: Token, start: int, end: int) -> tuple[int, int]:
    """The edges moved out of the middle of an escape; a line break before a value stays."""
    places = list(characters(text, token.start, token.end))
    before = max(place for place in places if place <= start)
    if before < start:
        start = before if text[before + 1] == "u" else min(place for place in places if place >= start)
    return start, min(place for place in places if place >= end)
