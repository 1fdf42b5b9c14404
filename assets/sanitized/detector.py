"""Everything that finds: the engine's recognisers, secrets, bare answers and disguised text, as one batch call.

A ``Passage`` is one text of a record with what is known of its place: whether it is prose, whether a user speaks, and
what the turn before asked for. Equal passages of a batch are read once.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from assets.sanitized.disguise.views import NAMING, views
from assets.sanitized.language import LANGUAGES
from assets.sanitized.people.namesakes import namesakes
from assets.sanitized.redaction.spans import PLACEHOLDER, resolve
from assets.sanitized.settings import SanitizeSettings

if TYPE_CHECKING:
    from assets.sanitized.answers import Answers
    from assets.sanitized.spoken import SpokenAnswers
    from resources.entity_tagger import EntityTagger
    from resources.pii_engine import PiiEngine, Span

_DIGIT_WORD = "(?:zero|one|two|three|four|five|six|seven|eight|nine|double|triple)"
# What a text must have for any recogniser but the lexicon's to find something in it.
FERTILE = re.compile(
    r"[\d@:=/\\_&%$<>{}|~^*#+]|[^\x00-\x7f’‘“”–—…]|\b(?:names?|mame|named|call(?:s|ed)?|known|signed|sincerely|regards|yours|mr|mrs|ms|miss|dr|prof|"
    r"pa\w{0,3}w\w*|pass\w*|pwd?|pin|secret|user\w*|login|screen|handle|skype|telegram|discord|phrase|mnemonic|corner|born|mail|"
    rf"{_DIGIT_WORD}[ ,.-]+{_DIGIT_WORD}|address(?:es)?|street|road|avenue|nagar|colony|dot|com|net|org)\b",
    re.I,
)
# A turn that ends in the middle of a value, and one that begins there.
SPLIT_END = re.compile(r"(?:\d[\d -]*|[\w.]+@|@[\w.-]*)\s*$")
SPLIT_START = re.compile(r"\s*(?:\d|[@.\w][\w.@-]*\.[a-z]{2,})")
SPLIT_TYPES = frozenset(
    {"CREDIT_CARD", "PHONE_NUMBER", "US_SSN", "IBAN_CODE", "EMAIL_ADDRESS", "CREDENTIAL", "IP_ADDRESS"}
)
# "My name is [PERSON_1]" introduces nothing any more.
INTRODUCES_PLACEHOLDER = re.compile(
    rf"\b(?:names?|mr|mrs|ms|miss|dr|password|pin|born|mail)\b[.:]?(?:\s+(?:is|on|at|address))*[:=]?\s+{PLACEHOLDER.pattern}(?![A-Za-z0-9])",
    re.I,
)
BLOB = re.compile(r"[A-Za-z0-9+/=]{40,}")
NAME_WORD = re.compile(r"[^\W\d_]{2,}")
CLEAR = 0.45  # lexicon score from which a word counts as a name by itself
WORD_OR_STOP = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*|[.!?\n]")


@dataclass(frozen=True, slots=True)
class Passage:
    """``asked``: the type the turn before asks for. ``bare``: the text may be an answer that stands alone.

    ``label``: the text is a number under a key of these words, and personal as a whole or not at all. ``language``:
    how it is read, an ISO 639-1 code; every one without rules of its own is read like English.
    """

    text: str
    prose: bool = True
    bare: bool = False
    asked: str = ""
    label: str = ""
    language: str = "en"


@dataclass(frozen=True, slots=True)
class Reading:
    """How texts of one language are read."""

    engine: "PiiEngine"
    answers: "Answers | SpokenAnswers"


def build_engine() -> "PiiEngine":
    """The engine with every recogniser of this stage; loading takes some seconds."""
    from assets.sanitized.numbers import recognizers as numbers
    from assets.sanitized.people import recognizers as people
    from assets.sanitized.people.lexicon import lexicon_of
    from assets.sanitized.places import recognizers as places
    from assets.sanitized.secrets import recognizers as secrets
    from resources.entity_tagger import EntityTagger
    from resources.pii_engine import PiiEngine

    tagger = EntityTagger.load()
    lexicon = lexicon_of(tagger.nlp.vocab)
    return PiiEngine(
        tagger, [one for package in (secrets, places, numbers, people) for one in package.recognizers(lexicon)]
    )


class Detector:
    def __init__(self, settings: SanitizeSettings, engine: "PiiEngine | None" = None) -> None:
        from assets.sanitized.answers import Answers
        from assets.sanitized.people.lexicon import lexicon_of

        self.settings = settings
        self._engine = engine or build_engine()
        self._unnamed = settings.minimum("PERSON") is None  # the NER is asked for persons only
        self._always = bool(settings.recognizers)  # a policy's own pattern may need none of the signs of FERTILE
        self._lexicon = lexicon_of(cast("EntityTagger", self._engine.tagger).nlp.vocab)
        self._english = self._reading(self._engine, Answers(self._lexicon))
        self._readings: dict[str, Reading] = {}  # of other languages, from when the first text comes

    def detect(self, passages: Sequence[Passage]) -> list[list["Span"]]:
        """For each passage the resolved spans that the policy removes, in order."""
        distinct = list(dict.fromkeys(passages))
        found = dict(zip(distinct, self._read(list(map(_spoken, distinct))), strict=True))
        return [_whole(passage, found[passage]) if passage.label else found[passage] for passage in passages]

    def _reading(self, engine: "PiiEngine", answers: "Answers | SpokenAnswers") -> Reading:
        if self.settings.recognizers:
            from presidio_analyzer import PatternRecognizer

            for body in self.settings.recognizers:
                engine.registry.add_recognizer(PatternRecognizer.from_dict(body))
        return Reading(engine, answers)

    def _reading_of(self, language: str) -> Reading:
        if language not in LANGUAGES:
            return self._english
        if language not in self._readings:
            from assets.sanitized.spoken import SpokenAnswers, spoken_engine

            engine = spoken_engine(language, self._lexicon)
            self._readings[language] = self._reading(engine, SpokenAnswers(language))
        return self._readings[language]

    def across(self, first: str, second: str) -> tuple[list["Span"], list["Span"]]:
        """Spans of values that begin at the end of one text and end at the start of the other, cut at the break."""
        domain = second.lstrip()[:1] == "@" and first[-1:].isalnum()
        if not ((domain or SPLIT_END.search(first)) and SPLIT_START.match(second)):
            return [], []
        start = len(first.rstrip()) - min(len(first.rstrip()), 80)
        head = first[start:].rstrip()
        gap = "" if head[-1:] in "@.-" or second.lstrip()[:1] in "@.-" else " "
        tail = second.lstrip()[:80]
        shift = len(second) - len(second.lstrip())
        break_at = len(head) + len(gap)
        before, after = [], []
        for span in resolve(
            head + gap + tail, self._allowed(head + gap + tail, self._engine.spans(head + gap + tail, []))
        ):
            if span.start < len(head) and span.end > break_at and span.type in SPLIT_TYPES:
                rule = f"{span.rule}+turns"
                before.append(replace(span, start=start + span.start, end=start + len(head), rule=rule))
                after.append(replace(span, start=shift, end=shift + span.end - break_at, rule=rule))
        return before, after

    def is_name(self, word: str) -> bool:
        """Whether a part of a found name is worth looking for by itself."""
        return len(word) > 2 and not self._lexicon.ordinary(word) and self._lexicon.name(word) > -0.6

    def _read(self, passages: list[Passage]) -> list[list["Span"]]:
        judged: list[list[Span]] = [[] for _ in passages]
        for language in dict.fromkeys(passage.language for passage in passages):
            reading = self._reading_of(language)
            places = [at for at, passage in enumerate(passages) if passage.language == language]
            shown = [passages[at] for at in places]
            found = self._english_spans(shown) if reading is self._english else self._spans(reading, shown)
            for at, passage, raw in zip(places, shown, found, strict=True):
                judged[at] = self._judge(passage, raw, reading) if raw is not None else []
        return judged

    def _spans(self, reading: Reading, passages: list[Passage]) -> list[list["Span"] | None]:
        return [*reading.engine.analyze([passage.text for passage in passages])]

    def _english_spans(self, passages: list[Passage]) -> list[list["Span"] | None]:
        """What the recognisers find; None where nobody needs to look."""
        nameless = [self._unnamed or self._nameless(passage.text) for passage in passages]
        barren = [not (self._always or passage.asked or self._fertile(passage.text)) for passage in passages]
        read = [at for at in range(len(passages)) if not (nameless[at] and barren[at])]
        spans = self._engine.analyze(
            [passages[at].text for at in read], [nameless[at] for at in read], [barren[at] for at in read]
        )
        found: list[list[Span] | None] = [None] * len(passages)
        for at, raw in zip(read, spans, strict=True):
            found[at] = raw
        return found

    def _fertile(self, text: str) -> bool:
        """Whether a text without name words has what another recogniser needs: a digit, a sign, an introduction."""
        if "[" in text:
            text = PLACEHOLDER.sub(" ", INTRODUCES_PLACEHOLDER.sub(" ", text))
        return FERTILE.search(text) is not None

    def _nameless(self, text: str) -> bool:
        """Whether every word is everyday vocabulary, so that whatever the NER said would be discarded."""
        if "[" in text:
            text = PLACEHOLDER.sub(" ", text)
        opening = True
        for match in WORD_OR_STOP.finditer(text):
            word = match[0]
            if word in ".!?\n":
                opening = True
            elif word.islower():
                if not self._lexicon.harmless(word):
                    return False
                opening = False
            elif (opening or word[0] == "I") and self._lexicon.ordinary(word):
                opening = False
            else:
                return False
        return True

    def _judge(self, passage: Passage, raw: list["Span"], reading: Reading) -> list["Span"]:
        text = passage.text
        if (passage.bare or passage.asked) and self.settings.bare_answers:
            raw.extend(reading.answers.find(text, passage.asked, tuple(raw)))
        for view in views(text):
            naming = view.name in NAMING
            [found] = reading.engine.analyze([view.text], [not naming])
            raw.extend(
                view.restore(span) for span in found if span.type != "PERSON" or (naming and view.hides(span, text))
            )
        kept = [
            span
            for span in self._allowed(text, raw)
            if passage.prose or span.type != "PERSON" or self._full_name(text[span.start : span.end])
        ]
        if any(span.type == "PERSON" for span in kept) and (taken := list(namesakes(text))):
            kept = [
                span
                for span in kept
                if span.type != "PERSON" or not any(a <= span.start and span.end <= b for a, b in taken)
            ]
        if kept and (blobs := [match.span() for match in BLOB.finditer(text)]):  # letters of an image are no name
            kept = [
                span
                for span in kept
                if span.type != "PERSON"
                or "+" in span.rule  # read in what the blob decodes to
                or not any(start <= span.start and span.end <= end for start, end in blobs)
            ]
        return resolve(text, kept) if kept else []

    def _full_name(self, value: str) -> bool:
        """Whether a value is plainly a person, even where a word is no name: two clear names or more."""
        found = NAME_WORD.findall(value)
        return len(found) > 1 and all(self._lexicon.name(word) >= CLEAR for word in found)

    def _allowed(self, text: str, spans: Iterable["Span"]) -> Iterator["Span"]:
        """The spans that the policy removes."""
        for span in spans:
            minimum = self.settings.minimum(span.type)
            if minimum is not None and span.score >= minimum and not self.settings.allows(text[span.start : span.end]):
                yield span


def _spoken(passage: Passage) -> Passage:
    """A number as it would be said: "phone: 2125550143"."""
    return replace(passage, text=f"{passage.label}: {passage.text}", label="") if passage.label else passage


def _whole(passage: Passage, spans: list["Span"]) -> list["Span"]:
    """A span over the whole number if anything was found in it."""
    shift = len(passage.label) + 2
    inside = [span for span in spans if span.end > shift]
    return [replace(max(inside, key=len), start=0, end=len(passage.text))] if inside else []
