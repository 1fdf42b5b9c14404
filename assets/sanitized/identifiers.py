# ruff: noqa: E501 - a pattern broken over lines is harder to read than a long one
"""National identifiers with checksums: Presidio's own recognisers, asked only about texts that could hold one."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from presidio_analyzer import EntityRecognizer

from resources.pii_engine import Entity, Span, SpanRecognizer

NO_ARTIFACTS: Any = None  # pattern recognisers read none
DIGITS = re.compile(r"\d(?:[ .-]?\d){6}")
MIXED = re.compile(
    r"\b(?:[A-Za-z]{1,6}\d|\d{1,9}[A-Za-z])[A-Za-z0-9]{4,}|\d{6}[-+A]\d{3}[0-9A-Z]|\b[A-Za-z]{2}(?: \d\d){3} [A-Za-z]\b"
)
WORDS = {
    "NATIONAL_ID": r"national|identity|\bid\b|citizen|nif|nie|pesel|aadhaar|nino|insurance|personal|codice|fiscal|tckn|hetu",
    "HEALTH_ID": r"nhs|medicare|health|patient|insurance|npi|mbi",
    "TAX_ID": r"\btax|tfn|abn|acn|itin|vat|\bpan\b",
    "PASSPORT": r"passport",
    "DRIVER_LICENSE": r"driv|licen[cs]e",
    "CRYPTO_WALLET": r"bitcoin|btc|wallet|crypto",
}
CONTEXT = {type_: re.compile(words, re.I) for type_, words in WORDS.items()}
# Presidio class, type here, and the score from which the form alone is believed; None: a word of the type must be near.
STOCK: tuple[tuple[str, str, float | None], ...] = (
    ("CryptoRecognizer", "CRYPTO_WALLET", 0.9),
    ("UsItinRecognizer", "TAX_ID", None),
    ("UsPassportRecognizer", "PASSPORT", None),
    ("UsLicenseRecognizer", "DRIVER_LICENSE", None),
    ("UsMbiRecognizer", "HEALTH_ID", None),
    ("NhsRecognizer", "HEALTH_ID", None),
    ("UkNinoRecognizer", "NATIONAL_ID", None),
    ("EsNifRecognizer", "NATIONAL_ID", 1.0),
    ("EsNieRecognizer", "NATIONAL_ID", 1.0),
    ("ItFiscalCodeRecognizer", "NATIONAL_ID", 1.0),
    ("ItDriverLicenseRecognizer", "DRIVER_LICENSE", None),
    ("FiPersonalIdentityCodeRecognizer", "NATIONAL_ID", 1.0),
    ("SgFinRecognizer", "NATIONAL_ID", 1.0),
    ("InPanRecognizer", "TAX_ID", 0.8),
    ("InAadhaarRecognizer", "NATIONAL_ID", None),
    ("PlPeselRecognizer", "NATIONAL_ID", None),
    ("AuTfnRecognizer", "TAX_ID", None),
    ("AuMedicareRecognizer", "HEALTH_ID", None),
    ("SePersonnummerRecognizer", "NATIONAL_ID", None),
)


class IdentifierRecognizer(SpanRecognizer):
    """A stock pattern that proves nothing by itself is taken only within sixty characters of a word of its type."""

    types = tuple(WORDS)
    trigger = re.compile(rf"{DIGITS.pattern}|{MIXED.pattern}")

    def __init__(self) -> None:
        import presidio_analyzer.predefined_recognizers as stock

        super().__init__()
        self._stock: list[tuple[EntityRecognizer, str, float | None]] = [
            (getattr(stock, name)(), type_, floor) for name, type_, floor in STOCK
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
