# ruff: noqa: E501 - a pattern broken over lines is harder to read than a long one
"""Names of people: what the NER says, corrected by the lexicon, and what the context says where the NER is blind.

The NER was trained on well-cased news: it misses names in lower-case chat and cuts long ones short. So its persons are
extended over adjoining name words, its slips (a person taken for a place or organisation) are re-read with the
lexicon, and phrases that introduce a name ("my name is", "mr", "this is") are read whatever the case.
"""

import re
from collections.abc import Iterator, Sequence

from assets.sanitized.numbers.labelled import is_label
from assets.sanitized.people.bounds import CLEAR, NAME, TITLES, WORD, PersonRecognizer
from assets.sanitized.people.lexicon import FUNCTION
from resources.pii_engine import Entity, Span

_MORE = rf"(?:[ \t]+{NAME}\.?){{0,3}}"
_SURE = (
    r"(?:(?:first|last|full|sur|maiden|middle|given|family|customer|sir|nick|pet|contact|holder'?s?)\s?-?)?(?:names?|mame)|"
    r"named(?:\s+(?:him|her|it))?|call(?:s|ed)?\s+(?:me|him|her)|known as|signed(?: by)?|"
    r"(?:yours )?(?:sincerely|faithfully|truly)|(?:best|kind|warm) (?:regards|wishes)|regards|yours|mr|mrs|ms|miss|dr|prof|sir|madam|passenger|patient|cardholder|beneficiary|attn|c/o|name's|guardian"
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
_CAPITAL = r"[^\W\d_a-z][^\W\d_]+(?:[-'’][^\W\d_]+)*"
CAPITALISED = re.compile(rf"(?<![\w@#/.'’-])(?P<name>{_CAPITAL}(?:[ \t]+(?:[A-Z]\b\.?|{_CAPITAL}))*)")
PERSON_VERB = re.compile(
    r"\s+(?:just |also |then |always |never )?(?:lives?|lived|said|says|told|tells|wants?|loves?|likes?|thinks?|asked|replied|laughed|smiled|speaks?|has to|had to|moved|married|died|was born)\b"
)
VERB_AFTER = re.compile(
    r"\s+(?:is|was|has|had|lives|lived|said|says|went|spent|told|called|calls|works|worked|wants|wanted|will|and|gave|got|moved|likes|loves|asked)\b"
)
SEPARATOR = re.compile(r",\s|\s+and\s+|\s+&\s+|['’]s\b|[\n\r\t|•]+")
GREETED = re.compile(
    r"\b(?:hi|hii|hello|hey|hai|thanks?|thankyou|thank you|thx|bye|goodbye|good ?(?:morning|afternoon|evening|day|night)|mrng|welcome|ok|okay|sure|sorry|help)\b",
    re.I,
)
SCRAMBLED = re.compile(
    r"(?<!^Mc)(?<!^Mac)(?<!^De)(?<!^Di)(?<!^La)(?<!^Le)(?<!^Van)(?<=[a-z])[A-Z]"
)  # "RjpepBq": no name
CLOSES = re.compile(r"\s*(?:$|[.,;!?\n)]|(?:and|from|here|my|calling|with|his|her)\b)|\s+\d")
MISREAD = frozenset({"ORG", "GPE", "NORP", "WORK_OF_ART", "FAC", "PRODUCT", "LOC", "LANGUAGE", "EVENT"})
TRUSTED = frozenset({"ORG", "GPE", "NORP", "FAC", "LOC", "DATE", "LANGUAGE"})
SAYING = frozenset({"said", "told", "dear"})
LIKELY = 0.25  # from which it counts when the capital cannot come from the beginning of a sentence


class NameRecognizer(PersonRecognizer):
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
            yield from self._capitalised(text, entities)

    def _person(self, text: str, entity: Entity, lowered: bool) -> Iterator[Span]:
        """A person of the NER, cut at line ends, without title, grown over adjoining name words."""
        for part in _parts(text, entity.start, entity.end):
            start, end = self._bounds.trim(text, *part)
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
            yield Span(*self._bounds.grown(text, start, end), "PERSON", "name.ner", 0.85)

    def _misread(self, text: str, entity: Entity) -> Iterator[Span]:
        """An entity of another kind, or a part of it, whose words are all clear names."""
        for part in _parts(text, entity.start, entity.end):
            start, end = self._bounds.trim(text, *part)
            words = [word for word in WORD.findall(text[start:end]) if len(word.rstrip(".")) > 1]
            if 1 <= len(words) <= 3 and all(map(self._bounds.is_clear, words)):
                yield Span(*self._bounds.grown(text, start, end), "PERSON", "name.reread", 0.6)

    def _introduced(self, text: str, match: re.Match[str]) -> Iterator[Span]:
        sure, linked = match["sure"] is not None, bool(match["link"])
        if sure and NOT_A_PERSONS_NAME.search(text[max(0, match.start() - 20) : match.start()]):
            return
        start = end = match.start("name")
        words = list(WORD.finditer(text, start, match.end("name")))
        if not sure and (pair := self._pair(text, words, match["weak"])):
            yield Span(start, pair, "PERSON", "name.introduced", 0.65)
            return
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
            yield Span(*self._bounds.grown(text, start, end), "PERSON", "name.introduced", 0.8 if sure else 0.65)

    def _pair(self, text: str, words: Sequence[re.Match[str]], cue: str) -> int | None:
        """Where two names in lower case after a weak cue end ("this is tuija salminen and"), None if they are none."""
        if len(words) < 2 or not (words[0][0].islower() and words[1][0].islower()):
            return None
        first, second = words[0][0], words[1][0].rstrip(".")
        end = words[1].start() + len(second)
        if words[0].end() + 1 != words[1].start() or not self._closes(text, end):
            return None
        if any(
            len(word) < 3 or self._lexicon.harmless(word) or self._lexicon.chatter(word) for word in (first, second)
        ):
            return None
        scores = sorted(map(self._lexicon.name, (first, second)))
        if SELF.fullmatch(cue):
            return end if scores[1] > 0.2 else None
        return end if scores[0] > 0.2 and scores[1] >= CLEAR else None

    def _continues(self, word: str, sure: bool, linked: bool, cue: str, *, first: bool, closes: bool) -> bool:
        lower = word.lower()
        if lower in FUNCTION or (first and lower in TITLES) or is_label(word):
            return False
        if self._lexicon.ordinary(word):
            return sure and not first and closes and (word[0].isupper() or self._lexicon.nameable(lower))
        score = self._lexicon.name(word)
        if word[0].isupper():
            return sure or score > (CLEAR if first and cue.lower() not in SAYING else 0.1)
        if sure and (linked or not first or score > (-0.35 if closes else 0.2)):
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
        return CLOSES.match(text, at) is not None

    def _capitalised(self, text: str, entities: Sequence[Entity]) -> Iterator[Span]:
        """Capitalised words inside a sentence that the NER passed over or misread, by the lexicon."""
        taken = [(entity.start, entity.end) for entity in entities if entity.label in TRUSTED]
        for match in CAPITALISED.finditer(text):
            start, end = self._bounds.trim(text, *match.span("name"))
            words = [word.rstrip(".") for word in WORD.findall(text[start:end])]
            full = [word for word in words if len(word) > 1]
            if not full or any(word.isupper() or SCRAMBLED.search(word) for word in full):
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
                good = not inside and (scores[0] >= LIKELY or not self._lexicon.known(full[0]))
            if good:
                yield Span(start, end, "PERSON", "name.lexicon", 0.55)


def _parts(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The parts of a span between line ends, commas, "and" and possessives: an entity is one name, not a list."""
    for separator in SEPARATOR.finditer(text, start, end):
        if separator.start() > start:
            yield start, separator.start()
        start = separator.end()
    if start < end:
        yield start, end
