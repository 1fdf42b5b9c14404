"""The asset ``raw_drop``: every line of a drop as a row with its provenance, or as a recorded rejection."""

import tempfile
from pathlib import Path
from typing import Any

import dagster as dg

from assets.raw.drops import Drop, discover
from assets.raw.ingest import ingest
from assets.stage import OWNERS, Stage, drops, line_cipher, materialization, seal_rows
from resources.artifacts import Artifact, Draft
from resources.errors import StoreError
from resources.project import Project


def drop_of(project: Project, partition: str) -> Drop:
    """The drop of a partition, as the store holds it now; ``StoreError`` if it is gone or changed."""
    for drop in discover(project.object_store()):
        if drop.partition == partition:
            return drop
    raise StoreError(
        f"drop {partition} is no longer in the store as it was announced: an object was changed or removed. "
        "The changed drop is a new one and gets its own partition."
    )


def _inputs(project: Project, partition: str) -> dict[str, str]:
    return {"drop": drop_of(project, partition).fingerprint}


STAGE = Stage("raw_drop", "1", _inputs)


@dg.asset(
    partitions_def=drops,
    group_name="data",
    kinds={"s3", "jsonlines"},
    owners=OWNERS,
    code_version=STAGE.code_version,
    description="Rows of a raw drop with provenance (object, version, line, digest); unreadable lines with a reason. "
    "Encrypted at rest: nothing has been removed yet.",
)
def raw_drop(context: dg.AssetExecutionContext, project: Project) -> dg.MaterializeResult[Any]:
    drop = drop_of(project, context.partition_key)

    def build(draft: Draft) -> Artifact:
        with tempfile.TemporaryDirectory(dir=draft.folder.parent) as spool:
            outcomes = ingest(project.object_store(), drop, Path(spool))
            return seal_rows(
                draft,
                None,
                outcomes,
                cipher=line_cipher(project),
                details=lambda: {"objects": [info.key for info in drop.objects], "kind": drop.kind},
            )

    artifact = STAGE.make(project, build, drop.partition)
    context.log.info(f"{artifact.manifest.counts}")
    return materialization(project, artifact, objects=[info.key for info in drop.objects])
