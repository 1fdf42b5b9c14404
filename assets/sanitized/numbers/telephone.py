# ruff: noqa: E501 - a pattern broken over lines is harder to read than a long one
"""Telephone numbers: the grouping of the digits or a word nearby must vouch for one."""

import re
from collections.abc import Iterator, Sequence

from resources.pii_engine import Entity, Span, SpanRecognizer

PHONE = re.compile(
    r"(?<![\w.,:/#$€£-])"
    r"(?:\+|00)?\(?\d{1,4}\)?(?:[ .\-/]{0,2}\(?\d{1,5}\)?){1,6}"
    r"(?:\s?(?:x|ext\.?|extension|#)\s?\d{1,6})?(?![\w]|[.,]\d|[/:]\d|%)",
    re.I,
)
# Toll-free numbers in letters: "1-800-FLOWERS".
VANITY = re.compile(
    r"(?<![\w-])(?:\+?1[ .-])?8(?:00|33|44|55|66|77|88)[ .-](?=[A-Z0-9-]*[A-Z]{3})[A-Z0-9]{2,10}(?:-[A-Z0-9]{2,7}){0,2}(?![\w-])"
)
# Groupings that say enough by themselves.
SHAPES = (
    (re.compile(r"(?:\+(?:\D*\d){8}|00(?:\D*\d){6}).*", re.S), 0.8),  # international
    (re.compile(r"1[ .-]\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}"), 0.8),  # North America, with the country
    (re.compile(r"\(?0\d{2,4}\)? \d{3,4} ?\d{3,4}|0\d{4} \d{5,6}"), 0.7),  # national, behind a trunk prefix
    (re.compile(r"0[1-9]\d{8,9}"), 0.55),
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


class TelephoneRecognizer(SpanRecognizer):
    types = ("PHONE_NUMBER",)
    trigger = re.compile(r"\d(?:[ ().\-/]{0,3}\d){6}|\b8\d\d[ .-][A-Z0-9-]*[A-Z]{3}")

    def find(self, text: str, entities: Sequence[Entity]) -> Iterator[Span]:
        for match in VANITY.finditer(text):
            yield Span(*match.span(), "PHONE_NUMBER", "phone.vanity", 0.8)
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
    if shape := next((score for pattern, score in SHAPES if pattern.fullmatch(value.strip())), 0.0):
        return shape
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
