"""National identifiers of countries whose languages are not English, by python-stdnum's checksums and Presidio's.

A number of one shape and one check digit is right by chance once in ten: where the checksum is weak, a word of its kind
must be near. After such a word a number of the right shape is believed even if the checksum fails.
"""

import importlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from presidio_analyzer import EntityRecognizer

from assets.sanitized.numbers import pension
from assets.sanitized.numbers.identifiers import NO_ARTIFACTS
from assets.sanitized.rule_file import read_rules
from resources.pii_engine import Entity, Span, SpanRecognizer

RULES = Path(__file__).parent / "national.yaml"
OWN: dict[str, Any] = {"de.rvnr": pension}  # which python-stdnum does not have
BEFORE, AFTER = 60, 40  # characters in which a vouching word counts


@dataclass(frozen=True, slots=True)
class Identifier:
    name: str
    type: str
    shape: re.Pattern[str]
    words: re.Pattern[str]
    alone: bool
    check: Any  # a module with ``is_valid``, or None

    def valid(self, value: str) -> bool:
        return self.check is not None and bool(self.check.is_valid(value))


class NationalRecognizer(SpanRecognizer):
    types = ("NATIONAL_ID", "TAX_ID", "HEALTH_ID", "PASSPORT", "DRIVER_LICENSE", "VEHICLE_ID", "BANK_ACCOUNT")
    trigger = re.compile(r"\d(?:[ ./-]?[\dA-Za-z]){5}")

    def __init__(self, language: str) -> None:
        import presidio_analyzer.predefined_recognizers as stock

        super().__init__()
        rules = read_rules(RULES)
        self._known = [_identifier(rule) for rule in rules["identifiers"] if language in rule["in"]]
        self._stock: list[tuple[EntityRecognizer, str, float | None, re.Pattern[str]]] = [
            (getattr(stock, rule["class"])(), rule["type"], rule["floor"], re.compile(rule["words"], re.I))
            for rule in rules["presidio"]
            if language in rule["in"]
        ]

    def find(self, text: str, entities: Sequence[Entity]) -> Iterator[Span]:
        for known in self._known:
            for match in known.shape.finditer(text):
                valid = known.valid(match[0])
                if (valid and known.alone) or _near(known.words, text, *match.span()):
                    score = 1.0 if valid else 0.7
                    yield Span(*match.span(), known.type, f"national.{known.name}", score)
        for recognizer, type_, floor, words in self._stock:
            for found in recognizer.analyze(text, recognizer.supported_entities, NO_ARTIFACTS) or []:
                if not any(map(str.isdigit, text[found.start : found.end])):
                    continue
                if (floor is not None and found.score >= floor) or _near(words, text, found.start, found.end):
                    yield Span(found.start, found.end, type_, f"presidio.{type(recognizer).__name__}", 0.8)


def _identifier(rule: dict[str, Any]) -> Identifier:
    check = OWN.get(rule["check"]) or (importlib.import_module(f"stdnum.{rule['check']}") if rule["check"] else None)
    shape = re.compile(rf"(?<![\w.,/+-])(?:{rule['shape']})(?![\w]|[./-]\d)")
    return Identifier(
        rule["check"] or rule["type"].lower(),
        rule["type"],
        shape,
        re.compile(rule["words"], re.I),
        rule["alone"],
        check,
    )


def _near(words: re.Pattern[str], text: str, start: int, end: int) -> bool:
    return (
        words.search(text, max(0, start - BEFORE), start) is not None
        or words.search(text, end, min(len(text), end + AFTER)) is not None
    )
