"""Names of people in a language other than English: what the multilingual tagger says, and what the words around say.

The tagger marks words; a marked word makes its neighbours part of the name where they could be. Titles, introductions,
greetings, signatures, relations and posts vouch for a capitalised word that the tagger passed over; so does a list of
names, for words that the tagger at least thinks possible. A capital says little in German, where every noun has one:
there a word that nothing but its capital speaks for is no name.
"""

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from assets.sanitized.people.bounds import CLEAR
from assets.sanitized.people.lexicon import Lexicon
from assets.sanitized.people.vocabulary import NameWords
from resources.multilingual_tagger import WORD
from resources.pii_engine import Entity, Span, SpanRecognizer

PLACED = frozenset({"STREET", "HOUSE", "ZIP"})
NAMELIKE, PLACELIKE = 0.2, 0.1  # lexicon scores from which a word could be a name, or a place
# Probabilities of the tagger. It takes rare names for towns or for nothing, but leaves a trace that nouns do not have.
IN_GERMAN, SUBJECT, FAINT, PAIRED, TRACE, NONE = 0.2, 0.1, 0.06, 0.04, 0.015, 0.002
LINE = re.compile(r"(?m)^[ \t]*(?P<name>[^\W\d_][^\n\d,;:.!?()]*?)[ \t\r]*$")
OPENED = re.compile(r"[.!?:\n¿¡\"“„«-]\s*$")
NUMBER = re.compile(r"\d|@")
VERB = re.compile(r"[ \t]+[^\W\d_A-Z][\w'’-]*")
PLURAL = re.compile(r"(?:s|en)$")
LONGEST = 5  # words of a name, particles included
GREETED = re.compile(r"[ \t]*(?:[,!.?:;–—…)\n-]|$)")
REACHED = re.compile(r"[ \t]*\((?=[+\d(])[\d +()./-]{7,}")  # a telephone number in brackets
LINE_END = re.compile(r"[ \t]*(?:[,.!|)]|\r?\n|$)")
SPEAKER = re.compile(r"(?m)^[ \t>*-]*(?P<name>[^\W\d_][^\W\d_'’.-]*(?:[ \t][^\W\d_][\w'’.-]*){0,2})[ \t]?:(?=\s)")
GLUE = re.compile(r"[ \t]+['’]?|[-'’]|\.[ \t]*(?=\w)")
OPENING = re.compile(r"[\s\"“„«(]+")
DETERMINERS = frozenset(
    "der die das den dem des ein eine einen einem einer zum zur beim im am mein meine sein ihr kein keine".split()
)
INTO = frozenset("in te uit naar nach aus en em à".split())  # before towns
ARTICLE = re.compile(r"(?:der|die|den|el|la|il|lo|l['’]|de|o|a|os|as|le|les)[ \t]+", re.I)


@dataclass(frozen=True, slots=True)
class Word:
    start: int
    end: int
    text: str
    mark: str  # the tagger's label, or ""
    person: float  # the tagger's probability of a name

    @property
    def capital(self) -> bool:
        return self.text[0].isupper()


