"""A workspace with one drop, and an instance of Dagster in which its row stages run with their gates."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import yaml

from assets.raw.asset import raw_drop
from assets.raw.drops import discover
from assets.sanitized.asset import sanitized_records
from assets.screened.asset import screened_records
from assets.stage import drops
from assets.validated.asset import validated_records
from expectations.checks import build_checks
from expectations.policy import DEFAULT_POLICY, Policy
from expectations.suite import RecordSuite
from resources.artifacts import Artifact
from resources.project import Project

ASSETS = {
    "raw_drop": raw_drop,
    "validated_records": validated_records,
    "sanitized_records": sanitized_records,
    "screened_records": screened_records,
}
MODIFIED = (1_790_000_000, 1_790_000_000)  # of every object, so that the same bytes are the same drop


class House:
    """``objects``: the drop, by name. ``settings``: of stages, in the place of the policy's own."""

    def __init__(
        self, root: Path, objects: Mapping[str, bytes], settings: Mapping[str, Any] | None = None, **project: Any
    ) -> None:
        root.mkdir(parents=True, exist_ok=True)
        if settings:
            policy = yaml.safe_load(DEFAULT_POLICY.read_text())
            policy["settings"] |= settings
            (root / "policy.yaml").write_text(yaml.safe_dump(policy))
            project["policy"] = str(root / "policy.yaml")
        self.project = Project(home=str(root), **project)
        for name, body in objects.items():
            path = self.project.workspace.drops / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(body)
            os.utime(path, MODIFIED)
        self.instance = dg.DagsterInstance.ephemeral()
        (self.partition,) = self.announced()

    def announced(self) -> set[str]:
        """The partitions of all drops that the store holds now, known to Dagster."""
        found = {drop.partition for drop in discover(self.project.object_store())}
        self.instance.add_dynamic_partitions(str(drops.name), sorted(found))
        return found

    def run(self, *stages: str) -> dg.ExecuteInProcessResult:
        guards = [
            c for c in build_checks(Policy.load()) if any(key.asset_key.path[-1] in stages for key in c.check_keys)
        ]
        return dg.materialize(
            [*(ASSETS[stage] for stage in stages), *guards],
            instance=self.instance,
            partition_key=self.partition,
            resources={"project": self.project, "record_suite": RecordSuite},
            raise_on_error=False,
        )

    def made(self, stage: str) -> bool:
        return self.project.artifacts.current(stage, self.partition) is not None

    def artifact(self, stage: str) -> Artifact:
        found = self.project.artifacts.current(stage, self.partition)
        assert found is not None, stage
        return found
