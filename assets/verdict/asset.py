"""The asset ``evaluated_adapter``: the verdict on the candidate, its dossier, and the pipeline's signature."""

from typing import Any

import dagster as dg

from assets.adapter.asset import STAGE as ADAPTER
from assets.corpus.admitted import admitted
from assets.stage import OWNERS, Stage, materialization, policy_of
from assets.verdict.assemble import ROW_STAGES, TRIALS, assemble
from assets.verdict.candidate import announce, record
from assets.verdict.dossier import collect, render
from assets.verdict.threat import ThreatModel
from resources.artifacts import Artifact, Draft
from resources.decision_log import DecisionLog
from resources.project import Project
from resources.signer import SigningKey


def evidence(project: Project) -> dict[str, Artifact | None]:
    """The current artefact of every stage and admitted drop; None where a stage was not run."""
    found: dict[str, Artifact | None] = {
        stage: project.artifacts.current(stage) for stage in ("training_corpus", ADAPTER.name, *TRIALS)
    }
    for partition in admitted(project):
        found |= {f"{stage}/{partition}": project.artifacts.current(stage, partition) for stage in ROW_STAGES}
    return found


def _inputs(project: Project, partition: str) -> dict[str, str]:
    digests = {name: artifact.manifest.digest for name, artifact in evidence(project).items() if artifact}
    return {**digests, "policy": policy_of(project).digest, "threats": project.threats}


STAGE = Stage("evaluated_adapter", "1", _inputs)


@dg.asset(
    deps=["lora_adapter", *TRIALS],
    group_name="verdict",
    kinds={"html", "json"},
    owners=OWNERS,
    code_version=STAGE.code_version,
    description="The verdict on the candidate: every gate of every stage judged again from hashed evidence. "
    "Carries the dossier a reviewer decides by. An inconclusive gate needs a recorded human override.",
)
def evaluated_adapter(
    context: dg.AssetExecutionContext, project: Project, threat_model: dg.ResourceParam[ThreatModel]
) -> dg.MaterializeResult[Any]:
    log, key = DecisionLog(project.workspace.decisions), SigningKey.pipeline(project.workspace.keys)
    artifacts, policy = evidence(project), policy_of(project)
    verdict = assemble(artifacts, policy, threat_model)

    def build(draft: Draft) -> Artifact:
        body = collect(artifacts, verdict, policy, threat_model, log)
        return record(draft, verdict, body, render(body))

    artifact = STAGE.make(project, build)
    announce(log, key, verdict)
    context.log.info(f"candidate {verdict.candidate}: {verdict.verdict}")
    blocking = "\n".join(f"- {item.name}: {item.result.verdict}, {item.result.reason}" for item in verdict.blocking())
    return materialization(
        project,
        artifact,
        candidate=verdict.candidate,
        verdict=verdict.verdict,
        dossier=dg.MetadataValue.url(artifact.path("dossier.html").as_uri()),
        blocking=dg.MetadataValue.md(blocking or "nothing blocks"),
    )