class SpokenNameRecognizer(SpanRecognizer):
    """Reads texts of one language by its ``NameWords``."""

    types = ("PERSON",)
    verbal = True

    def __init__(self, words: NameWords, lexicon: Lexicon) -> None:
        super().__init__()
        self._words, self._lexicon = words, lexicon
        self._nouns = words.language == "de"  # which are written with a capital

    def find(self, text: str, entities: Sequence[Entity]) -> Iterator[Span]:
        marks = {entity.start: (entity.label, entity.person) for entity in entities}
        words = [Word(*match.span(), match[0], *marks.get(match.start(), ("", 0.0))) for match in WORD.finditer(text)]
        names: dict[int, str] = {}  # which words are part of a name, by which rule
        lowered = text.islower()
        self._tagged(words, names, lowered)
        self._introduced(text, words, names, lowered)
        self._listed(text, words, names, lowered)
        self._traced(text, words, names)
        self._standing(text, words, names)
        self._speakers(text, words, names)
        yield from self._runs(text, words, names)

    def _tagged(self, words: list[Word], names: dict[int, str], lowered: bool) -> None:
        for at, word in enumerate(words):
            if word.mark == "PERSON" and (word.capital or lowered) and self._could_be(word):
                names[at] = "tagger"

    def _introduced(self, text: str, words: list[Word], names: dict[int, str], lowered: bool) -> None:
        """Words after a phrase that announces a name."""
        starts = {word.start: at for at, word in enumerate(words)}
        known, likely = self._words, self._likely if lowered else self._likely_capital
        rules: tuple[tuple[str, re.Pattern[str], Callable[[Word], bool], re.Pattern[str] | None], ...] = (
            ("title", known.title, self._capitalised, None),
            ("introduced", known.introduces, self._sayable if lowered else self._capitalised, None),
            ("introduced", known.may_introduce, likely, None),
            ("greeted", known.greets, likely if lowered else self._capitalised, GREETED),
            ("signed", known.closes, likely if lowered else self._capitalised, LINE_END),
            ("announced", known.before, likely if self._nouns or lowered else self._capitalised, None),
        )
        for rule, pattern, accepts, stop in rules:
            for match in pattern.finditer(text):
                at = self._first(text, match.end(), starts)
                if at is None:
                    continue
                article = ARTICLE.match(text, match.end())  # "aan de Belastingdienst": names have none
                noun = rule == "announced" and article is not None and article.end() == words[at].start
                taken = list(self._from(text, words, at, likely if noun else accepts))
                if taken and (stop is None or stop.match(text, words[taken[-1]].end)):
                    for index in taken:
                        names.setdefault(index, rule)

    def _first(self, text: str, position: int, starts: dict[int, int]) -> int | None:
        """The word at a place, behind titles, posts and an article."""
        for pattern in (self._words.title, OPENING, ARTICLE, self._words.before, self._words.title):
            match = pattern.match(text, position)
            if match and (pattern is not ARTICLE or match.end() in starts):
                position = match.end()
        return starts.get(position)

    def _from(self, text: str, words: list[Word], at: int, accepts: Callable[[Word], bool]) -> Iterator[int]:
        """The run of words from ``at`` that are accepted, over particles."""
        first = True
        waiting: list[int] = []
        for index in range(at, min(at + LONGEST, len(words))):
            word = words[index]
            if not first and not self._joined(text, words[index - 1], word):
                return
            if accepts(word) if first or not self._nouns else (accepts(word) and self._follows(word)):
                yield from waiting
                waiting = []
                yield index
                first = False
            elif word.text.lower() in self._words.particles and (not first or word.capital or word.mark):
                waiting.append(index)
                first = False
            else:
                return

    def _listed(self, text: str, words: list[Word], names: dict[int, str], lowered: bool) -> None:
        """Names that the lists know: a given name that the tagger thinks possible, or that a further name follows."""
        for at, word in enumerate(words):
            if at in names or word.text.lower() not in self._words.given or not self._could_be(word):
                continue
            if not (word.capital or (lowered and word.text not in self._words.small)) or word.mark in (*PLACED, "CITY"):
                continue
            follower = words[at + 1] if at + 1 < len(words) else None
            paired = (
                follower is not None
                and self._joined(text, word, follower)
                and (self._follows(follower) if self._nouns else self._capitalised(follower))
                and (follower.capital or follower.text.lower() in self._words.family)
            )
            alone = word.capital and not lowered and word.text.lower() not in self._words.ambiguous
            if (not word.mark and word.person >= FAINT) or paired or alone:
                names[at] = "listed"
                if paired:
                    names.setdefault(at + 1, "listed")

    def _traced(self, text: str, words: list[Word], names: dict[int, str]) -> None:
        """Rare names of which the tagger has but a trace: two together, or one where no noun has a capital."""
        for at, word in enumerate(words):
            if at in names or not self._plain(word) or self._placed(words, at):
                continue
            if word.person < TRACE and not REACHED.match(text, word.end):
                continue
            follower = words[at + 1] if at + 1 < len(words) else None
            if (
                follower
                and self._joined(text, word, follower)
                and self._plain(follower)
                and not self._calls(text, word)
            ):
                both = min(word.person, follower.person)
                if both >= PAIRED or (both >= TRACE and self._rare(word) and self._rare(follower)):
                    names.update({at: "trace", at + 1: names.get(at + 1, "trace")})
                    continue
            determined = at > 0 and words[at - 1].text.lower() in DETERMINERS
            if self._nouns:
                needed = IN_GERMAN
            elif self._opens(text, word):
                needed = SUBJECT if VERB.match(text, word.end) and not PLURAL.search(word.text) else 1.0
            else:
                needed = 0.0 if REACHED.match(text, word.end) else FAINT
            if not word.mark and not determined and word.person >= needed and self._rare(word):
                names[at] = "trace"

    def _plain(self, word: Word) -> bool:
        return self._capitalised(word) and not word.text.isupper() and not self._lexicon.ordinary(word.text)

    def _placed(self, words: list[Word], at: int) -> bool:
        """Whether a word that is marked as a town stands where towns stand: behind a postcode or a preposition."""
        before = [each.text for each in words[max(0, at - 2) : at]]
        coded = any(any(map(str.isdigit, each)) for each in before)
        return words[at].mark == "CITY" and (coded or (" ".join(before[-1:]).lower() in INTO))

    def _calls(self, text: str, word: Word) -> bool:
        """Whether a capitalised word stands before a name and is none: "Bel Hans Jansen"."""
        return self._words.before.match(text, word.start) is not None

    def _opens(self, text: str, word: Word) -> bool:
        return word.start == 0 or OPENED.search(text[max(0, word.start - 3) : word.start]) is not None

    def _standing(self, text: str, words: list[Word], names: dict[int, str]) -> None:
        """Capitals where only names stand: on a line of their own in a letter head or at the end, and outside German
        two in a row or one between a conjunction and a verb."""
        starts = {word.start: at for at, word in enumerate(words)}
        for line in LINE.finditer(text) if "\n" in text else ():
            at = starts.get(line.start("name"))
            taken = list(self._from(text, words, at, self._nameable)) if at is not None else []
            if len(taken) < 2 and at is not None and self._addressed(text, words, line):
                taken = list(self._from(text, words, at, self._plain))
            if len(taken) > 1 and words[taken[-1]].end == line.end("name") and self._heads(text, line):
                names.update({index: names.get(index, "line") for index in taken})
        if self._nouns:
            return
        for at, (word, follower) in enumerate(itertools.pairwise(words)):
            opens = self._opens(text, word)
            named = self._nameable(word) and self._nameable(follower) and self._joined(text, word, follower)
            named = named and max(word.person, follower.person) >= NONE and not self._calls(text, word)
            clear = self._lexicon.name(word.text) >= CLEAR or not self._lexicon.known(word.text)
            if named and (clear or not opens):
                names.update({at: names.get(at, "pair"), at + 1: names.get(at + 1, "pair")})
        for match in self._words.joins.finditer(text):
            at = starts.get(match.end())
            if at is not None and self._nameable(words[at]) and VERB.match(text, words[at].end):
                names.setdefault(at, "joined")

    def _heads(self, text: str, line: re.Match[str]) -> bool:
        """Whether a line is a name's by where it stands: the last one, or one before an address or number."""
        rest = text[line.end() :].lstrip("\r\n")
        return not rest.strip() or NUMBER.search(rest.partition("\n")[0]) is not None

    def _addressed(self, text: str, words: list[Word], line: re.Match[str]) -> bool:
        """Whether the next line is marked as a street."""
        following = text[line.end() :].lstrip("\r\n").partition("\n")[0]
        start = len(text) - len(text[line.end() :].lstrip("\r\n"))
        return any(start <= each.start < start + len(following) and each.mark == "STREET" for each in words)

    def _nameable(self, word: Word) -> bool:
        """A capitalised word that is no place, brand or English word that the vectors know."""
        return (
            self._capitalised(word)
            and not word.text.isupper()
            and word.mark != "CITY"
            and self._lexicon.name(word.text) >= NAMELIKE
            and self._lexicon.place(word.text) <= PLACELIKE
        )

    def _speakers(self, text: str, words: list[Word], names: dict[int, str]) -> None:
        """Who speaks in a script: "Jana: ..."."""
        starts = {word.start: at for at, word in enumerate(words)}
        for match in SPEAKER.finditer(text) if ":" in text else ():
            at = starts.get(match.start("name"))
            if at is not None and match["name"].lower() not in self._words.speakers and self._likely(words[at]):
                for index in self._from(text, words, at, self._capitalised):
                    names.setdefault(index, "speaker")

    def _runs(self, text: str, words: list[Word], names: dict[int, str]) -> Iterator[Span]:
        """Names as spans: neighbours that could be part of one joined, particles bridged."""
        done = -1
        for at in sorted(names):
            if at <= done:
                continue
            first, last = self._backward(text, words, at, done), self._forward(text, words, at, names)
            done = last
            yield Span(words[first].start, words[last].end, "PERSON", f"name.{names[at]}", 0.8)

    def _forward(self, text: str, words: list[Word], at: int, names: dict[int, str]) -> int:
        last = ahead = at
        while ahead + 1 < len(words) and ahead - at < LONGEST and self._joined(text, words[ahead], words[ahead + 1]):
            ahead += 1
            word = words[ahead]
            if (
                ahead in names
                or self._surname(text, word)
                or (self._could_be(word) and word.capital and self._extends(text, words, ahead, last))
            ):
                last = ahead
            elif word.text.lower() not in self._words.particles or (self._nouns and self._determined(words, ahead)):
                break
        return last

    def _surname(self, text: str, word: Word) -> bool:
        """A family name that is a word of forms, too, after a name: "Ana Nascimento"."""
        known = not self._nouns and word.capital and word.text.lower() in self._words.family
        return known and self._words.barred(word.text) and text[word.end : word.end + 1] != ":"

    def _determined(self, words: list[Word], at: int) -> bool:
        """Whether an article follows a name, before a German noun: "Anna den Schlüssel", but "Anna von der Heide"."""
        first = words[at - 1].text.lower() not in self._words.particles
        return first and words[at].text.lower() in DETERMINERS

    def _extends(self, text: str, words: list[Word], at: int, last: int) -> bool:
        """Whether a capitalised word after a name is part of it."""
        word = words[at]
        if word.mark in PLACED:
            return False
        if text[words[at - 1].end] in "-'’":
            return True
        if at - last > 1:  # a particle between
            return True
        return self._follows(word) if self._nouns else self._capitalised(word)

    def _backward(self, text: str, words: list[Word], at: int, done: int) -> int:
        first = at
        while first - 1 > done and self._joined(text, words[first - 1], words[first]):
            word = words[first - 1]
            if first - 1 == 0 and word.text.lower() not in self._words.given:
                break  # a capital that opens the text
            initial = len(word.text) == 1 and word.capital and text[word.end] == "."
            hyphen = text[word.end] in "-"
            likely = word.capital and self._likely(word) and word.mark not in PLACED and not self._calls(text, word)
            particle = word.capital and word.text.lower() in self._words.particles and first == at
            if not (initial or likely or particle or (hyphen and word.capital)):
                break
            first -= 1
        return first

    def _joined(self, text: str, word: Word, following: Word) -> bool:
        return GLUE.fullmatch(text[word.end : following.start]) is not None and (
            text[word.end] != "." or len(word.text) <= 2
        )

    def _could_be(self, word: Word) -> bool:
        return not any(map(str.isdigit, word.text)) and not self._words.barred(word.text)

    def _capitalised(self, word: Word) -> bool:
        acronym = len(word.text) > 1 and word.text.isupper() and not (word.mark or self._words.listed(word.text))
        return word.capital and self._could_be(word) and not acronym and word.mark not in PLACED

    def _sayable(self, word: Word) -> bool:
        """In lower case: any word that is not one of the small ones."""
        return self._could_be(word) and word.text.lower() not in self._words.small and len(word.text) > 2

    def _likely(self, word: Word) -> bool:
        """A word for which more than its capital speaks."""
        return self._could_be(word) and (self._faint(word) or word.text.lower() in self._words.given)

    def _likely_capital(self, word: Word) -> bool:
        return word.capital and self._likely(word)

    def _follows(self, word: Word) -> bool:
        """Whether a German word after a given name is a family name rather than a noun."""
        return self._could_be(word) and (self._faint(word) or self._words.listed(word.text))

    def _faint(self, word: Word) -> bool:
        return word.mark == "PERSON" or (not word.mark and word.person >= FAINT)

    def _rare(self, word: Word) -> bool:
        """A word that English texts do not have, or have as a name, and not as a place."""
        score = self._lexicon.name(word.text)
        return self._lexicon.place(word.text) <= PLACELIKE and (score >= CLEAR or not self._lexicon.known(word.text))
