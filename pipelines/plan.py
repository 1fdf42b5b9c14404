"""What is already made and what is left: read from the artefacts alone, so that a run with nothing new does no work."""

from dataclasses import dataclass
from typing import Literal

from assets.adapter.asset import STAGE as ADAPTER
from assets.backdoor.asset import STAGE as BACKDOOR
from assets.corpus.asset import STAGE as CORPUS
from assets.extraction.asset import STAGE as EXTRACTION
from assets.golden.asset import STAGE as GOLDEN
from assets.memorization.asset import STAGE as MEMORIZATION
from assets.raw.sharded import STAGE as RAW
from assets.sanitized.sharded import STAGE as SANITIZED
from assets.screened.sharded import STAGE as SCREENED
from assets.stage import Stage, judged, policy_of
from assets.validated.sharded import STAGE as VALIDATED
from assets.verdict.asset import STAGE as VERDICT
from resources.artifacts import WHOLE, Artifact
from resources.errors import GateRefused
from resources.project import Project

DROP_STAGES = (RAW, VALIDATED, SANITIZED, SCREENED)
CANDIDATE_STAGES = (CORPUS, ADAPTER, GOLDEN, BACKDOOR, MEMORIZATION, EXTRACTION, VERDICT)

Status = Literal["new", "held", "done"]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a drop or a candidate is. ``held``: made, and a gate stopped it; ``reason`` says which."""

    status: Status
    stage: str
    reason: str = ""
    artifact: Artifact | None = None


def drop_progress(project: Project, partition: str) -> Progress:
    return _walk(project, DROP_STAGES, partition)


def candidate_progress(project: Project) -> Progress:
    return _walk(project, CANDIDATE_STAGES, WHOLE)


def _walk(project: Project, stages: tuple[Stage, ...], partition: str) -> Progress:
    policy = policy_of(project)
    artifact, before = None, ""
    for stage in stages:
        try:
            artifact = stage.found(project, partition)
        except GateRefused as refusal:
            return Progress("held", before or stage.name, str(refusal))
        if artifact is None:
            return Progress("new", stage.name)
        if artifact.manifest.key != _current_key(project, stage, partition):
            return Progress("new", stage.name)
        before = stage.name
    holding = policy.holding(judged(policy, artifact)) if artifact else []
    if holding or not artifact:
        reasons = "; ".join(f"{result.gate}: {result.reason}" for result in holding)
        return Progress("held", stages[-1].name, reasons, artifact)
    return Progress("done", stages[-1].name, artifact=artifact)


def _current_key(project: Project, stage: Stage, partition: str) -> str:
    current = project.artifacts.current(stage.name, partition)
    return current.manifest.key if current else ""
