"""The drop sensor asks for a run for what is new, and only for that."""

import json
import os
from pathlib import Path

import dagster as dg

from assets.raw.asset import raw_drop
from assets.stage import drops
from pipelines.sensors import new_drops
from resources.project import Project


def asked(project: Project, cursor: str | None = None) -> tuple[list[str], list[str]]:
    """Partitions that a tick asks runs for, and partitions it adds."""
    context = dg.build_sensor_context(cursor=cursor, resources={"project": project})
    result = new_drops(context)
    assert isinstance(result, dg.SensorResult)
    runs = [str(request.partition_key) for request in result.run_requests or ()]
    return runs, [key for request in result.dynamic_partitions_requests or () for key in request.partition_keys]


def write(project: Project, name: str, *lines: str) -> None:
    project.workspace.drops.mkdir(parents=True, exist_ok=True)
    path = project.workspace.drops / name
    path.write_text("\n".join(lines) + "\n")
    os.utime(path, (1_700_000_000, 1_700_000_000))  # nobody is still writing it


def test_a_new_drop_is_asked_for_and_a_drop_that_a_gate_already_holds_is_not(tmp_path: Path) -> None:
    project = Project(home=str(tmp_path))
    write(project, "held.jsonl", *["{ not json"] * 9, json.dumps({"prompt": "a", "completion": "b"}))
    [held], added = asked(project)
    assert added == [held]
    instance = dg.DagsterInstance.ephemeral()
    instance.add_dynamic_partitions(str(drops.name), [held])
    dg.materialize([raw_drop], instance=instance, partition_key=held, resources={"project": project})
    write(project, "fresh.jsonl", json.dumps({"prompt": "Where is it?", "completion": "At the depot."}))
    runs, added = asked(project)
    assert len(runs) == 1 and held not in runs
    assert set(added) == {held, *runs}
