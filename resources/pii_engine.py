"""The engine that finds personal data: Presidio's recognisers, driven in batches over a fast NER.

Presidio contributes the recogniser contract (``EntityRecognizer``), the registry and its checksummed recognisers.
``AnalyzerEngine`` itself handles one text at a time and runs every recogniser and its context enhancer on each;
``PiiEngine`` tags a whole batch first, asks a recogniser only about texts that carry its ``trigger``, and takes spans
directly from recognisers written for it. Any Presidio recogniser can be added to ``registry`` (a policy may list some).
"""

import re
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

from presidio_analyzer import EntityRecognizer, RecognizerRegistry, RecognizerResult
from presidio_analyzer.nlp_engine import NlpArtifacts

LANGUAGE = "en"


@dataclass(frozen=True, slots=True)
class Entity:
    """A named entity of the NER: characters ``start`` to ``end`` carry ``label`` (OntoNotes names: PERSON, GPE...).

    ``person`` is the probability of a person's name, where the network tells it of each word.
    """

    start: int
    end: int
    label: str
    person: float = 0.0


@dataclass(frozen=True, slots=True)
class Span:
    """Characters ``start`` to ``end`` are a value of ``type``, found by ``rule`` with ``score`` in 0..1."""

    start: int
    end: int
    type: str
    rule: str
    score: float

    def __len__(self) -> int:
        return self.end - self.start


class TaggedText(NlpArtifacts):
    """The artefacts that recognisers read: here only the entities; tokens and lemmas are not computed."""

    def __init__(self, entities: list[Entity]) -> None:
        self.entities = entities  # type: ignore[assignment]
        self.tokens = []  # type: ignore[assignment]
        self.lemmas: list[str] = []
        self.keywords: list[str] = []
        self.scores = [0.85] * len(entities)


class SpanRecognizer(EntityRecognizer):  # type: ignore[misc]
    """A recogniser that yields spans. It is a Presidio recogniser too, so ``AnalyzerEngine`` can run it.

    A ``verbal`` one finds values in words alone; the others need a digit, a sign or an announcing word.
    ``find`` is called only for a text that, in lower case, holds one of ``literals`` (if there are any) and matches
    ``trigger`` (if there is one). Literals are tried first: looking for one costs a tenth of a pattern.
    """

    types: tuple[str, ...] = ()
    literals: tuple[str, ...] = ()
    verbal: bool = False
    trigger: re.Pattern[str] | None = None

    def __init__(self) -> None:
        super().__init__(supported_entities=list(self.types), supported_language=LANGUAGE)

    @abstractmethod
    def find(self, text: str, entities: Sequence[Entity]) -> Iterator[Span]:
        """Spans of ``text``; ``entities`` is what the NER said of it."""

    def load(self) -> None:
        """Nothing to load."""

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts | None = None
    ) -> list[RecognizerResult]:
        tagged: list[Any] = nlp_artifacts.entities if isinstance(nlp_artifacts, TaggedText) else []
        return [
            RecognizerResult(span.type, span.start, span.end, span.score)
            for span in self.find(text, tagged)
            if span.type in entities
        ]


class Tagger(Protocol):
    """A network that names entities: ``EntityTagger``, ``MultilingualTagger``."""

    def entities(self, texts: Sequence[str]) -> Sequence[Sequence[tuple[int, int, str] | tuple[int, int, str, float]]]:
        """What ``Entity`` has, in characters, for each text, in order."""


class PiiEngine:
    """Finds spans in batches of texts."""

    def __init__(self, tagger: Tagger, recognizers: Sequence[EntityRecognizer]) -> None:
        self.tagger = tagger
        self.registry = RecognizerRegistry(recognizers=list(recognizers), supported_languages=[LANGUAGE])

    def analyze(
        self, texts: Sequence[str], nameless: Sequence[bool] = (), barren: Sequence[bool] = ()
    ) -> list[list[Span]]:
        """All spans of each text, unresolved: they may overlap.

        A ``nameless`` text is not shown to the NER, a ``barren`` one only to the verbal recognisers.
        """
        shown = [at for at in range(len(texts)) if not (nameless and nameless[at])]
        tagged: list[list[Entity]] = [[] for _ in texts]
        for at, entities in zip(shown, self.tagger.entities([texts[at] for at in shown]), strict=True):
            tagged[at] = [Entity(*entity) for entity in entities]
        found = []
        for at, text in enumerate(texts):
            found.append(list(self.spans(text, tagged[at], verbal=bool(barren) and barren[at])))
        return found

    def spans(self, text: str, entities: list[Entity], *, verbal: bool = False) -> Iterator[Span]:
        """The spans of one text whose entities are known; ``verbal`` asks the verbal recognisers alone."""
        lowered = text.lower()
        for recognizer in self.registry.recognizers:
            own = (
                cast(SpanRecognizer, recognizer) if hasattr(recognizer, "find") else None
            )  # isinstance of an ABC is slow
            if verbal and not getattr(recognizer, "verbal", False):
                continue
            if own is not None:
                if own.literals and not contains(lowered, own.literals):
                    continue
                if own.trigger is None or own.trigger.search(text):
                    yield from own.find(text, entities)
            else:
                for result in recognizer.analyze(text, recognizer.supported_entities, TaggedText(entities)) or []:
                    yield Span(result.start, result.end, result.entity_type, type(recognizer).__name__, result.score)


def contains(text: str, literals: Sequence[str]) -> bool:
    """Whether any literal occurs in the text."""
    return any(map(text.__contains__, literals))
