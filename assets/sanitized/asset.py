"""The asset ``sanitized_records``: rows without personal data and secrets; what was removed lives in the vault."""

from typing import Any

import dagster as dg

from assets.stage import (
    OWNERS,
    Stage,
    bar_table,
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
    warn_of_quarantine,
)
from assets.validated.asset import STAGE as VALIDATED
from resources.artifacts import Artifact, Draft
from resources.project import Project
from resources.vault import Vault

NAME = "sanitized_records"


def _inputs(project: Project, partition: str) -> dict[str, str]:
    return row_inputs(project, NAME, VALIDATED.name, partition)


STAGE = Stage(NAME, "4", _inputs)


@dg.asset(
    deps=["validated_records"],
    partitions_def=drops,
    group_name="data",
    kinds={"presidio", "spacy", "jsonlines"},
    owners=OWNERS,
    code_version=STAGE.code_version,
    description="Rows with personal data and secrets replaced by typed placeholders. A row that carried a live-looking "
    "credential is quarantined. Originals are in the encrypted vault, keyed fingerprints elsewhere.",
)
def sanitized_records(context: dg.AssetExecutionContext, project: Project) -> dg.MaterializeResult[Any]:
    from assets.sanitized.sanitize import Sanitizer
    from assets.sanitized.settings import SanitizeSettings

    partition, policy = context.partition_key, policy_of(project)

    def build(draft: Draft) -> Artifact:
        validated = proven(project, VALIDATED.name, partition)
        path = project.workspace.vault / f"{partition}.jsonl"
        path.unlink(missing_ok=True)  # an attempt that was killed left its part of the same values
        vault = Vault(path, project.vault_secret(), name=path.name)
        counts = validated.manifest.counts
        settings = SanitizeSettings.from_policy(policy.settings.get(NAME, {}))
        sanitizer = Sanitizer(settings, vault, expected=counts.passed if counts else 0)
        return seal_rows(
            draft,
            passed_rows(validated),
            decisions_of(project, NAME).overrule(sanitizer.run(records_of(validated, project.line_cipher()))),
            metrics=sanitizer.metrics,
            details=sanitizer.summary,
        )

    artifact = STAGE.make(project, build, partition)
    context.log.info(say(artifact))
    warn_of_quarantine(project, artifact)
    types = artifact.manifest.details.get("types", {})
    return materialization(project, artifact, removed_by_type=dg.MetadataValue.md(bar_table(types)))
