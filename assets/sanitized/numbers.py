# ruff: noqa: E501 - a pattern broken over lines is harder to read than a long one
"""Numbers that name a person's account or line: cards, IBANs, social security numbers, telephones.

A checksum, a form or a word nearby must vouch for a number; digits alone are not personal.
"""

import re
from collections.abc import Iterator, Sequence

from resources.pii_engine import Entity, Span, SpanRecognizer

CARD = re.compile(r"(?<![\w.,+-])(?:\d[ .-]?){11,18}\d(?![\w]|[.,]\d)")
CARD_WORD = re.compile(
    r"\b(?:credit|debit|card|cards|cc|visa|master\s?card|amex|american express|maestro|diners|cvv|crrdit)\b", re.I
)
IBAN = re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]{2,4}){2,8}(?!\w)", re.I)
IBAN_LENGTH = dict(
    pair.split(":")
    for pair in (
        "AD:24 AE:23 AL:28 AT:20 AZ:28 BA:20 BE:16 BG:22 BH:22 BR:29 BY:28 CH:21 CR:22 CY:28 CZ:24 DE:22 DK:18 DO:28 EE:20 "
        "EG:29 ES:24 FI:18 FO:18 FR:27 GB:22 GE:22 GI:23 GL:18 GR:27 GT:28 HR:21 HU:28 IE:22 IL:23 IQ:23 IS:26 IT:27 JO:30 "
        "KW:30 KZ:20 LB:28 LC:32 LI:21 LT:20 LU:20 LV:21 LY:25 MC:27 MD:24 ME:22 MK:19 MR:27 MT:31 MU:30 NL:18 NO:15 PK:24 "
        "PL:28 PS:29 PT:25 QA:29 RO:24 RS:22 SA:24 SC:31 SD:18 SE:24 SI:19 SK:24 SM:27 ST:25 SV:28 TL:23 TN:24 TR:26 UA:29 "
        "VA:22 VG:24 XK:20"
    ).split()
)
SSN = re.compile(r"(?<![\w-])(?!000)\d{3}([- .])(?!00)\d{2}\1(?!0000)\d{4}(?![\w-])")
PHONE = re.compile(
    r"(?<![\w.,:/#$€£-])"
    r"(?:\+|00)?\(?\d{1,4}\)?(?:[ .\-/]{0,2}\(?\d{1,5}\)?){1,6}"
    r"(?:\s?(?:x|ext\.?|extension|#)\s?\d{1,6})?(?![\w]|[.,]\d|[/:]\d|%)",
    re.I,
)
PHONE_WORD = re.compile(
    r"\b(?:phones?|telephone|tel|mobile|cell(?:phone)?|fax|call(?:ed|ing|s)?|dial|text(?:ed|ing)?|sms|whats\s?app|ring|reach|contact|"
    r"number is|answering|messages? (?:to|at)|desk|landline|hotline|ph)\b",
    re.I,
)
OTHER_WORD = re.compile(
    r"\b(?:order|invoice|ticket|case|isbn|issn|doi|version|rfc|patent|article|section|page|vol|route|flight|zip|population|year|"
    r"serial|part|model|item|sku|tracking|acc(?:oun)?t|policy|claim|booking|confirmation)\b[^.?!\n]{0,18}$",
    re.I,
)
DATE = re.compile(
    r"(?:19|20)\d\d[-/. ](?:0?[1-9]|1[0-2])[-/. ](?:0?[1-9]|[12]\d|3[01])(?:[ T]+\d{1,2}[:.]\d\d.*)?|"
    r"(?:0?[1-9]|[12]\d|3[01])[-/. ](?:0?[1-9]|[12]\d|3[01])[-/. ](?:19|20)\d\d|(?:19|20)\d\d\s?[-–/]\s?(?:19|20)?\d\d"
)


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
    if IBAN_LENGTH.get(compact[:2]) != str(len(compact)):
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
            end = _end_of(value, int(country))  # a greedy match may have run into the next word
            named = "iban" in text[max(0, match.start() - 40) : match.start()].lower()
            if end and iban_valid(value[:end]):
                yield Span(match.start(), match.start() + end, "IBAN_CODE", "iban.checksum", 1.0)
            elif named and len(re.sub(r"[ -]", "", value)) >= 14 and sum(map(str.isdigit, value)) >= 8:
                yield Span(match.start(), match.start() + (end or len(value)), "IBAN_CODE", "iban.context", 0.8)


class SsnRecognizer(SpanRecognizer):
    types = ("US_SSN",)
    trigger = re.compile(r"\d{3}[- .]\d{2}[- .]\d{4}")

    def find(self, text: str, entities: Sequence[Entity]) -> Iterator[Span]:
        for match in SSN.finditer(text):
            yield Span(*match.span(), "US_SSN", "ssn", 0.9)


class TelephoneRecognizer(SpanRecognizer):
    types = ("PHONE_NUMBER",)
    trigger = re.compile(r"\d(?:[ ().\-/]{0,3}\d){6}")

    def find(self, text: str, entities: Sequence[Entity]) -> Iterator[Span]:
        for match in PHONE.finditer(text):
            value, digits = match[0], re.sub(r"\D", "", re.split(r"[x#]|ext", match[0], flags=re.I)[0])
            if not 7 <= len(digits) <= 15 or DATE.match(value.strip()):
                continue
            before = text[max(0, match.start() - 50) : match.start()]
            score = _phone_shape(value, digits)
            if PHONE_WORD.search(before) or PHONE_WORD.match(text[match.end() : match.end() + 12].strip()):
                score += 0.4
            if OTHER_WORD.search(before):
                score -= 0.35
            if score >= 0.5:
                end = match.end() - (len(value) - len(value.rstrip(" .-/")))
                start = match.start() + (0 if value.count("(") == value.count(")") or value[0] != "(" else 1)
                yield Span(start, end, "PHONE_NUMBER", "phone", min(1.0, score))


def _phone_shape(value: str, digits: str) -> float:
    """How much the grouping alone looks like a telephone number."""
    if value.startswith(("+", "00")) and len(digits) >= 8:
        return 0.8
    if (
        re.fullmatch(r"\(?\d{2,4}\)?[ .-]{0,2}\d{3,4}[ .-]?\d{4}(?:\s?(?:x|ext\.?|#).*)?", value, re.I)
        and len(digits) >= 9
    ):
        return 0.7 if not value.isdigit() else (0.55 if len(digits) == 10 and digits[0] in "23456789" else 0.3)
    if "(" in value and ")" in value:
        return 0.6
    groups = re.split(r"[ .\-/]+", value)
    if len(groups) >= 3 and all(1 < len(group) < 6 for group in groups) and len(digits) >= 8:
        return 0.55
    if value.isdigit():
        return 0.5 if len(digits) in (10, 11) and digits[0] == "0" else 0.25
    return 0.4 if len(groups) == 2 and len(digits) in (7, 8, 9, 10) and len(groups[1]) == 4 else 0.3


def _end_of(value: str, length: int) -> int:
    """Where the ``length``-th letter or digit of ``value`` ends, 0 if it has fewer."""
    seen = 0
    for index, character in enumerate(value):
        seen += character.isalnum()
        if seen == length:
            return index + 1
    return 0
