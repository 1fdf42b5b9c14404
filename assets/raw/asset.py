"""The asset ``raw_drop``: every line of a drop as a row with its provenance, or as a recorded rejection.

In    a drop: objects of the store (JSON Lines, JSON, CSV, Parquet), with a manifest where there is one
Out   a record a row, with where it came from; a rejection, with its rule, for each that cannot be read
Read  drops.py (what a drop is), ingest.py (reading it, object by object), formats.py (which reader for which
      bytes), rows.py and lines.py (a row and its fault), csv_rows.py, parquet_rows.py, tables.py and
      strict_json.py (the readers), reading.py (what a file does not say of itself), layout.py and sharded.py (a
      large drop in pieces)
"""

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
