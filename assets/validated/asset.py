"""The asset ``validated_records``: rows that hold to the Great Expectations suite; the others leave with a rule."""

from typing import Any, Protocol

import dagster as dg

from assets.raw.asset import STAGE as RAW
from assets.stage import (
    OWNERS,
    Stage,
    decisions_of,
    drops,
    materialization,
    passed_rows,
    policy_of,
    proven,
    records_of,
    row_inputs,
    say,
    seal_rows,
)
from assets.validated.settings import ValidationSettings
from assets.validated.validate import Check, ValidationReport, validate
from resources.artifacts import Artifact, Draft
from resources.project import Project

NAME = "validated_records"


class Suite(Protocol):
    """Makes the check of a batch; given by the definitions, for what must hold is said in another room."""

    def __call__(self, settings: ValidationSettings) -> Check: ...


def _inputs(project: Project, partition: str) -> dict[str, str]:
    return row_inputs(project, NAME, RAW.name, partition)


STAGE = Stage(NAME, "2", _inputs)


@dg.asset(
    deps=["raw_drop"],
    partitions_def=drops,
    group_name="data",
    kinds={"greatexpectations", "jsonlines"},
    owners=OWNERS,
    code_version=STAGE.code_version,
    description="Rows that hold to the suite: form, types, roles, lengths, encoding, duplicates, language. Row-level "
    "failures leave with their rule; batch-level ones stop the drop. Encrypted at rest: nothing has been removed yet.",
)
def validated_records(
    context: dg.AssetExecutionContext, project: Project, record_suite: dg.ResourceParam[Suite]
) -> dg.MaterializeResult[Any]:
    settings = ValidationSettings.of(policy_of(project).settings.get(NAME, {}))

    def build(draft: Draft) -> Artifact:
        raw, report = proven(project, RAW.name, context.partition_key), ValidationReport()
        cipher = project.line_cipher()
        outcomes = validate(records_of(raw, cipher), record_suite(settings), settings, report)
        return seal_rows(
            draft,
            passed_rows(raw),
            decisions_of(project, NAME).overrule(outcomes),
            cipher=cipher,
            metrics=report.metrics,
            details=report.details,
        )

    artifact = STAGE.make(project, build, context.partition_key)
    context.log.info(say(artifact))
    return materialization(project, artifact, **artifact.manifest.details)
