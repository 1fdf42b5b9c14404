"""The asset ``raw_drop``: every line of a drop as a row with its provenance, or as a recorded rejection."""

from typing import Any

import dagster as dg

from assets.raw.sharded import SHARDS, STAGE, build
from assets.shards.asset import sharded_asset
from assets.stage import materialization
from resources.artifacts import Artifact


def _report(context: dg.OpExecutionContext, artifact: Artifact) -> dg.MaterializeResult[Any]:
    return materialization(context.resources.project, artifact, objects=artifact.manifest.details["objects"])


raw_drop = sharded_asset(
    STAGE,
    [SHARDS],
    build,
    _report,
    kinds={"s3", "jsonlines"},
    description="Rows of a raw drop with provenance (object, version, line, digest); unreadable lines with a reason. "
    "Encrypted at rest: nothing has been removed yet.",
)
