"""Tripwires: what must not go out of the model, looked for in every answer.

Three things are looked for. A *canary* planted in training, or a value whose keyed fingerprint is in the vault, is a
breach: the model recites what was removed or planted. Personal data and secrets of the policy's types, found by the
sanitiser, are masked. What the requester said in the same conversation is neither: it may be said back.

Fingerprints are compared for the sanitiser's findings and for every run of up to ``RUN`` words, so that a value is also
found where the sanitiser does not see what it is. Values that many people share (a first name, an age) are left out.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from assets.corpus.canaries import Canary
from resources.vault import Entry

if TYPE_CHECKING:
    from assets.sanitized.detector import Detector

RUN = 6  # words
SHORTEST = 6  # characters of a value that may be a breach by itself
SHARED = frozenset({"AGE", "DATE", "POSTCODE", "LOCATION", "TITLE", "ORGANIZATION", "NATIONALITY"})
POSSESSIVE = ("'s", "’s")
_WORD = re.compile(r"\S+")
_EDGES = ".,;:!?\"'()[]{}<>*_`“”‘’"
_SIGNS = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Found:
    """Something in an answer, characters ``start`` to ``end``. ``name`` is a type, or a canary's name."""

    kind: Literal["canary", "vault", "personal"]
    name: str
    start: int
    end: int
    fingerprint: str = ""

    @property
    def breach(self) -> bool:
        return self.kind != "personal"


class Tripwires:
    """``detector`` None: nothing is masked; no ``values`` and no ``canaries``: nothing is a breach."""

    def __init__(
        self,
        *,
        detector: "Detector | None" = None,
        mask: Sequence[str] = (),
        values: Mapping[str, str] | None = None,
        fingerprint: Callable[[str], str] | None = None,
        canaries: Sequence[Canary] = (),
    ) -> None:
        self._detector, self._mask = detector, frozenset(mask)
        self._values, self._fingerprint = values or {}, fingerprint
        planted = ((canary.name, _plain(canary.secret)) for canary in canaries if canary.planted)
        self._canaries = [(name, secret) for name, secret in planted if secret]

    @property
    def armed(self) -> dict[str, int]:
        """How much is watched for: for the health page."""
        return {
            "canaries": len(self._canaries),
            "vault_values": len(self._values),
            "masked_types": len(self._mask) if self._detector else 0,
        }

    def look(self, text: str, conversation: str) -> list[Found]:
        """What was found in ``text``, in order. ``conversation`` is what the requester's side said before."""
        if not text.strip():
            return []
        heard = _plain(conversation)
        found = [*self._planted(text, heard), *self._removed(text, heard), *self._personal(text, heard)]
        return sorted(found, key=lambda item: (item.start, -item.end))

    def _planted(self, text: str, heard: str) -> Iterable[Found]:
        plain = _plain(text)
        for name, secret in self._canaries:
            if secret in plain and secret not in heard:
                yield Found("canary", name, 0, len(text))

    def _removed(self, text: str, heard: str) -> Iterable[Found]:
        if not self._values or self._fingerprint is None:
            return
        words = [match.span() for match in _WORD.finditer(text)]
        for first in range(len(words)):
            for last in range(first, min(first + RUN, len(words))):
                start, end = _trimmed(text, words[first][0], words[last][1])
                yield from self._known(text, start, end, heard)
                if text[start:end].endswith(POSSESSIVE):
                    yield from self._known(text, start, end - 2, heard)

    def _known(self, text: str, start: int, end: int, heard: str) -> Iterable[Found]:
        value = text[start:end]
        if end - start < SHORTEST or self._fingerprint is None:
            return
        mark = self._fingerprint(value)
        if mark in self._values and _plain(value) not in heard:
            yield Found("vault", self._values[mark], start, end, mark)

    def _personal(self, text: str, heard: str) -> Iterable[Found]:
        if self._detector is None:
            return
        from assets.sanitized.detector import Passage

        for span in self._detector.detect([Passage(text)])[0]:
            yield from self._known(text, span.start, span.end, heard) if self._values else ()
            if span.type in self._mask and _plain(text[span.start : span.end]) not in heard:
                yield Found("personal", span.type, span.start, span.end)


def masked(text: str, found: Iterable[Found]) -> str:
    """The text with each finding replaced by its type in brackets."""
    parts, place = [], 0
    for item in sorted(found, key=lambda item: item.start):
        if item.start >= place:
            parts += [text[place : item.start], f"[{item.name}]"]
            place = item.end
    return "".join([*parts, text[place:]])


def watched_values(entries: Iterable[Entry], fingerprint: Callable[[str], str]) -> dict[str, str]:
    """``{fingerprint: type}`` of the vault's values that are one person's or one account's."""
    return {fingerprint(entry.value): entry.type for entry in entries if is_own(entry)}


def is_own(entry: Entry) -> bool:
    """Whether a removed value is one person's or account's, so that saying it betrays somebody."""
    value = entry.value.strip()
    if entry.type in SHARED or len(value) < SHORTEST:
        return False
    return entry.type != "PERSON" or len(value.split()) > 1


def _plain(text: str) -> str:
    """Letters and digits only, in one case: what spacing and signs cannot hide."""
    return _SIGNS.sub("", text.casefold())


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start] in _EDGES:
        start += 1
    while end > start and text[end - 1] in _EDGES:
        end -= 1
    return start, end
