"""The asset ``sanitized_records``: rows without personal data and secrets; what was removed lives in the vault."""

from typing import Any

import dagster as dg

from assets.sanitized.sharded import SHARDS, STAGE, build
from assets.shards.asset import sharded_asset
from assets.stage import bar_table, materialization, warn_of_quarantine
from assets.validated.sharded import STAGE as VALIDATED
from resources.artifacts import Artifact


def _report(context: dg.OpExecutionContext, artifact: Artifact) -> dg.MaterializeResult[Any]:
    project = context.resources.project
    warn_of_quarantine(project, artifact)
    types = artifact.manifest.details.get("types", {})
    return materialization(project, artifact, removed_by_type=dg.MetadataValue.md(bar_table(types)))


sanitized_records = sharded_asset(
    STAGE,
    [SHARDS],
    build,
    _report,
    before=VALIDATED.name,
    kinds={"presidio", "spacy", "jsonlines"},
    description="Rows with personal data and secrets replaced by typed placeholders. A row that carried a live-looking "
    "credential is quarantined. Originals are in the encrypted vault, keyed fingerprints elsewhere.",
)
