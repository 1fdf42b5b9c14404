"""The asset ``validated_records``: rows that hold to the Great Expectations suite; the others leave with a rule.

In    the records of a drop
Out   those that hold to the suite; the others are quarantined or rejected, each with the rule it broke
Read  validate.py (the stage), readable.py and rules.py (what a row must be), facts.py (what is measured of a
      row), identities.py and duplicates.py (rows that are the same), language.py, settings.py
"""

from typing import Any

import dagster as dg

from assets.raw.sharded import STAGE as RAW
from assets.shards.asset import sharded_asset
from assets.stage import materialization
from assets.validated.sharded import IDENTITIES, SHARDS, STAGE, build
from resources.artifacts import Artifact


def _report(context: dg.OpExecutionContext, artifact: Artifact) -> dg.MaterializeResult[Any]:
    details = {name: value for name, value in artifact.manifest.details.items() if name != "shards"}
    return materialization(context.resources.project, artifact, **details)


validated_records = sharded_asset(
    STAGE,
    [IDENTITIES, SHARDS],
    build,
    _report,
    before=RAW.name,
    suite=True,
    kinds={"greatexpectations", "jsonlines"},
    description="Rows that hold to the suite: form, types, roles, lengths, encoding, duplicates, language. Row-level "
    "failures leave with their rule; batch-level ones stop the drop. Encrypted at rest: nothing has been removed yet.",
)
