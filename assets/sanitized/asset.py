"""The asset ``sanitized_records``: rows without personal data and secrets; what was removed lives in the vault.

In    validated records
Out   the same rows with a placeholder for every personal value and secret; rows with live credentials
      quarantined
Read  sanitize.py (the stage), detector.py (who finds what), then what finds: people/, places/, numbers/,
      secrets/, disguise/; passages.py and structure.py (texts inside a row), redaction/ (what takes the place
      of a value), residual.py (how much is left), report.py
"""

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
