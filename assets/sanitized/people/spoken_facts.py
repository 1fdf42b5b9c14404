"""Ages and dates of birth in languages other than English, by the words around them."""

import re
from collections.abc import Iterator, Sequence

from assets.sanitized.people.vocabulary import NameWords
from resources.pii_engine import Entity, Span, SpanRecognizer

DATE = (
    r"(?P<date>\d{1,2}[-/. ]\d{1,2}[-/. ]\d{2,4}|\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|"
    r"\d{1,2}(?:er|[.º°])?\s(?:de\s|d['’])?[^\W\d_]{3,10}\.?(?:\s(?:de\s|del\s)?\d{4}))"
)
OLDEST = 119


class SpokenFactRecognizer(SpanRecognizer):
    types = ("AGE", "DATE_OF_BIRTH")
    trigger = re.compile(r"\d")

    def __init__(self, words: NameWords) -> None:
        super().__init__()
        self._ages = [re.compile(rf"(?<![\w.,-]){pattern}", re.I) for pattern in words.age]
        self._birth = re.compile(
            rf"(?<!\w)(?:{'|'.join(words.birth)})\s*[:=]?\s*(?:[^\W\d_]{{1,4}}\s+)?{DATE}(?!\d)", re.I
        )

    def find(self, text: str, entities: Sequence[Entity]) -> Iterator[Span]:
        for pattern in self._ages:
            for match in pattern.finditer(text):
                if 0 < int(match["age"]) <= OLDEST:
                    yield Span(*match.span("age"), "AGE", "age", 0.8)
        for match in self._birth.finditer(text):
            yield Span(*match.span("date"), "DATE_OF_BIRTH", "birth", 0.9)
