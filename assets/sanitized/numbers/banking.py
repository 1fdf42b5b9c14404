"""Numbers of cards and bank accounts: a checksum or a word nearby must vouch for one."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from assets.sanitized.rule_file import read_rules
from resources.pii_engine import Entity, Span, SpanRecognizer

CARD = re.compile(r"(?<![\w.,+-])(?:\d[ .-]?){11,18}\d(?![\w]|[.,]\d)")
CARD_WORD = re.compile(
    r"\b(?:credit|debit|card|cards|cc|visa|master\s?card|amex|american express|maestro|diners|cvv|crrdit)\b", re.I
)
IBAN = re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]{1,4}){2,10}(?!\w)", re.I)
IBAN_LENGTH: dict[str, int] = read_rules(Path(__file__).parent / "iban_lengths.yaml")


def luhn(digits: str) -> bool:
    """The checksum of card numbers (ISO/IEC 7812-1)."""
    total = 0
    for index, digit in enumerate(map(int, reversed(digits))):
        doubled = digit * 2 if index % 2 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


def iban_valid(value: str) -> bool:
    """ISO 13616: known country, its length, and mod 97 equal to 1."""
    compact = re.sub(r"[ -]", "", value).upper()
    if IBAN_LENGTH.get(compact[:2]) != len(compact):
        return False
    turned = compact[4:] + compact[:4]
    return int("".join(str(int(character, 36)) for character in turned)) % 97 == 1


class CardRecognizer(SpanRecognizer):
    types = ("CREDIT_CARD",)
    trigger = re.compile(r"\d(?:[ .-]?\d){11}")

    def find(self, text: str, entities: Sequence[Entity]) -> Iterator[Span]:
        for match in CARD.finditer(text):
            digits = re.sub(r"\D", "", match[0])
            near = text[max(0, match.start() - 60) : match.end() + 30]
            named = CARD_WORD.search(near) is not None
            if len(set(digits)) == 1 and not named:
                continue
            if (
                luhn(digits)
                and digits[0] in "234569"
                and (named or len(digits) in (15, 16) or len(match[0]) > len(digits))
            ):
                yield Span(*match.span(), "CREDIT_CARD", "card.luhn", 1.0)
            elif named:
                yield Span(*match.span(), "CREDIT_CARD", "card.context", 0.8)


class BankNumberRecognizer(SpanRecognizer):
    types = ("IBAN_CODE",)
    trigger = re.compile(r"[A-Za-z]{2}\d{2}[ -]?[A-Za-z0-9]{4}")

    def find(self, text: str, entities: Sequence[Entity]) -> Iterator[Span]:
        for match in IBAN.finditer(text):
            value = match[0]
            country = IBAN_LENGTH.get(value[:2].upper())
            if country is None:
                continue
            end = _end_of(value, country)  # a greedy match may have run into the next word
            named = "iban" in text[max(0, match.start() - 40) : match.start()].lower()
            if end and iban_valid(value[:end]):
                yield Span(match.start(), match.start() + end, "IBAN_CODE", "iban.checksum", 1.0)
            elif named and len(re.sub(r"[ -]", "", value)) >= 14 and sum(map(str.isdigit, value)) >= 8:
                yield Span(match.start(), match.start() + (end or len(value)), "IBAN_CODE", "iban.context", 0.8)


def _end_of(value: str, length: int) -> int:
    """Where the ``length``-th letter or digit of ``value`` ends, 0 if it has fewer."""
    seen = 0
    for index, character in enumerate(value):
        seen += character.isalnum()
        if seen == length:
            return index + 1
    return 0
