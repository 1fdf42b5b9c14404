"""Where a name begins and ends: trimmed of titles and ordinary words, grown over adjoining name words."""

import re

from assets.sanitized.people.lexicon import FUNCTION, GIVEN_WORDS, Lexicon
from resources.pii_engine import SpanRecognizer

NAME = r"[^\W\d_][^\W\d_'’.-]*(?:[-'’][^\W\d_]+)*"
WORD = re.compile(rf"{NAME}\.?")
PARTICLE = (
    r"(?:de la|de los|de las|van der|van den|van de|von der|de|del|della|di|da|dos|das|du|von|van|der|den|ter|ten|zu|"
    r"af|bin|ibn|al|el)"
)
FOLLOWING = re.compile(rf"[ \t]+(?:{PARTICLE}[ \t]+)?(?P<word>{NAME}\.?)")
BEFORE = re.compile(r"\.?[^\W\d_][^\W\d_'’-]*(?![\w'’-])")  # of the text turned round
MID_SENTENCE = re.compile(r"\b(?:[a-z]+|I)[,;]? $")  # before it stands a word in lower case: its capital says something
SUFFIX = re.compile(r"[ \t]+(?:Jr|Sr|II|III|IV|PhD|MD|Esq)\b\.?")
ARTICLE = re.compile(
    r"(?:\b(?:[Tt]he|[Aa]n?)|[A-Z][\w'’-]*)[ \t]+$"
)  # "the Paris Hilton", "North Austin Smith": no given name
CLEAR = 0.45  # lexicon score from which a capitalised word counts as a name by itself
TITLES = frozenset(
    "mr mrs ms miss mx dr prof professor sir dame rev madam lord lady king queen prince princess saint".split()
)


class NameBounds:
    """Finds the edges of names in a text, by the lexicon."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon

    def is_clear(self, word: str) -> bool:
        """Whether a capitalised word counts as a name by itself."""
        bare = word.rstrip(".")
        acronym = len(bare) > 1 and bare.isupper()
        return bare[:1].isupper() and not acronym and self._lexicon.known(bare) and self._lexicon.name(bare) >= CLEAR

    def trim(self, text: str, start: int, end: int) -> tuple[int, int]:
        """Without titles at the front, possessive and punctuation at the end, ordinary words at either."""
        words = list(WORD.finditer(text, start, end))
        while words and (words[0][0].rstrip(".").lower() in TITLES or self._lexicon.ordinary(words[0][0].rstrip("."))):
            words.pop(0)
        while (
            words
            and self._lexicon.ordinary(words[-1][0].rstrip("."))
            and not (len(words) > 1 and self.is_clear(words[0][0]) and words[-1][0][0].isupper())
        ):
            words.pop()
        if not words:
            return start, start
        last = words[-1]
        end = last.end() - (1 if last[0].endswith(".") and len(last[0]) > 3 else 0)
        possessive = re.search(r"['’]s$", text[words[0].start() : end])
        return words[0].start(), end - (2 if possessive else 0)

    def grown(self, text: str, start: int, end: int) -> tuple[int, int]:
        """Over adjoining capitalised words that could be names, initials and suffixes."""
        while following := FOLLOWING.match(text, end):
            word = following["word"]
            bare = word.rstrip(".")
            initial = len(bare) == 1 and bare.isupper() and bare not in "IA"
            plain = self._lexicon.ordinary(bare) or self._lexicon.name(bare) < 0.1
            surname = (
                plain
                and self.is_clear(text[start:end])
                and re.compile(r"\s+[a-z]|\s*$|[.,'’]").match(text, following.end())
                and bare.lower() not in FUNCTION
            )
            if not initial and (not bare[0].isupper() or (plain and not surname)):
                break
            end = following.end() - (0 if initial else len(word) - len(bare))
        while (
            start > 1
            and text[start - 1] in " \t"
            and (before := BEFORE.match(text[start - 2 : max(0, start - 34) : -1]))
        ):
            word = before[0][::-1].rstrip(".")
            first = start - 1 - before.end()
            if len(word) == 1 and word.isupper() and word not in "IA":  # an initial, if a first name stands before it
                inner = BEFORE.match(text[max(0, first - 2) : max(0, first - 34) : -1]) if first > 1 else None
                given = inner[0][::-1].rstrip(".") if inner else ""
                if not given[:1].isupper() or self._lexicon.ordinary(given) or given.lower() in TITLES:
                    break
            elif (
                word[0].isupper()
                and word.lower() in GIVEN_WORDS
                and not ARTICLE.search(text[max(0, first - 24) : first])
            ):
                pass  # "Will Smith": beside a family name it is a given name
            elif (
                not word[0].isupper()
                or word.lower() in TITLES
                or self._lexicon.ordinary(word)
                or self._lexicon.name(word) < (-0.2 if MID_SENTENCE.search(text[max(0, first - 12) : first]) else 0.2)
            ):
                break
            start = first
        if suffix := SUFFIX.match(text, end):
            end = suffix.end()
        return start, end


class PersonRecognizer(SpanRecognizer):
    """What the recognisers of persons share: they read words alone, by the lexicon and the bounds of names."""

    types = ("PERSON",)
    verbal = True

    def __init__(self, lexicon: Lexicon) -> None:
        super().__init__()
        self._lexicon, self._bounds = lexicon, NameBounds(lexicon)
