# ruff: noqa: E501 - a pattern broken over lines is harder to read than a long one
"""Names of people: what the NER says, corrected by the lexicon, and what the context says where the NER is blind.

The NER was trained on well-cased news: it misses names in lower-case chat and cuts long ones short. So its persons are
extended over adjoining name words, its slips (a person taken for a place or organisation) are re-read with the
lexicon, and phrases that introduce a name ("my name is", "mr", "this is") are read whatever the case.
"""

import re
from collections.abc import Iterator, Sequence

from assets.sanitized.labelled import is_label
from assets.sanitized.lexicon import FUNCTION, Lexicon
from resources.pii_engine import Entity, Span, SpanRecognizer

NAME = r"[^\W\d_][^\W\d_'’.-]*(?:[-'’][^\W\d_]+)*"
WORD = re.compile(rf"{NAME}\.?")
_MORE = rf"(?:[ \t]+{NAME}\.?){{0,3}}"
_SURE = (
    r"(?:(?:first|last|full|sur|maiden|middle|given|family|customer|sir|nick|pet|contact|holder'?s?)\s?-?)?(?:names?|mame)|"
    r"named(?:\s+(?:him|her|it))?|call(?:s|ed)?\s+(?:me|him|her)|known as|signed(?: by)?|"
    r"sincerely|regards|yours|mr|mrs|ms|miss|dr|prof|sir|madam|passenger|patient|cardholder|beneficiary|attn|c/o|name's|guardian"
)
_WEAK = r"i\s?am|i'?m|this is|it'?s|its|it is|myself|speaking with|and|under|for|from|to|by|with|said|told|dear|of"
INTRODUCED = re.compile(
    rf"(?:\b(?P<sure>{_SURE})(?P<link>(?:\s+(?:is|was|as|to be|of|it to|is called))?\s*[:=,-]|\s+(?:is|was|as))?\b[.,:]?|\b(?P<weak>{_WEAK}))(?:\s+to(?=\s+[A-Z]))?\s+(?=(?P<name>{NAME}\.?{_MORE}))",
    re.I,
)
SELF = re.compile(r"i\s?am|i'?m|this is|myself|speaking with", re.I)
NOT_A_PERSONS_NAME = re.compile(
    r"\b(?:company|business|brand|product|file|user|domain|host|city|street|movie|film|song|album|restaurant|hotel|event|place|game|book|"
    r"course|school|university|college|bank|store|shop|airline|drug|function|variable|class|table|column|project|team|band|account)\s*$",
    re.I,
)
IS_MY_NAME = re.compile(
    rf"\b(?P<name>{NAME}(?: {NAME})?)\s+is\s+(?:my|his|her|the)\s+(?:(?:first|last|full|sur|given)\s?)?name\b", re.I
)
SPEAKER = re.compile(rf"(?m)^[ \t>*-]*(?P<name>{NAME}(?: {NAME}){{0,2}}):(?=\s)")
POSSESSIVE = re.compile(r"\b(?P<name>[^\W\d_]{2,}(?:-[^\W\d_]+)?)['’]s\b")
VOCATIVE = re.compile(rf"(?:^|[.!?:;\"“]\s*)(?:[\w' ]{{0,40}},\s*)?(?P<name>{NAME})(?=[,!?])")
_CAPITAL = r"[^\W\d_a-z][^\W\d_]+(?:[-'’][^\W\d_]+)*"
CAPITALISED = re.compile(rf"(?<![\w@#/.'’-])(?P<name>{_CAPITAL}(?:[ \t]+(?:[A-Z]\b\.?|{_CAPITAL}))*)")
PERSON_VERB = re.compile(
    r"\s+(?:just |also |then |always |never )?(?:lives?|lived|said|says|told|tells|wants?|loves?|likes?|thinks?|asked|replied|laughed|smiled|speaks?|has to|had to|moved|married|died|was born)\b"
)
VERB_AFTER = re.compile(
    r"\s+(?:is|was|has|had|lives|lived|said|says|went|spent|told|called|calls|works|worked|wants|wanted|will|and|gave|got|moved|likes|loves|asked)\b"
)
FOLLOWING = re.compile(rf"[ \t]+(?:(?:de|da|dos|von|van|der|den|bin|al|el)[ \t]+)?(?P<word>{NAME}\.?)")
BEFORE = re.compile(r"\.?[^\W\d_][^\W\d_'’-]*(?![\w'’-])")  # of the text turned round
SEPARATOR = re.compile(r",\s|\s+and\s+|\s+&\s+|['’]s\b|[\n\r\t|•]+")
SUFFIX = re.compile(r"[ \t]+(?:Jr|Sr|II|III|IV|PhD|MD|Esq)\b\.?")
GREETED = re.compile(
    r"\b(?:hi|hii|hello|hey|hai|thanks?|thankyou|thank you|thx|bye|goodbye|good ?(?:morning|afternoon|evening|day|night)|mrng|welcome|ok|okay|sure|sorry|help)\b",
    re.I,
)
MISREAD = frozenset({"ORG", "GPE", "NORP", "WORK_OF_ART", "FAC", "PRODUCT", "LOC", "LANGUAGE", "EVENT"})
TRUSTED = frozenset({"ORG", "GPE", "NORP", "FAC", "LOC", "DATE", "LANGUAGE"})
CLEAR = 0.45  # lexicon score from which a capitalised word counts as a name by itself
TITLES = frozenset(
    "mr mrs ms miss mx dr prof professor sir dame rev madam lord lady king queen prince princess saint".split()
)


