"""How a text in a language other than English is read: an engine of its own, and its own bare answers.

The engine keeps the recognisers that know no language (secrets, cards, accounts, mailboxes, machines) and puts the
language's own beside them; the English network and the English rules about names stay out. It is built when the first
such text comes, so that an English drop pays nothing for it.
"""

import functools
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from assets.sanitized.answers import NUMERIC
from assets.sanitized.numbers.spoken import labels_of
from assets.sanitized.people.lexicon import Lexicon
from assets.sanitized.people.vocabulary import NameWords, name_words
from assets.sanitized.rule_file import read_rules
from resources.pii_engine import PiiEngine, Span

if TYPE_CHECKING:
    from resources.multilingual_tagger import MultilingualTagger

ASKED = Path(__file__).parent / "asked.yaml"
SHORT, FEW = 90, 8  # characters and words of a turn that may be nothing but an answer
WORD = re.compile(r"[^\W_]+(?:[-'’.@/][^\W_]+)*")
NUMBER = re.compile(r"(?<![\w.,])\+?\d(?:[ ./()-]{0,2}\d){1,19}(?![\w])")
WORDS = ("PASSWORD", "USERNAME", "EMAIL_ADDRESS")  # which may be a single word of any kind
YEAR_OR_ROUND = re.compile(r"(?:19|20)\d\d|\d{1,3}00")


def spoken_engine(language: str, lexicon: Lexicon) -> PiiEngine:
    """The engine of one language; loading its tagger takes a fifth of a second."""
    from assets.sanitized.numbers import recognizers as numbers
    from assets.sanitized.people import recognizers as people
    from assets.sanitized.places import recognizers as places
    from assets.sanitized.secrets import recognizers as secrets

    rooms = (places, numbers, people)
    own = [one for room in rooms for one in room.spoken(language, lexicon)]
    return PiiEngine(_tagger(), [*secrets.recognizers(lexicon), *own])


@functools.cache
def _tagger() -> "MultilingualTagger":
    from resources.multilingual_tagger import MultilingualTagger

    return MultilingualTagger()


@functools.cache
def _questions(language: str) -> tuple[tuple[str, re.Pattern[str]], ...]:
    rules: dict[str, str] = read_rules(ASKED)[language]
    said = tuple((type_, re.compile(pattern, re.I)) for type_, pattern in rules.items())
    named = tuple((type_, label) for type_, label in labels_of(language))
    return (*named, *said)


@functools.lru_cache(maxsize=10_000)
def asked_in(language: str, question: str) -> str:
    """The type that a question in this language asks for, or ""."""
    proper = " ".join(re.split(r"(?<=[.!])\s+", question.strip())[-2:])  # it stands at the end of a turn
    return next((type_ for type_, pattern in _questions(language) if pattern.search(proper)), "")


class SpokenAnswers:
    """Reads a user's turn that is nothing but an answer, as ``Answers`` does in English."""

    def __init__(self, language: str) -> None:
        self._words: NameWords = name_words(language)

    def find(self, text: str, wanted: str, found: Sequence[Span]) -> Iterator[Span]:
        words = list(WORD.finditer(text))
        if len(text) > SHORT or not 0 < len(words) <= FEW:
            return
        content = [word for word in words if not self._words.barred(word[0])]
        for match in NUMBER.finditer(text):
            digits = re.sub(r"\D", "", match[0])
            if wanted in NUMERIC and len(digits) > 1:
                yield Span(*match.span(), wanted, "answer.asked", 0.75)
            elif len(digits) >= 4 and len(content) <= 2 and not YEAR_OR_ROUND.fullmatch(digits):
                yield Span(*match.span(), "ACCOUNT_NUMBER", "answer.number", 0.55)
        if content and wanted == "PERSON" and not any(map(str.isdigit, text)):
            yield Span(content[0].start(), content[-1].end(), wanted, "answer.asked", 0.7)
        elif content and wanted == "STREET_ADDRESS" and any(map(str.isdigit, text)):
            yield Span(content[0].start(), words[-1].end(), wanted, "answer.asked", 0.7)
        elif len(content) == 1 and (wanted in WORDS or (wanted == "RECORD_NUMBER" and any(map(str.isdigit, text)))):
            yield Span(*content[0].span(), wanted, "answer.asked", 0.7)
