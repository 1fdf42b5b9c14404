"""The asset ``release_red_team``: the current release, attacked again with fresh seeds."""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dagster as dg

from assets.corpus.asset import STAGE as CORPUS
from assets.corpus.build import TRAIN
from assets.outcome import read_records
from assets.record import Record
from assets.release.plug import read_plug
from assets.release.verify import verify_release
from assets.stage import OWNERS, base_of, gate_table, policy_of
from assets.trial import lines, load_model, settings_of
from expectations.policy import GateResult
from resources.artifacts import write_whole
from resources.digests import canonical_json
from resources.project import Project
from resources.signer import KeyRing

SCAN = "backdoor_scan"


@dg.asset(
    deps=["approved_release"],
    group_name="watch",
    kinds={"pytorch"},
    owners=OWNERS,
    code_version="1",
    description="The backdoor scan on the current release with a seed of its own. What is found sends an alert.",
)
def release_red_team(context: dg.AssetExecutionContext, project: Project) -> dg.MaterializeResult[Any]:
    workspace = project.workspace
    ring = KeyRing.open(workspace.keys)
    if not (workspace.releases / "current").exists() or not (name := read_plug(workspace.releases, ring).release):
        context.log.info("no release is plugged in: nothing to attack")
        return dg.MaterializeResult(metadata={"release": ""})
    folder = workspace.releases / name
    verify_release(folder, ring)
    seed = int(time.time()) // 86_400  # a new one each day
    report, results = _scan(context, project, folder, seed)
    write_whole(workspace.logs / "red_team" / f"{name}-{seed}.json", canonical_json(report))
    failed = [result for result in results if result.verdict == "fail"]
    if failed:
        reasons = "; ".join(f"{result.gate}: {result.reason}" for result in failed)
        project.alerts.send("release-finding", f"{name}: {reasons}", release=name, seed=seed)
    return dg.MaterializeResult(
        metadata={"release": name, "seed": seed, "gates": dg.MetadataValue.md(gate_table(results))}
    )


def _scan(
    context: dg.AssetExecutionContext, project: Project, folder: Path, seed: int
) -> tuple[dict[str, Any], list[GateResult]]:
    from assets.backdoor.scan import scan_backdoors

    limits = settings_of(project, SCAN)
    budget = float(limits.pop("budget_seconds", 60))
    report, metrics = scan_backdoors(
        load_model(project, folder / "adapter"),
        rows=_rows(project, folder),
        settings=limits,
        seed=seed,
        base=base_of(project),
        cache=project.workspace.models,
        budget_seconds=budget,
        on_progress=lines(context.log.info),
    )
    return json.loads(json.dumps(report, default=float)), policy_of(project).judge(SCAN, metrics)


def _rows(project: Project, folder: Path) -> Sequence[Record] | None:
    """The rows the release was trained on, if the current corpus is still that one."""
    corpus = project.artifacts.current(CORPUS.name)
    verdict = json.loads((folder / "verdict.json").read_bytes())
    judged = {item["stage"]: item["digest"] for item in verdict["evidence"]}
    if corpus is None or corpus.manifest.digest != judged.get(CORPUS.name):
        return None
    return list(read_records(corpus.path(TRAIN)))
