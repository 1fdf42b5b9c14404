"""The log of decisions only grows, and shows when it was touched."""

import concurrent.futures
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resources.decision_log import GENESIS, DecisionLog, Head, contradiction
from resources.errors import IntegrityError, StoreError


@pytest.fixture
def log(tmp_path: Path) -> DecisionLog:
    log = DecisionLog(tmp_path / "decisions.jsonl")
    for number in range(4):
        log.append("review" if number % 2 else "note", {"row": f"r{number}"})
    return log


def head_path(log: DecisionLog) -> Path:
    return log.path.with_name(f"{log.path.name}.head")


def lines(log: DecisionLog) -> list[bytes]:
    return log.path.read_bytes().splitlines(keepends=True)


def test_each_entry_names_the_one_before(log: DecisionLog) -> None:
    entries = log.entries()
    assert [entry.previous for entry in entries] == [GENESIS, *(entry.digest for entry in entries[:-1])]
    assert [entry.body["row"] for entry in log.entries("review")] == ["r1", "r3"]
    assert log.head() == Head(4, entries[-1].digest, log.path.stat().st_size)
    log.verify()


def test_a_log_that_does_not_exist_is_empty(tmp_path: Path) -> None:
    log = DecisionLog(tmp_path / "none" / "decisions.jsonl")
    log.verify()
    assert log.entries() == [] and log.head() == Head()


@pytest.mark.parametrize("number", range(4))
def test_a_changed_line_is_found(log: DecisionLog, number: int) -> None:
    changed = lines(log)
    changed[number] = changed[number].replace(b'"row":"r', b'"row":"x')
    log.path.write_bytes(b"".join(changed))
    with pytest.raises(IntegrityError, match=f":{number + 1} was changed"):
        log.verify()


def test_a_line_of_other_spelling_is_found(log: DecisionLog) -> None:
    log.path.write_bytes(log.path.read_bytes().replace(b'"row":"r1"', b'"row": "r1"'))
    with pytest.raises(IntegrityError, match="was changed"):
        log.verify()


@pytest.mark.parametrize("number", range(3))
def test_a_removed_or_moved_line_is_found(log: DecisionLog, number: int) -> None:
    whole = lines(log)
    log.path.write_bytes(b"".join(whole[:number] + whole[number + 1 :]))
    with pytest.raises(IntegrityError, match="does not follow"):
        log.verify()
    whole[number], whole[number + 1] = whole[number + 1], whole[number]
    log.path.write_bytes(b"".join(whole))
    with pytest.raises(IntegrityError, match="does not follow"):
        log.verify()


@pytest.mark.parametrize("keep", [0, 1, 3])
def test_a_log_cut_off_is_found_and_not_written_on(log: DecisionLog, keep: int) -> None:
    log.path.write_bytes(b"".join(lines(log)[:keep]))
    with pytest.raises(IntegrityError, match="was cut"):
        log.verify()
    with pytest.raises(IntegrityError, match="was cut"):
        log.append("note", {})


def test_a_head_that_is_gone_or_broken_is_found(log: DecisionLog) -> None:
    head_path(log).write_text("{}x")
    with pytest.raises(IntegrityError, match="not readable"):
        log.verify()
    head_path(log).unlink()
    with pytest.raises(IntegrityError, match=r"its head .* is gone"):
        log.verify()
    with pytest.raises(IntegrityError, match=r"its head .* is gone"):
        log.append("note", {})


def test_a_head_of_another_log_is_found(log: DecisionLog, tmp_path: Path) -> None:
    other = DecisionLog(tmp_path / "other.jsonl")
    for number in range(4):
        other.append("note", {"row": f"q{number}"})
    head_path(log).write_bytes(head_path(other).read_bytes().replace(b'"size":', b'"size":'))
    with pytest.raises(IntegrityError):
        log.verify()


def test_an_anchor_contradicts_a_log_that_was_cut_with_its_head(log: DecisionLog, tmp_path: Path) -> None:
    anchor = log.head().anchor()
    assert contradiction(log.entries(), anchor) == ""
    log.append("note", {"later": True})
    assert contradiction(log.entries(), anchor) == ""
    shorter = DecisionLog(tmp_path / "shorter.jsonl")
    shorter.append("note", {"row": "r0"})
    assert "it was cut" in contradiction(shorter.entries(), anchor)
    for number in range(5):
        shorter.append("note", {"row": f"other{number}"})
    assert "it was rewritten" in contradiction(shorter.entries(), anchor)


def test_a_writer_killed_before_the_head_is_taken_up(log: DecisionLog) -> None:
    before = head_path(log).read_bytes()
    last = log.append("note", {"row": "r4"})
    head_path(log).write_bytes(before)
    log.verify()  # a whole line more than the head knows is no tampering
    assert log.append("note", {"row": "r5"}).previous == last.digest
    log.verify()
    assert log.head().entries == 6


def test_a_line_torn_by_a_power_cut_was_never_acknowledged(log: DecisionLog) -> None:
    with log.path.open("ab") as stream:
        stream.write(b'{"kind":"note","body":{"ro')
    assert len(log.entries()) == 4
    log.append("note", {"row": "r4"})
    log.verify()
    assert [entry.body["row"] for entry in log.entries()] == ["r0", "r1", "r2", "r3", "r4"]


def test_a_full_disk_leaves_the_log_as_it_was(log: DecisionLog, monkeypatch: pytest.MonkeyPatch) -> None:
    before, write = log.path.read_bytes(), os.write
    monkeypatch.setattr(os, "write", lambda target, data: write(target, data[:10]))
    with pytest.raises(StoreError, match="was not recorded"):
        log.append("note", {})
    monkeypatch.undo()
    assert log.path.read_bytes() == before
    log.verify()


def test_a_body_that_is_no_json_changes_nothing(log: DecisionLog) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        log.append("note", {"value": float("nan")})
    log.verify()
    assert len(log.entries()) == 4


def test_two_processes_and_many_threads_lose_nothing(log: DecisionLog) -> None:
    script = (
        "import sys; from pathlib import Path; from resources.decision_log import DecisionLog\n"
        "for n in range(20): DecisionLog(Path(sys.argv[1])).append('note', {'by': sys.argv[2], 'n': n})"
    )
    root = Path(__file__).resolve().parents[2]
    others = [subprocess.Popen([sys.executable, "-c", script, str(log.path), name], cwd=root) for name in ("a", "b")]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: DecisionLog(log.path).append("note", {"by": "threads", "n": n}), range(20)))
    assert [other.wait() for other in others] == [0, 0]
    log.verify()
    written = [(entry.body["by"], entry.body["n"]) for entry in log.entries("note") if "by" in entry.body]
    assert sorted(written) == sorted((by, n) for by in ("a", "b", "threads") for n in range(20))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.text(max_size=20),
    st.dictionaries(st.text(max_size=5), st.none() | st.integers() | st.text(max_size=20), max_size=4),
)
def test_whatever_json_is_decided_comes_back(tmp_path: Path, kind: str, body: dict[str, object]) -> None:
    log = DecisionLog(tmp_path / "decisions.jsonl")
    try:
        log.append(kind, body)
    except UnicodeEncodeError:  # a lone surrogate is no text that can be written down
        assert any("\ud800" <= char <= "\udfff" for char in f"{kind}{body}")
        return
    last = DecisionLog(log.path).entries()[-1]
    assert (last.kind, last.body) == (kind, body)
    log.verify()
