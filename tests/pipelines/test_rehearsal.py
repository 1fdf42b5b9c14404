"""What the trials hold a candidate against is made before there is one, once for a base."""

import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from assets.kept import made_since
from pipelines import rehearsal
from pipelines.rehearsal import beside, rehearse
from resources.project import Project
from tests.tiny_model import write_tiny_base


def test_everything_that_hangs_on_the_base_alone_is_made_and_found_again(tmp_path: Path) -> None:
    project = Project(home=str(tmp_path / "home"), base=str(write_tiny_base(tmp_path / "base")))
    rehearse(project)
    assert set(made_since(project.workspace.models, 0.0)) == {
        "control adapter", "calibration of backdoor", "calibration of memorization", "calibration of extraction",
        "how good the judges are", "answers of the base", "control for refusals", "trial of the control for refusals",
    }  # fmt: skip
    moment = time.time()
    rehearse(project)
    assert made_since(project.workspace.models, moment) == {}


def test_it_runs_beside_a_run_only_where_there_is_a_core_for_it_and_ends_with_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    project = Project(home=str(tmp_path))
    monkeypatch.setenv("HALLMARK_HOME", str(tmp_path))
    started: list[subprocess.Popen[bytes]] = []

    class Noted(subprocess.Popen[bytes]):
        def __init__(self, *given: Any, **more: Any) -> None:
            super().__init__(*given, **more)
            started.append(self)

    monkeypatch.setattr(subprocess, "Popen", Noted)
    with beside(project):
        assert not started  # the tests' environment says one process
    monkeypatch.setattr(rehearsal, "engine", lambda job: "multiprocess")
    monkeypatch.setattr(rehearsal, "steps_at_once", lambda: 2)
    monkeypatch.setattr(rehearsal, "PATIENCE", 0.5)
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)  # children inherit it, as from a supervisor
    try:
        with beside(project):
            (process,) = started
            assert process.poll() is None
    finally:
        signal.signal(signal.SIGTERM, before)
    assert process.poll() is not None
