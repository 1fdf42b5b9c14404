"""The record of traffic: chained, conserved, and closed after a kill."""

from pathlib import Path

import pytest

from assets.served.traffic import Traffic
from resources.errors import IntegrityError, StoreError


def test_many_writers_share_writes_and_the_chain_holds(tmp_path: Path) -> None:
    record = Traffic(tmp_path / "traffic.jsonl")
    waiting = [record.submit("asked", request=f"r{number}", gateway="g") for number in range(300)]
    waiting += [record.submit("answered", request=f"r{number}", tokens=2, gateway="g") for number in range(290)]
    for done in waiting:
        done.result(20)
    record.close()
    assert len(record.log.verify()) == 590
    assert record.close_interrupted("g") == 10
    found = record.tally()
    assert (found.counts["asked"], found.counts["interrupted"], found.tokens, found.open) == (300, 10, 580, set())
    assert found.unaccounted == 0


def test_an_end_without_a_beginning_is_told(tmp_path: Path) -> None:
    record = Traffic(tmp_path / "traffic.jsonl")
    record.note("answered", request="r1")
    assert record.tally().unaccounted == 1


def test_a_changed_line_breaks_the_chain(tmp_path: Path) -> None:
    record = Traffic(tmp_path / "traffic.jsonl")
    record.note("asked", request="r1", key="shop")
    record.note("answered", request="r1", tokens=3)
    text = record.log.path.read_text()
    record.log.path.write_text(text.replace("shop", "shot"))
    with pytest.raises(IntegrityError):
        record.tally()


def test_a_disk_that_takes_nothing_fails_who_waits(tmp_path: Path) -> None:
    (tmp_path / "served").write_text("a file where the folder should be")
    record = Traffic(tmp_path / "served" / "traffic.jsonl")
    with pytest.raises(StoreError):
        record.submit("asked", request="r1").result(20)
    record.close()
