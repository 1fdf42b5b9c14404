"""Names of people: what the NER says, corrected by the lexicon, and what the context says where the NER is blind.

The NER was trained on well-cased news: it misses names in lower-case chat and cuts long ones short. So its persons are
extended over adjoining name words, its slips (a person taken for a place or organisation) are re-read with the
lexicon, and phrases that introduce a name ("my name is", "mr", "this is") are read whatever the case.
"""

import re
from collections.abc import Iterator, Sequence

from assets.sanitized.lexicon import FUNCTION, Lexicon
from resources.pii_engine import Entity, Span, SpanRecognizer

WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*\.?")
NAME = r"[^\W\d_][^\W\d_'’.-]*(?:[-'’][^\W\d_]+)*"
_MORE = rf"(?:[ \t]+(?:{NAME}\.?)){{0,3}}"
INTRODUCED = re.compile(
    r"(?:\b(?P<sure>(?:(?:first|last|full|sur|maiden|middle|given|family|user|customer|sir|nick|pet|contact|account|holder'?s?)\s?-?)?(?:name|names|mame|nam)"
    r"(?:\s+(?:is|was|as|to be|of))?\s*[:=,-]?(?:\s+to(?=\s+[A-Z]))?|named(?:\s+(?:him|her|it))?|call(?:s|ed)?\s+(?:me|him|her)|known as|signed(?: by)?|"
    r"sincerely|regards|cheers|yours|mr|mrs|ms|miss|dr|prof|sir|madam|passenger|patient|cardholder|beneficiary|attn|c/o|name's|guardian)"
    r"\b[.,:]?|\b(?P<weak>i\s?am|i'?m|this is|it'?s|its|it is|myself|speaking with|hey,? i'm|and|under|for|from|to|by|dear|hi|hello))\s+"
    rf"(?P<name>{NAME}\.?{_MORE})",
    re.I,
)
SPEAKER = re.compile(rf"(?m)^[ \t>*-]*(?P<name>{NAME}(?: {NAME}){{0,2}}):(?=\s)")
POSSESSIVE = re.compile(r"\b(?P<name>[^\W\d_]{2,}(?:-[^\W\d_]+)?)['’]s\b")
VOCATIVE = re.compile(rf"(?:^|[.!?,:;\"“]\s*)(?:[\w' ]{{0,40}},\s*)?(?P<name>{NAME})(?=[,!?])")
FOLLOWING = re.compile(rf"[ \t]+(?:(?:de|da|dos|von|van|der|den|bin|al|el)[ \t]+)?(?P<word>{NAME}\.?)")
BEFORE = re.compile(rf"(?P<word>{NAME}\.?)[ \t]+$")
LINE = re.compile(r"[^\n\r\t|•]+")
SUFFIX = re.compile(r"[ \t]+(?:Jr|Sr|II|III|IV|PhD|MD|Esq)\b\.?")
NOT_NAME_LABELS = frozenset({"ORG", "GPE", "NORP", "WORK_OF_ART", "FAC", "PRODUCT", "LOC", "LANGUAGE", "EVENT"})
CLEAR = 0.45  # lexicon score from which a capitalised word counts as a name by itself
TITLES = frozenset("mr mrs ms miss mx dr prof professor sir dame rev madam lord lady king queen prince princess saint".split())


