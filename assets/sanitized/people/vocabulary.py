"""What is known of the words around names in one language: titles, introductions, greetings, names themselves.

>>> german = name_words("de")
>>> bool(german.title.match("Frau")), "müller" in german.family, german.barred("Montag")
(True, True, True)
"""

import functools
import re
from dataclasses import dataclass
from pathlib import Path

from assets.sanitized.language import SMALL_WORDS
from assets.sanitized.rule_file import read_rules, word_lists

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class NameWords:
    """One language's words; the patterns match right before a name and its white space, whatever the case."""

    language: str
    title: re.Pattern[str]
    introduces: re.Pattern[str]
    may_introduce: re.Pattern[str]
    greets: re.Pattern[str]
    closes: re.Pattern[str]
    before: re.Pattern[str]
    joins: re.Pattern[str]
    age: tuple[str, ...]
    birth: tuple[str, ...]
    particles: frozenset[str]
    never: frozenset[str]
    speakers: frozenset[str]
    given: frozenset[str]
    family: frozenset[str]
    ambiguous: frozenset[str]
    small: frozenset[str]

    def barred(self, word: str) -> bool:
        """Whether a word is no name by itself, however it is written."""
        lower = word.lower()
        return lower in self.never or (lower in self.small and lower not in self.given)

    def listed(self, word: str) -> bool:
        return word.lower() in self.given or word.lower() in self.family


@functools.cache
def name_words(language: str) -> NameWords:
    """The words of one of ``LANGUAGES``; they are read once."""
    said: dict[str, list[str]] = read_rules(FOLDER / "words" / f"{language}.yaml")
    lists = {name: frozenset(words) for name, words in word_lists(FOLDER / "lists" / f"{language}.yaml").items()}
    titles = "|".join(said["titles"])

    def pattern(key: str, after: str = r"\s+") -> re.Pattern[str]:
        return re.compile(rf"(?<![\w'’-])(?:{'|'.join(said[key])}){after}", re.I)

    return NameWords(
        language,
        re.compile(rf"(?<![\w'’-])(?:(?:{titles})\b\.?[ \t]*)+(?<=[\s.])", re.I),
        pattern("introduces", r"\s*[:,]?\s*(?<=[\s:])"),
        pattern("may_introduce"),
        pattern("greets", r",?[ \t]+"),
        pattern("closes", r"[,.!:]?\s+"),
        pattern("before", r"[ \t]+"),
        pattern("joins", r"[ \t]*(?<=[\s'’])"),
        tuple(said["age"]),
        tuple(said["birth"]),
        frozenset(said["particles"]),
        frozenset(said["never"]),
        frozenset(said["speakers"]),
        lists["given"],
        lists["family"],
        frozenset(said["ambiguous"]),
        SMALL_WORDS[language],
    )
