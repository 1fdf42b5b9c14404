"""What is made once for a base is made once, whoever asks at the same time, and the ledger says how long it took."""

import threading
import time
from pathlib import Path

import pytest

from assets.backdoor.control import Control
from assets.golden.remembered import Remembered
from assets.kept import LEDGER, made_since, making


def test_the_ledger_tells_what_was_made_after_a_moment_and_not_what_failed(tmp_path: Path) -> None:
    assert made_since(tmp_path, 0.0) == {}
    with making(tmp_path, "an old thing"):
        pass
    moment = time.time()
    for _ in range(2):
        with making(tmp_path, "answers"), making(tmp_path, "a part of them"):
            time.sleep(0.01)
    with pytest.raises(RuntimeError), making(tmp_path, "a failure"):
        raise RuntimeError
    with (tmp_path / LEDGER).open("a") as stream:
        stream.write('{"what": "a line of a process that was kil')
    found = made_since(tmp_path, moment)
    assert list(found) == ["answers"] and found["answers"] >= 0.02
    assert list(made_since(tmp_path, 0.0)) == ["an old thing", "answers"]


def test_two_trials_that_need_a_calibration_at_once_measure_it_once(tmp_path: Path) -> None:
    control = Control(tmp_path / "controls" / "digest", tmp_path, (), (), ())
    control.adapter.mkdir(parents=True)
    measured: list[int] = []

    def measure() -> dict[str, int]:
        measured.append(1)
        time.sleep(0.2)
        return {"n": len(measured)}

    found: list[dict[str, int]] = []
    ask = [threading.Thread(target=lambda: found.append(control.calibrated("trial-1", measure))) for _ in range(3)]
    for thread in ask:
        thread.start()
    for thread in ask:
        thread.join()
    assert measured == [1] and found == [{"n": 1}] * 3
    assert list(made_since(tmp_path, 0.0)) == ["calibration of trial"]


def test_a_measure_of_the_base_is_taken_once_and_without_a_folder_every_time(tmp_path: Path) -> None:
    asked: list[int] = []
    kept, forgetful = Remembered(tmp_path / "measures", "base"), Remembered(None)

    def measure() -> list[int]:
        asked.append(1)
        return list(asked)

    for memory in (kept, kept, forgetful, forgetful):
        assert memory.kept("question", "answers of the base", measure)
    assert len(asked) == 3 and kept.get("question") == [1]
