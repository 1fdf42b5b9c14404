"""What stands in place of a value: typed placeholders that stay the same through a record, or surrogates.

``[PERSON_1]`` is one person in every turn of a record: "Nicole Mahler", "Nicole" and "ms. Mahler" share a number. The
text says who is who; the value is only in the vault.
"""

import hashlib
import re
from collections.abc import Iterable

from assets.sanitized.people.lexicon import SEEDS
from assets.sanitized.redaction.spans import PLACEHOLDER

LETTERS = re.compile(r"[^\W\d_]+")


class Placeholders:
    """Names for the values of one record. ``reserve`` takes note of placeholders that the texts already carry."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, str], int] = {}
        self._people: dict[int, frozenset[str]] = {}
        self._last: dict[str, int] = {}

    def reserve(self, texts: Iterable[str]) -> None:
        for text in texts:
            for match in PLACEHOLDER.finditer(text):
                type_, _, number = match[0][1:-1].rpartition("_")
                if len(number) < 10:  # a longer one is no count of ours, and would make the next one as long
                    self._last[type_] = max(self._last.get(type_, 0), int(number))

    def replacement(self, type_: str, value: str) -> str:
        return f"[{type_}_{self.number(type_, value)}]"

    def number(self, type_: str, value: str) -> int:
        key = (type_, _canonical(value))
        if key not in self._numbers:
            known = self._same_person(value) if type_ == "PERSON" else None
            if known is None:
                known = self._last[type_] = self._last.get(type_, 0) + 1
            self._numbers[key] = known
            if type_ == "PERSON":
                self._people[known] = self._people.get(known, frozenset()) | _names(value)
        return self._numbers[key]

    def _same_person(self, value: str) -> int | None:
        """A person whose names contain these, or are contained in them; None if no one or more than one fits."""
        names = _names(value)
        fitting = [number for number, known in self._people.items() if names and (names <= known or known <= names)]
        return fitting[0] if len(fitting) == 1 else None


class Surrogates(Placeholders):
    """Realistic stand-ins, chosen by the value's number and its keyed fingerprint, from ranges reserved for fiction."""

    def __init__(self, salt: str) -> None:
        super().__init__()
        self._salt = salt

    def replacement(self, type_: str, value: str) -> str:
        number = self.number(type_, value)
        seed = int.from_bytes(hashlib.sha256(f"{self._salt}:{type_}:{number}".encode()).digest()[:8], "big")
        first = SEEDS["given"][seed % 180].title()
        last = SEEDS["family"][(seed >> 16) % len(SEEDS["family"])].title()
        made = {
            "PERSON": f"{first} {last}" if len(_names(value)) > 1 else first,
            "EMAIL_ADDRESS": f"{first.lower()}.{last.lower()}@example.com",
            "PHONE_NUMBER": f"555-01{seed % 100:02d}",  # the range kept for fiction in North America
            "STREET_ADDRESS": f"{seed % 900 + 10} Example Street",
            "IP_ADDRESS": f"192.0.2.{seed % 254 + 1}",  # TEST-NET-1, RFC 5737
            "AGE": str(20 + seed % 60),
        }
        return made.get(type_, f"[{type_}_{number}]")


def _canonical(value: str) -> str:
    return re.sub(r"[\W_]+", "", value.casefold()) or value


def _names(value: str) -> frozenset[str]:
    return frozenset(word for word in LETTERS.findall(value.casefold()) if len(word) > 1)
