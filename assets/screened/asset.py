"""The asset ``screened_records``: rows that carry no pattern someone put there, against all earlier admitted drops."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from assets.record import Record
from assets.sanitized.asset import STAGE as SANITIZED
from assets.screened.finding import ScreenResult, outcomes
from assets.screened.screen import screen
from assets.screened.settings import ScreenSettings
from assets.stage import (
    OWNERS,
    Stage,
    drops,
    materialization,
    passed_rows,
    policy_of,
    proven,
    records_of,
    say,
    seal_rows,
    warn_of_quarantine,
)
from resources.artifacts import Artifact, Draft
from resources.errors import GateRefused
from resources.project import Project

NAME = "screened_records"


def background_of(project: Project, partition: str) -> dict[str, Artifact]:
    """The admitted drops before this one: what its phrases are held against."""
    found = {}
    for earlier in project.artifacts.partitions(NAME):
        if earlier < partition:
            try:
                found[earlier] = proven(project, NAME, earlier)
            except GateRefused:
                continue  # a held drop is no background
    return found


def _inputs(project: Project, partition: str) -> dict[str, str]:
    sanitized = proven(project, SANITIZED.name, partition)
    background = {f"{NAME}/{name}": drop.manifest.digest for name, drop in background_of(project, partition).items()}
    return {SANITIZED.name: sanitized.manifest.digest, "settings": policy_of(project).stage_digest(NAME), **background}


STAGE = Stage(NAME, "1", _inputs)


@dg.asset(
    deps=["sanitized_records"],
    partitions_def=drops,
    group_name="data",
    kinds={"scikitlearn", "jsonlines"},
    owners=OWNERS,
    code_version=STAGE.code_version,
    description="Rows that carry no planted pattern. Findings name trigger, payload, rows and statistic, and hold the "
    "drop until a person has decided; flagged rows are quarantined.",
)
def screened_records(context: dg.AssetExecutionContext, project: Project) -> dg.MaterializeResult[Any]:
    partition, policy = context.partition_key, policy_of(project)

    def build(draft: Draft) -> Artifact:
        sanitized, background = proven(project, SANITIZED.name, partition), background_of(project, partition)
        result = screen(
            lambda: records_of(sanitized),
            background=lambda: _rows(background),
            settings=ScreenSettings.from_policy(policy.settings.get(NAME, {})),
        )
        report = result.to_json()
        del report["stage_seconds"]  # the same rows give the same artefact, however long it took
        draft.write_json("findings.json", report)
        return seal_rows(
            draft,
            passed_rows(sanitized),
            outcomes(records_of(sanitized), result),
            metrics=result.metrics,
            details=lambda: {"background": sorted(background), "findings": _sentences(result)},
        )

    artifact = STAGE.make(project, build, partition)
    context.log.info(say(artifact))
    findings = artifact.manifest.details["findings"]
    for sentence in findings:
        context.log.warning(sentence)
    warn_of_quarantine(project, artifact)
    shown = "\n".join(f"- {sentence}" for sentence in findings) or "nothing found"
    return materialization(project, artifact, findings=dg.MetadataValue.md(shown))


def _rows(background: dict[str, Artifact]) -> Iterator[Record]:
    for drop in background.values():
        yield from records_of(drop)


def _sentences(result: ScreenResult) -> list[str]:
    return [finding.sentence for finding in result.open_findings]