class NameRecognizer(SpanRecognizer):
    types = ("PERSON",)

    def __init__(self, lexicon: Lexicon) -> None:
        super().__init__()
        self._lexicon = lexicon

    def find(self, text: str, entities: Sequence[Entity]) -> Iterator[Span]:
        lowered = text.islower()
        for entity in entities:
            if entity.label == "PERSON":
                yield from self._person(text, entity, lowered)
            elif entity.label in MISREAD and not lowered:
                yield from self._misread(text, entity)
        for match in INTRODUCED.finditer(text):
            yield from self._introduced(text, match)
        for match in IS_MY_NAME.finditer(text) if "name" in text.lower() else ():
            words = WORD.findall(match["name"])
            if not any(self._lexicon.ordinary(word) for word in words):
                yield Span(*match.span("name"), "PERSON", "name.introduced", 0.8)
        if not lowered:
            yield from self._placed(text)
            yield from self._capitalised(text, entities)

    def _person(self, text: str, entity: Entity, lowered: bool) -> Iterator[Span]:
        """A person of the NER, cut at line ends, without title, grown over adjoining name words."""
        for part in _parts(text, entity.start, entity.end):
            start, end = self._trim(text, *part)
            words = [word.rstrip(".") for word in WORD.findall(text[start:end])]
            if not words or any(map(str.isdigit, text[start:end])) or all(map(is_label, words)):
                continue
            if all(self._lexicon.ordinary(word) or self._lexicon.chatter(word) for word in words):
                continue
            if all(
                self._lexicon.known(word) and self._lexicon.name(word) < (-0.3 if len(words) == 1 else -0.6)
                for word in words
            ):
                continue
            if all(word.islower() and self._lexicon.harmless(word) for word in words):
                continue
            if lowered:
                if not any(self._lexicon.name(word) > 0.2 for word in words):
                    continue
                if len(words) == 1 and GREETED.search(text):  # the agent, by first name
                    continue
            yield Span(*self._grown(text, start, end), "PERSON", "name.ner", 0.85)

    def _misread(self, text: str, entity: Entity) -> Iterator[Span]:
        """An entity of another kind, or a part of it, whose words are all clear names."""
        for part in _parts(text, entity.start, entity.end):
            start, end = self._trim(text, *part)
            words = [word for word in WORD.findall(text[start:end]) if len(word.rstrip(".")) > 1]
            if 1 <= len(words) <= 3 and all(map(self._is_clear, words)):
                yield Span(*self._grown(text, start, end), "PERSON", "name.reread", 0.6)

    def _introduced(self, text: str, match: re.Match[str]) -> Iterator[Span]:
        sure, linked = match["sure"] is not None, bool(match["link"])
        if sure and NOT_A_PERSONS_NAME.search(text[max(0, match.start() - 20) : match.start()]):
            return
        start = end = match.start("name")
        words = list(WORD.finditer(text, start, match.end("name")))
        for index, word in enumerate(words):
            bare = word[0].rstrip(".")
            if end > start and text[end : word.start()].strip(" \t"):
                break
            initial = len(bare) == 1 and end > start
            if not initial and not self._continues(
                bare, sure, linked, match["weak"] or "", first=index == 0, closes=self._closes(text, word.end())
            ):
                break
            dotted = word[0].endswith(".")
            end = word.end() if initial else word.start() + len(bare)
            if dotted and not initial:
                break
        if end > start:
            yield Span(*self._grown(text, start, end), "PERSON", "name.introduced", 0.8 if sure else 0.65)

    def _continues(self, word: str, sure: bool, linked: bool, cue: str, *, first: bool, closes: bool) -> bool:
        lower = word.lower()
        if lower in FUNCTION or (first and lower in TITLES) or is_label(word):
            return False
        if self._lexicon.ordinary(word):
            return sure and not first and closes and (word[0].isupper() or self._lexicon.nameable(lower))
        score = self._lexicon.name(word)
        if word[0].isupper():
            return sure or score > (CLEAR if first else 0.1)
        if sure and (linked or not first or score > 0.2):
            return not self._lexicon.chatter(word)
        if not SELF.fullmatch(cue):
            return False
        return (
            score > (0.05 if closes else CLEAR)
            and (self._lexicon.known(word) or closes)
            and not self._lexicon.chatter(word)
            and len(word) > 2
        )

    def _closes(self, text: str, at: int) -> bool:
        """Whether the name could end here: the end, punctuation, or a word that goes on about something else."""
        return (
            re.compile(r"\s*(?:$|[.,;!?\n)]|(?:and|from|here|my|calling|with|his|her)\b)|\s+\d").match(text, at)
            is not None
        )

    def _placed(self, text: str) -> Iterator[Span]:
        """Speakers of a script, possessives and vocatives: single capitalised words that the NER passed over."""
        for rule, pattern, floor in (
            ("speaker", SPEAKER, 0.25),
            ("possessive", POSSESSIVE, 0.25),
            ("vocative", VOCATIVE, 0.25),
        ):
            for match in pattern.finditer(text):
                words = WORD.findall(match["name"])
                if all(
                    word[0].isupper() and not self._lexicon.ordinary(word) and self._lexicon.name(word) >= floor
                    for word in words
                ):
                    yield Span(*match.span("name"), "PERSON", f"name.{rule}", 0.6)

    def _capitalised(self, text: str, entities: Sequence[Entity]) -> Iterator[Span]:
        """Capitalised words inside a sentence that the NER passed over or misread, by the lexicon."""
        taken = [(entity.start, entity.end) for entity in entities if entity.label in TRUSTED]
        for match in CAPITALISED.finditer(text):
            start, end = self._trim(text, *match.span("name"))
            words = [word.rstrip(".") for word in WORD.findall(text[start:end])]
            full = [word for word in words if len(word) > 1]
            if not full or any(word.isupper() and len(word) > 1 for word in full):
                continue
            scores = [self._lexicon.name(word) for word in full]
            if (
                any(self._lexicon.ordinary(word) for word in full)
                or min(scores) < (0.1 if len(full) == 1 else -0.3)
                or max(scores) < 0.1
            ):
                continue
            inside = any(low <= start and end <= high for low, high in taken)
            opens = re.search(r"(?:^|[.!?:\n]\s*|[\"“(])$", text[max(0, start - 3) : start]) is not None
            foreign = not any(map(self._lexicon.known, full))
            if len(full) > 1:
                good = (
                    max(scores) >= CLEAR
                    or (not inside and not opens)
                    or foreign
                    or (min(scores) >= 0.25 and not inside)
                )
            elif PERSON_VERB.match(text, end) and scores[0] >= 0.25:
                good = True
            elif opens:
                good = not inside and (scores[0] >= CLEAR or VERB_AFTER.match(text, end) is not None)
            else:
                good = not inside and (scores[0] >= CLEAR or not self._lexicon.known(full[0]))
            if good:
                yield Span(start, end, "PERSON", "name.lexicon", 0.55)

    def _is_clear(self, word: str) -> bool:
        bare = word.rstrip(".")
        acronym = len(bare) > 1 and bare.isupper()
        return bare[:1].isupper() and not acronym and self._lexicon.known(bare) and self._lexicon.name(bare) >= CLEAR

    def _trim(self, text: str, start: int, end: int) -> tuple[int, int]:
        """Without titles at the front, possessive and punctuation at the end, ordinary words at either."""
        words = list(WORD.finditer(text, start, end))
        while words and (words[0][0].rstrip(".").lower() in TITLES or self._lexicon.ordinary(words[0][0].rstrip("."))):
            words.pop(0)
        while (
            words
            and self._lexicon.ordinary(words[-1][0].rstrip("."))
            and not (len(words) > 1 and self._is_clear(words[0][0]) and words[-1][0][0].isupper())
        ):
            words.pop()
        if not words:
            return start, start
        last = words[-1]
        end = last.end() - (1 if last[0].endswith(".") and len(last[0]) > 3 else 0)
        possessive = re.search(r"['’]s$", text[words[0].start() : end])
        return words[0].start(), end - (2 if possessive else 0)

    def _grown(self, text: str, start: int, end: int) -> tuple[int, int]:
        """Over adjoining capitalised words that could be names, initials and suffixes."""
        while following := FOLLOWING.match(text, end):
            word = following["word"]
            bare = word.rstrip(".")
            initial = len(bare) == 1 and bare.isupper() and bare not in "IA"
            plain = self._lexicon.ordinary(bare) or self._lexicon.name(bare) < 0.1
            surname = (
                plain
                and self._is_clear(text[start:end])
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
            if (
                not word[0].isupper()
                or word.lower() in TITLES
                or self._lexicon.ordinary(word)
                or self._lexicon.name(word) < 0.2
            ):
                break
            start -= 1 + before.end()
        if suffix := SUFFIX.match(text, end):
            end = suffix.end()
        return start, end


def _parts(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The parts of a span between line ends, commas, "and" and possessives: an entity is one name, not a list."""
    for separator in SEPARATOR.finditer(text, start, end):
        if separator.start() > start:
            yield start, separator.start()
        start = separator.end()
    if start < end:
        yield start, end
