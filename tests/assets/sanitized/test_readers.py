"""Reading on several cores finds what reading on one finds, and a reader that dies is an error, not a gap."""

import os
import signal
import time
from collections.abc import Iterator

import pytest

from assets.sanitized import readers
from assets.sanitized.detector import Detector, Passage
from assets.sanitized.readers import Readers
from assets.sanitized.sanitize import Sanitizer
from assets.sanitized.settings import SanitizeSettings
from resources.errors import HallmarkError
from resources.pii_engine import PiiEngine
from tests.assets.sanitized.conftest import record

TEXTS = [
    f"{greeting}, my name is {name}, call {number} or write to {name.split()[0].lower()}@corp.example about {thing}"
    for greeting in ("Hello", "Good morning", "Hi")
    for name in ("Maria Lopez", "Wei Zhang", "Ann Lee", "Sathish Kumar")
    for number in ("212-555-0143", "+44 20 7946 0958")
    for thing in ("my order", "the invoice", "a refund")
]


@pytest.fixture
def team(engine: PiiEngine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Readers]:
    """Two readers, the second of which has loaded its engine."""
    monkeypatch.setattr(readers, "LARGE", 1)
    settings = SanitizeSettings(processes=2)
    team = Readers(settings)
    team.expect(1)
    [other] = team._others
    deadline = time.monotonic() + 120
    while not other.ready():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    yield team
    team.close()


def test_two_readers_find_what_one_finds(engine: PiiEngine, team: Readers) -> None:
    passages = [Passage(text) for text in (*TEXTS, "", *TEXTS[:5])]
    alone = Detector(SanitizeSettings(), engine)
    assert team.detect(alone, passages) == alone.detect(passages)


def test_a_reader_that_dies_is_an_error_that_says_what_to_do(engine: PiiEngine, team: Readers) -> None:
    os.kill(team._others[0]._process.pid, signal.SIGKILL)
    with pytest.raises(HallmarkError, match="processes: 1"):
        team.detect(Detector(SanitizeSettings(), engine), [Passage(text) for text in TEXTS])


def test_a_small_drop_is_read_by_one_process_and_a_large_one_by_all(
    engine: PiiEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readers, "LARGE", 12)
    sanitizer = Sanitizer(SanitizeSettings(residual_rows=0, batch=8, processes=3), engine=engine)
    rows = (record({"text": text}, at) for at, text in enumerate(TEXTS))
    started = []
    for _ in sanitizer.run(rows):
        started.append(len(sanitizer._readers._others))
    assert started[:8] == [0] * 8
    assert started[8:] == [2] * (len(TEXTS) - 8)
    assert not sanitizer._readers._others
