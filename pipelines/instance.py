"""The workspace's Dagster instance: made ready, opened, and cleaned of runs whose process was killed."""

import os
import shutil
import socket
from pathlib import Path

import dagster as dg

from resources.workspace import Workspace

DEPLOY = Path(__file__).resolve().parent.parent / "deploy"
POSTGRES = "HALLMARK_POSTGRES_HOST"  # where it is set, Dagster's own state is in Postgres
PID_TAG, HOST_TAG = "hallmark/pid", "hallmark/host"


def prepare(workspace: Workspace) -> None:
    """Make the workspace's folders and its ``dagster.yaml``, and point the environment at them."""
    for folder in (workspace.dagster, workspace.logs, workspace.drops):
        folder.mkdir(parents=True, exist_ok=True)
    target = workspace.dagster / "dagster.yaml"
    if not target.exists():  # a team may have edited theirs
        shutil.copyfile(DEPLOY / ("dagster-postgres.yaml" if os.environ.get(POSTGRES) else "dagster.yaml"), target)
    os.environ["DAGSTER_HOME"] = str(workspace.dagster)
    os.environ["HALLMARK_HOME"] = str(workspace.root)


def process_tags() -> dict[str, str]:
    """Tags by which a run says in which process of which machine it is executed."""
    return {PID_TAG: str(os.getpid()), HOST_TAG: socket.gethostname()}


def fail_killed_runs(instance: dg.DagsterInstance) -> list[str]:
    """Mark as failed every run of this machine whose process is gone; return their ids.

    A process of another machine cannot be seen from here: its run is left to that machine and to run monitoring.
    """
    killed = []
    active = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING])
    for run in instance.get_runs(active):
        pid = run.tags.get(PID_TAG)
        here = run.tags.get(HOST_TAG, socket.gethostname()) == socket.gethostname()
        if pid and here and not _alive(int(pid)):
            instance.report_run_failed(run, "the process was killed; what it had sealed is kept")
            killed.append(run.run_id)
    return killed


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
