"""The asset ``evaluated_adapter``: the verdict on the candidate, its dossier, and the pipeline's signature.

In    the artefacts of every stage, the policy and the threat model
Out   the verdict (pure data, by digest), the dossier as JSON and as a page, a signed statement on both
Read  verdict.py (what it is), assemble.py (judging everything anew), threat.py, candidate.py (finding one),
      dossier.py (its content), page.py, sections.py, trials.py, drawing.py, markup.py and stylesheet.py (the
      page), explain.py (why, and what to do), compare.py (two of them)
"""

from functools import cache
from pathlib import Path
from typing import Any

import dagster as dg

from assets.adapter.asset import STAGE as ADAPTER
from assets.corpus.admitted import admitted
from assets.stage import OWNERS, Stage, materialization, policy_of
from assets.verdict.assemble import ROW_STAGES, TRIALS, assemble
from assets.verdict.candidate import announce, record
from assets.verdict.dossier import collect, render
from assets.verdict.summary import summary
from assets.verdict.threat import ThreatModel
from resources.artifacts import Artifact, Draft
from resources.digests import digest_file, digest_json
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


@cache
def assembly_digest() -> str:
    """SHA-256 of the code that judges and tells: a verdict or dossier of older code is made again, not found."""
    here = Path(__file__).parent
    judges = here.parents[1] / "expectations" / "policy.py"
    return digest_json({path.name: digest_file(path) for path in (*sorted(here.glob("*.py")), judges)})


def _inputs(project: Project, partition: str) -> dict[str, str]:
    digests = {name: artifact.manifest.digest for name, artifact in evidence(project).items() if artifact}
    judged_by = {"policy": policy_of(project).digest, "threats": project.threats, "assembly": assembly_digest()}
    return digests | judged_by


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
    log, key = project.workspace.decision_log, SigningKey.pipeline(project.workspace.keys)
    artifacts, policy = evidence(project), policy_of(project)
    verdict = assemble(artifacts, policy, threat_model)

    def build(draft: Draft) -> Artifact:
        body = collect(artifacts, verdict, policy, threat_model, log)
        return record(draft, verdict, body, render(body))

    artifact = STAGE.make(project, build)
    announce(log, key, verdict)
    context.log.info(f"candidate {verdict.candidate}: {verdict.verdict}")
    page = artifact.path("dossier.html")
    return materialization(
        project,
        artifact,
        candidate=verdict.candidate,
        verdict=verdict.verdict,
        summary=dg.MetadataValue.md(summary(verdict, threat_model, page)),
        dossier=dg.MetadataValue.url(page.as_uri()),
    )