class NameRecognizer(SpanRecognizer):
    types = ("PERSON",)

    def __init__(self, lexicon: Lexicon) -> None:
        super().__init__()
        self._lexicon = lexicon

    def find(self, text: str, entities: Sequence[Entity]) -> Iterator[Span]:
        lowered = text.islower()
        for entity in entities:
            if entity.label == "PERSON":
                yield from self._person(text, entity)
            elif entity.label in NOT_NAME_LABELS and not lowered:
                yield from self._misread(text, entity)
        for match in INTRODUCED.finditer(text):
            yield from self._introduced(text, match)
        if not lowered:
            yield from self._placed(text, entities)

    def _person(self, text: str, entity: Entity) -> Iterator[Span]:
        """A person of the NER, cut at line ends, without title, grown over adjoining name words."""
        for start, end in _lines(text, entity.start, entity.end):
            start, end = self._trim(text, start, end)
            words = [word.rstrip(".") for word in WORD.findall(text[start:end])]
            if not words or all(self._lexicon.ordinary(word) for word in words):
                continue
            if text[start:end].islower() and not any(self._lexicon.name(word) > 0.2 for word in words):
                continue
            if any(character.isdigit() for character in text[start:end]):
                continue
            yield Span(*self._grown(text, start, end), "PERSON", "name.ner", 0.85)

    def _misread(self, text: str, entity: Entity) -> Iterator[Span]:
        """An entity of another kind whose words are all clear names."""
        for start, end in _lines(text, entity.start, entity.end):
            start, end = self._trim(text, start, end)
            words = WORD.findall(text[start:end])
            if 1 <= len(words) <= 3 and all(self._is_clear(word) for word in words):
                yield Span(*self._grown(text, start, end), "PERSON", "name.reread", 0.6)

    def _introduced(self, text: str, match: re.Match[str]) -> Iterator[Span]:
        start, end = match.start("name"), match.start("name")
        sure = match["sure"] is not None
        for word in WORD.finditer(text, match.start("name"), match.end("name")):
            bare = word[0].rstrip(".")
            if end > start and text[end : word.start()].strip(" \t"):
                break
            initial = len(bare) == 1 and end > start
            if not initial and not self._continues(bare, sure, first=end == start):
                break
            end = word.end() if initial or len(bare) <= 2 else word.start() + len(bare)
            if word[0].endswith(".") and not initial and len(bare) > 2:
                break
        if end > start:
            yield Span(*self._grown(text, start, end), "PERSON", "name.introduced", 0.8 if sure else 0.65)

    def _continues(self, word: str, sure: bool, *, first: bool) -> bool:
        lower = word.lower()
        if lower in FUNCTION or self._lexicon.ordinary(word) or lower in TITLES:
            return False
        score = self._lexicon.name(word)
        if word[0].isupper():
            return sure or score > (CLEAR if first else 0.1)
        if sure:
            return score > -0.2 or not self._lexicon.known(word)
        return score > CLEAR and self._lexicon.known(word)

    def _placed(self, text: str, entities: Sequence[Entity]) -> Iterator[Span]:
        """Speakers of a script, possessives and vocatives: single capitalised words that the NER passed over."""
        for rule, pattern, floor in (("speaker", SPEAKER, 0.25), ("possessive", POSSESSIVE, CLEAR), ("vocative", VOCATIVE, 0.25)):
            for match in pattern.finditer(text):
                words = WORD.findall(match["name"])
                if all(word[0].isupper() and not self._lexicon.ordinary(word) and self._lexicon.name(word) >= floor for word in words):
                    yield Span(*match.span("name"), "PERSON", f"name.{rule}", 0.6)

    def _is_clear(self, word: str) -> bool:
        bare = word.rstrip(".")
        return bare[:1].isupper() and self._lexicon.known(bare) and self._lexicon.name(bare) >= CLEAR

    def _trim(self, text: str, start: int, end: int) -> tuple[int, int]:
        """Without titles at the front, possessive and punctuation at the end, ordinary words at either."""
        words = list(WORD.finditer(text, start, end))
        while words and (words[0][0].rstrip(".").lower() in TITLES or words[0][0].lower() in FUNCTION or self._drop(words[0][0])):
            words.pop(0)
        while words and self._drop(words[-1][0]):
            words.pop()
        if not words:
            return start, start
        last = words[-1]
        end = last.end() - (1 if last[0].endswith(".") and len(last[0]) > 3 else 0)
        possessive = re.search(r"['’]s$", text[words[0].start() : end])
        return words[0].start(), end - (2 if possessive else 0)

    def _drop(self, word: str) -> bool:
        return self._lexicon.ordinary(word.rstrip(".")) and word.rstrip(".").lower() not in TITLES

    def _grown(self, text: str, start: int, end: int) -> tuple[int, int]:
        """Over adjoining capitalised words that could be names, initials and suffixes."""
        while following := FOLLOWING.match(text, end):
            word = following["word"]
            bare = word.rstrip(".")
            initial = len(bare) == 1 and bare.isupper() and bare not in "IA"
            if not initial and (not bare[0].isupper() or self._lexicon.ordinary(bare) or self._lexicon.name(bare) < 0.1):
                break
            end = following.end() - (0 if initial else len(word) - len(bare))
        while before := BEFORE.search(text[:start], max(0, start - 30)):
            word = before["word"].rstrip(".")
            if not word[0].isupper() or word.lower() in TITLES or self._lexicon.ordinary(word) or self._lexicon.name(word) < 0.2:
                break
            if before.start() > 0 and text[before.start() - 1].isalnum():
                break
            start = before.start()
        if suffix := SUFFIX.match(text, end):
            end = suffix.end()
        return start, end


def _lines(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The parts of a span on each line: an entity never runs over a line end."""
    for match in LINE.finditer(text, start, end):
        yield match.span()
