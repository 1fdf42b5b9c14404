# ruff: noqa: E501 - a pattern broken over lines is harder to read than a long one
"""Facts that describe a person: age, date of birth, title."""

import re
from collections.abc import Iterator, Sequence

from resources.pii_engine import Entity, Span, SpanRecognizer

_AGE = r"(?P<age>1[01]\d|[1-9]\d|[1-9])"
AGES = (
    re.compile(rf"\b{_AGE}[ -]?(?:years?|yrs?|y)[ -]?(?:olds?|o)\b|\b{_AGE.replace('age', 'age2')}\s?y/?o\b", re.I),
    re.compile(rf"\b(?:aged?|age is|age:|turn(?:ed|s|ing)|i am|i'm|im|he's|she's|he is|she is)\s+(?:just |now |about |almost )?{_AGE}"
               r"(?=\s*(?:[.,;!?)]|$|\n|and\b|years|yrs|y/o|when\b))", re.I),
    re.compile(rf"\bwhen (?:he|she|i|they) (?:was|were)\s+{_AGE}\b(?!\s*(?:%|percent|minutes|hours|days|months|miles|km))", re.I),
    re.compile(rf"\bage\s*[:=]\s*{_AGE}\b", re.I),
)  # fmt: skip
_MONTH = r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
_DATE = (
    rf"(?:\d{{1,2}}[-/. ]\d{{1,2}}[-/. ]\d{{2,4}}|\d{{4}}[-/.]\d{{1,2}}[-/.]\d{{1,2}}|"
    rf"\d{{1,2}}(?:st|nd|rd|th)?(?: of)? {_MONTH}\.?,?(?: \d{{4}})?|{_MONTH}\.? \d{{1,2}}(?:st|nd|rd|th)?,?(?: \d{{4}})?)"
)
BIRTH = re.compile(
    rf"\b(?:born(?: on)?|birth\s?da(?:y|te)|d\.?o\.?b\.?|date of birth)\b[^\d\n.!?]{{0,20}}?(?P<date>{_DATE})", re.I
)
HONORIFIC = re.compile(r"\b(?:mr|mrs|ms|miss|mx|dr|prof|professor|sir|dame|rev|hon)\b\.?(?=\s+[A-Z])", re.I)


class PersonalRecognizer(SpanRecognizer):
    types = ("AGE", "DATE_OF_BIRTH", "TITLE")
    trigger = re.compile(r"\d|\b(?:mr|mrs|ms|miss|dr|prof|sir)\b", re.I)

    def find(self, text: str, entities: Sequence[Entity]) -> Iterator[Span]:
        for pattern in AGES:
            for match in pattern.finditer(text):
                group = "age" if match["age"] else "age2"
                yield Span(*match.span(group), "AGE", "age", 0.8)
        for match in BIRTH.finditer(text):
            yield Span(*match.span("date"), "DATE_OF_BIRTH", "birth", 0.9)
        for match in HONORIFIC.finditer(text):
            yield Span(*match.span(), "TITLE", "title", 0.8)
