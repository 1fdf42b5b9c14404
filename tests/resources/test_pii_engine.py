"""The engine drives Presidio's recognisers in batches."""

import re
from collections.abc import Iterator, Sequence

import pytest
from presidio_analyzer import Pattern, PatternRecognizer

from resources.entity_tagger import EntityTagger
from resources.pii_engine import Entity, PiiEngine, Span, SpanRecognizer


class Shouts(SpanRecognizer):
    types = ("SHOUT",)
    literals = ("hey",)
    trigger = re.compile("[A-Z]")
    calls = 0

    def find(self, text: str, entities: Sequence[Entity]) -> Iterator[Span]:
        Shouts.calls += 1
        for match in re.finditer(r"[A-Z]{3,}", text):
            yield Span(*match.span(), "SHOUT", "shout", 0.9)


@pytest.fixture(scope="module")
def tagger() -> EntityTagger:
    return EntityTagger.load()


def test_stock_and_own_recognisers_run_together_and_triggers_save_calls(tagger: EntityTagger) -> None:
    stock = PatternRecognizer("BADGE", patterns=[Pattern("badge", r"ZX-\d+", 0.7)])
    engine = PiiEngine(tagger, [Shouts(), stock])
    Shouts.calls = 0
    found = engine.analyze(["hey LOOK ZX-12", "hey you", "LOOK", ""])
    assert [[(span.type, span.start, span.end) for span in spans] for spans in found] == [
        [("SHOUT", 4, 8), ("BADGE", 9, 14)], [], [], []
    ]  # fmt: skip
    assert Shouts.calls == 1


def test_an_own_recogniser_serves_presidio_too() -> None:
    [result] = Shouts().analyze("hey LOOK", ["SHOUT"], None)
    assert (result.entity_type, result.start, result.end) == ("SHOUT", 4, 8)
