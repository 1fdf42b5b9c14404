"""Where steps run is the environment's choice; what cannot be is refused when the code is loaded."""

import socket
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from expectations.checks import TRIALS
from pipelines import execution
from pipelines.execution import engine, executor, run_tags, steps_at_once, threads
from pipelines.instance import HOST_TAG, PID_TAG, fail_killed_runs
from resources.errors import UsageError
from resources.memory import GIB


def test_by_default_the_trials_run_beside_each_other_where_the_machine_has_room(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("HALLMARK_EXECUTOR")
    monkeypatch.setattr(execution, "cores", lambda: 8)
    monkeypatch.setattr(execution, "available", lambda device: 24 * GIB)
    assert executor("prove_drop") is dg.in_process_executor  # its stages follow each other
    assert executor("build_candidate").name == "multiprocess"
    assert (steps_at_once(), threads()) == (len(TRIALS), 2)
    assert engine("build_candidate", alone=True) == "in_process"
    monkeypatch.setattr(execution, "available", lambda device: 12 * GIB)
    assert (steps_at_once(), threads()) == (2, 4)
    with (tmp_path / "model.safetensors").open("wb") as stream:
        stream.truncate(3 * GIB)  # a base of which four times do not fit
    monkeypatch.setenv("HALLMARK_BASE", str(tmp_path))
    assert executor("build_candidate") is dg.in_process_executor
    monkeypatch.delenv("HALLMARK_BASE")
    monkeypatch.setattr(execution, "cores", lambda: 1)
    assert executor("build_candidate") is dg.in_process_executor
    assert run_tags(accelerated=False) == {}


def test_one_process_is_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HALLMARK_EXECUTOR", "in_process")
    assert executor("build_candidate") is dg.in_process_executor


def test_a_cluster_asks_for_gpus_where_the_model_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HALLMARK_GPUS", "1")
    whole = run_tags(accelerated=True)
    assert whole["hallmark/gpu"] == "1"  # what the instance's limit names
    assert whole["dagster-k8s/config"]["container_config"]["resources"]["limits"] == {"nvidia.com/gpu": "1"}
    monkeypatch.setenv("HALLMARK_EXECUTOR", "k8s_job")
    assert "dagster-k8s/config" not in run_tags(accelerated=True)  # the steps ask, the run's own pod does not
    assert executor("build_candidate").name == "k8s"


@pytest.mark.parametrize(("name", "value"), [("HALLMARK_EXECUTOR", "celery"), ("HALLMARK_GPUS", "all")])
def test_an_unknown_choice_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv("HALLMARK_EXECUTOR", "multiprocess")
    monkeypatch.setenv(name, value)
    with pytest.raises(UsageError, match=value):
        executor("build_candidate")
        run_tags(accelerated=True)


def test_only_a_run_of_this_machine_is_taken_for_dead() -> None:
    ended = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True)
    gone = ended.stdout.strip()

    @dg.job
    def nothing() -> None: ...

    with dg.DagsterInstance.ephemeral() as instance:
        here, elsewhere = (
            instance.create_run_for_job(
                nothing, status=dg.DagsterRunStatus.STARTED, tags={PID_TAG: gone, HOST_TAG: host}
            )
            for host in (socket.gethostname(), "another-pod")
        )
        assert fail_killed_runs(instance) == [here.run_id]
        assert instance.get_run_by_id(elsewhere.run_id).status == dg.DagsterRunStatus.STARTED
