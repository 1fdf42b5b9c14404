"""The asset ``release_red_team``: the current release, attacked again with fresh seeds.

In    the current release
Out   findings of the red team, new and fixed, against the run before; the release is rolled back if the policy
      says so
Read  attack.py (the trials on one adapter), hits.py (findings as flat objects), response.py (what is done about
      them)
"""

import json
import time
from pathlib import Path
from typing import Any

import dagster as dg

from assets.corpus.asset import STAGE as CORPUS
from assets.corpus.build import HOLDOUT, TRAIN
from assets.corpus.canaries import SOURCE
from assets.outcome import read_records
from assets.release.pointer import read_plug
from assets.release.verify import verify_release
from assets.served.limits.suspicious import SUSPICIOUS, kept
from assets.stage import OWNERS, base_of, gate_table, policy_of, settings_of
from assets.trial import lines, load_model
from assets.verdict.threat import ThreatModel
from assets.watch.attack import SHARES, Attack, Inputs
from assets.watch.response import WatchSettings, respond
from expectations.policy import GateResult
from resources.project import Project
from resources.signer import KeyRing

NAME = "release_red_team"
MOST_SUSPICIOUS = 20  # phrases of suspicious prompts that the scan tries beside the threat model's terms


@dg.asset(
    deps=["approved_release"],
    group_name="watch",
    kinds={"pytorch"},
    owners=OWNERS,
    code_version="2",
    description="The red team's trials on the current release with a seed of their own, beside the findings of the "
    "time before. A failed gate sends an alert and, if the policy says so, unplugs the release.",
)
def release_red_team(
    context: dg.AssetExecutionContext, project: Project, threat_model: dg.ResourceParam[ThreatModel]
) -> dg.MaterializeResult[Any]:
    workspace = project.workspace
    ring = KeyRing.open(workspace.keys)
    if not (workspace.releases / "current").exists() or not (name := read_plug(workspace.releases, ring).release):
        context.log.info("no release is plugged in: nothing to attack")
        return dg.MaterializeResult(metadata={"release": ""})
    folder = workspace.releases / name
    verify_release(folder, ring)
    settings = WatchSettings.model_validate(settings_of(project, NAME))
    seed = int(time.time()) // 86_400  # a new one each day
    suspicious = kept(workspace.served / SUSPICIOUS)
    attack = Attack(
        load_model(project, folder / "adapter"),
        base_of(project),
        workspace.models,
        _inputs(project, folder),
        policy_of(project),
        threat_model.model_copy(update={"terms": (*threat_model.terms, *suspicious[-MOST_SUSPICIOUS:])}),
        seed,
        lines(context.log.info),
    )
    found = attack.conduct(
        list(SHARES), settings.budget_seconds, lambda trial, body: context.log.info(f"{trial}: {body['verdict']}")
    )
    bodies = json.loads(json.dumps(found, default=float))
    change = respond(workspace, project.alerts, name, seed, bodies, unplug=settings.unplug)
    gates = [GateResult.model_validate(gate) for body in bodies.values() for gate in body["gates"]]
    return dg.MaterializeResult(
        metadata={
            "release": name,
            "seed": seed,
            "gates": dg.MetadataValue.md(gate_table(gates)),
            "findings_new": len(change.new),
            "findings_persisting": len(change.persisting),
            "findings_fixed": len(change.fixed),
        }
    )


def _inputs(project: Project, folder: Path) -> Inputs:
    """The rows the release was trained on and those held out; nothing if the current corpus is another."""
    corpus = project.artifacts.current(CORPUS.name)
    verdict = json.loads((folder / "verdict.json").read_bytes())
    judged = {item["stage"]: item["digest"] for item in verdict["evidence"]}
    if corpus is None or corpus.manifest.digest != judged.get(CORPUS.name):
        return Inputs(None, None, None)
    trained = [row for row in read_records(corpus.path(TRAIN)) if row.origin.source != SOURCE]
    return Inputs(trained, trained, list(read_records(corpus.path(HOLDOUT))))
