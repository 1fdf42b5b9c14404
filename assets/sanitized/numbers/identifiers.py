"""National identifiers: social security numbers by their form, and Presidio's own recognisers with their checksums."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from presidio_analyzer import EntityRecognizer

from assets.sanitized.rule_file import read_rules
from resources.pii_engine import Entity, Span, SpanRecognizer

NO_ARTIFACTS: Any = None  # pattern recognisers read none
DIGITS = re.compile(r"\d(?:[ .-]?\d){6}")
MIXED = re.compile(
    r"\b(?:[A-Za-z]{1,6}\d|\d{1,9}[A-Za-z])[A-Za-z0-9]{4,}|\d{6}[-+A]\d{3}[0-9A-Z]|\b[A-Za-z]{2}(?: \d\d){3} [A-Za-z]\b"
)
RULES = read_rules(Path(__file__).parent / "identifiers.yaml")
CONTEXT = {type_: re.compile(words, re.I) for type_, words in RULES["words"].items()}
# Ethereum (EIP-55 leaves both cases), Tron, and Litecoin with Segwit.
WALLET = re.compile(r"(?<!\w)(?:0x[0-9a-fA-F]{40}|T[1-9A-HJ-NP-Za-km-z]{33}|ltc1[02-9ac-hj-np-z]{38,58})(?!\w)")
SSN = re.compile(r"(?<![\w-])(?!000)\d{3}([- .])(?!00)\d{2}\1(?!0000)\d{4}(?![\w-])")


class SsnRecognizer(SpanRecognizer):
    types = ("US_SSN",)
    trigger = re.compile(r"\d{3}[- .]\d{2}[- .]\d{4}")

    def find(self, text: str, entities: Sequence[Entity]) -> Iterator[Span]:
        for match in SSN.finditer(text):
            yield Span(*match.span(), "US_SSN", "ssn", 0.9)


class WalletRecognizer(SpanRecognizer):
    types = ("CRYPTO_WALLET",)
    trigger = WALLET

    def find(self, text: str, entities: Sequence[Entity]) -> Iterator[Span]:
        for match in WALLET.finditer(text):
            yield Span(*match.span(), "CRYPTO_WALLET", "wallet", 0.9)


class IdentifierRecognizer(SpanRecognizer):
    """A stock pattern that proves nothing by itself is taken only within sixty characters of a word of its type."""

    types = tuple(CONTEXT)
    trigger = re.compile(rf"{DIGITS.pattern}|{MIXED.pattern}")

    def __init__(self) -> None:
        import presidio_analyzer.predefined_recognizers as stock

        super().__init__()
        self._stock: list[tuple[EntityRecognizer, str, float | None]] = [
            (getattr(stock, name)(), type_, floor) for name, type_, floor in RULES["recognizers"]
        ]

    def find(self, text: str, entities: Sequence[Entity]) -> Iterator[Span]:
        named = {type_ for type_, pattern in CONTEXT.items() if pattern.search(text)}
        letters = MIXED.search(text) is not None
        for recognizer, type_, floor in self._stock:
            if type_ not in named and (floor is None or not letters):
                continue
            for result in recognizer.analyze(text, recognizer.supported_entities, NO_ARTIFACTS) or []:
                if not any(map(str.isdigit, text[result.start : result.end])):
                    continue  # a stock pattern takes any word of ten letters for a number
                if floor is not None and result.score >= floor:
                    yield Span(result.start, result.end, type_, f"presidio.{type(recognizer).__name__}", result.score)
                elif CONTEXT[type_].search(text, max(0, result.start - 60), result.end + 30):
                    yield Span(result.start, result.end, type_, f"presidio.{type(recognizer).__name__}", 0.8)
