"""People, addresses and telephones are found in letters, tickets, chat, forms, calls and reports of five countries."""

from collections import Counter

import pytest
from personal_places import clean, labelled

from assets.sanitized.detector import Detector, Passage
from assets.sanitized.settings import SanitizeSettings
from resources.pii_engine import PiiEngine

HALVES = ("tune", "report")
BARS = {"PERSON": 0.93, "STREET_ADDRESS": 0.85, "PHONE_NUMBER": 0.95}


@pytest.fixture(scope="module")
def detector(engine: PiiEngine) -> Detector:
    return Detector(SanitizeSettings(), engine)


@pytest.mark.parametrize("half", HALVES)
def test_values_are_found_whole(detector: Detector, half: str) -> None:
    rows = [row for seed in (21, 22, 23) for row in labelled(seed, half)]
    found, total, missed = Counter[str](), Counter[str](), []
    for (template, text, spans), read in zip(
        rows, detector.detect([Passage(text) for _, text, _ in rows]), strict=True
    ):
        covered = {at for span in read for at in range(span.start, span.end)}
        for type_, start, end in spans:
            whole = all(at in covered for at in range(start, end) if text[at].isalnum())
            total[type_] += 1
            found[type_] += whole
            if not whole:
                missed.append((template, text[start:end]))
    for type_, bar in BARS.items():
        assert found[type_] >= bar * total[type_], (type_, found[type_], total[type_], missed)


@pytest.mark.parametrize("half", HALVES)
def test_texts_without_people_stay(detector: Detector, half: str) -> None:
    texts = list(clean(half))
    alarmed = [
        text for text, spans in zip(texts, detector.detect([Passage(text) for text in texts]), strict=True) if spans
    ]
    assert len(alarmed) <= 0.1 * len(texts), alarmed
