"""A run from start to end, wherever the instance has it executed.

Three ways, in the order they are looked for. The instance launches runs elsewhere (``K8sRunLauncher`` ...): the run is
handed to its launcher and waited for. Steps run in processes or pods of their own: this process executes the run and
gives its steps away. Neither: everything happens in this process.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
from dagster._core.launcher import DefaultRunLauncher

from pipelines.execution import engine
from pipelines.instance import process_tags
from resources.errors import HallmarkError

POLL = 3.0  # seconds between two looks at a run that is executed elsewhere
_ENDED = (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)
_TOLD: dict[str, Any] = {"loggers": {"console": {}}}  # the run config of one that is followed in a terminal
MARK = "hallmark/request"


def execute(
    instance: dg.DagsterInstance, job: str, partition: str | None = None, stages: Sequence[str] = ()
) -> dg.DagsterRun:
    """Run a job to its end, or of it only ``stages`` with their checks; the run, whatever became of it."""
    tags = {"dagster/partition": partition} if partition else {}
    if not isinstance(instance.run_launcher, DefaultRunLauncher):
        return _launched(instance, job, tags, stages)
    if engine(job, alone=len(stages) == 1) == "in_process":
        return _here(instance, job, partition, stages)
    return _steps_elsewhere(instance, job, tags, stages)


def _here(instance: dg.DagsterInstance, job: str, partition: str | None, stages: Sequence[str]) -> dg.DagsterRun:
    from pipelines.definitions import defs

    result = defs.resolve_job_def(job).execute_in_process(
        instance=instance,
        partition_key=partition,
        asset_selection=[dg.AssetKey(stage) for stage in stages] or None,
        raise_on_error=False,
        run_config=_TOLD,
        tags=process_tags(),
    )
    return result.dagster_run


def resolved(job: str) -> dg.JobDefinition:
    """A job by name, for a process that executes one step of it."""
    from pipelines.definitions import defs

    return defs.resolve_job_def(job)


def _steps_elsewhere(
    instance: dg.DagsterInstance, job: str, tags: Mapping[str, str], stages: Sequence[str]
) -> dg.DagsterRun:
    target = dg.build_reconstructable_job("pipelines.runs", "resolved", (job,))
    with dg.execute_job(
        target,
        instance=instance,
        asset_selection=[dg.AssetKey(stage) for stage in stages] or None,
        raise_on_error=False,
        run_config=_TOLD,
        tags={**tags, **process_tags()},
    ) as result:
        run_id = result.run_id
    return _found(instance, run_id)


def _launched(instance: dg.DagsterInstance, job: str, tags: Mapping[str, str], stages: Sequence[str]) -> dg.DagsterRun:
    """Hand the run to the instance's launcher by Dagster's own command, and wait until it has ended."""
    if stages:
        raise HallmarkError("this instance launches whole runs; a stage alone is executed where its pod is")
    request = f"{os.getpid()}-{time.time_ns()}"
    command = [sys.executable, "-m", "dagster", "job", "launch", "-m", "pipelines.definitions", "-j", job]
    command += ["--tags", json.dumps({**tags, MARK: request})]
    started = subprocess.run(command, capture_output=True, text=True, check=False)
    runs = instance.get_runs(dg.RunsFilter(tags={MARK: request}), limit=1)
    if started.returncode or not runs:
        raise HallmarkError(f"{job} could not be launched: {started.stderr.strip().splitlines()[-1:] or 'no reason'}")
    while (run := _found(instance, runs[0].run_id)).status not in _ENDED:
        time.sleep(POLL)
    return run


def _found(instance: dg.DagsterInstance, run_id: str) -> dg.DagsterRun:
    run = instance.get_run_by_id(run_id)
    if run is None:
        raise HallmarkError(f"run {run_id} is not in the instance any more")
    return run
