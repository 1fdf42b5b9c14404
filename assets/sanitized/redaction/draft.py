"""A record while it is redacted: its texts, the edits made to each, and the way back to the original characters."""

import bisect
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from resources.pii_engine import Span

NAME_PART = re.compile(r"[^\W\d_][\w'’-]+")


@dataclass(frozen=True, slots=True, order=True)
class Redaction:
    """Characters ``start`` to ``end`` of the original text of ``field`` are replaced."""

    field: str
    start: int
    end: int
    type: str
    rule: str
    fingerprint: str
    replacement: str


@dataclass(slots=True)
class DraftText:
    """One text with its edits, in original offsets, sorted and disjoint."""

    original: str
    current: str = ""
    _edits: list[tuple[int, int, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.current = self.original

    def place(self, span: Span) -> tuple[int, int]:
        """The original offsets of a span of ``current`` that touches no replacement."""
        shift = 0
        for start, end, replacement in self._edits:
            if start + shift >= span.start:
                break
            shift += len(replacement) - (end - start)
        return span.start - shift, span.end - shift

    def edit(self, edits: Iterable[tuple[int, int, str]]) -> None:
        for one in edits:
            bisect.insort(self._edits, one)
        pieces: list[str] = []
        position = 0
        for start, end, replacement in self._edits:
            pieces += [self.original[position:start], replacement]
            position = end
        pieces.append(self.original[position:])
        self.current = "".join(pieces)


def echoes(text: str, values: Iterable[tuple[str, str]], is_name: Callable[[str], bool]) -> list[Span]:
    """Further occurrences in ``text`` of values ``(type, value)`` already found in the record, as whole words."""
    spans = []
    for type_, value in values:
        for form in _forms(type_, value, is_name):
            at = text.find(form)
            while at >= 0:
                end = at + len(form)
                if not (text[at - 1 : at].isalnum() or text[end : end + 1].isalnum()):
                    spans.append(Span(at, end, type_, "echo", 0.0))
                at = text.find(form, end)
    return spans


def _forms(type_: str, value: str, is_name: Callable[[str], bool]) -> Iterator[str]:
    value = value.strip()
    if type_ == "PERSON":
        yield value
        words = NAME_PART.findall(value)
        if len(words) > 1:
            yield from (word for word in words if is_name(word))
    elif len(value) >= 5:
        yield value
