"""The asset ``raw_drop``: every line of a drop as a row with its provenance, or as a recorded rejection."""

import dataclasses
from collections.abc import Iterable
from typing import Any

import dagster as dg

from assets.raw.drops import Drop, discover
from assets.raw.ingest import RawReport, ingest
from assets.raw.reading import Reading
from assets.stage import OWNERS, Stage, drops, materialization, policy_of, say, seal_rows
from resources.artifacts import Artifact, Draft
from resources.errors import StoreError
from resources.project import Project


def _drop_of(announced: Iterable[Drop], partition: str) -> Drop:
    """The drop of a partition among those that the store holds now; ``StoreError`` if it is gone or changed."""
    for drop in announced:
        if drop.partition == partition:
            return drop
    raise StoreError(
        f"drop {partition} is no longer in the store as it was announced: an object was changed or removed. "
        "The changed drop is a new one and gets its own partition."
    )


def _inputs(project: Project, partition: str) -> dict[str, str]:
    fingerprint = _drop_of(discover(project.object_store()), partition).fingerprint
    return {"drop": fingerprint, "settings": policy_of(project).stage_digest("raw_drop")}


STAGE = Stage("raw_drop", "2", _inputs)


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
    announced = discover(project.object_store())
    drop = _drop_of(announced, context.partition_key)
    others = [other.partition for other in announced if other is not drop]

    def build(draft: Draft) -> Artifact:
        with draft.scratch() as spool:
            report = RawReport()
            return seal_rows(
                draft,
                None,
                ingest(
                    project.object_store(),
                    drop,
                    spool,
                    report,
                    _read_before(project, others),
                    Reading.of(policy_of(project).settings.get("raw_drop", {})),
                ),
                cipher=project.line_cipher(),
                metrics=report.metrics,
                details=lambda: _details(drop, report),
            )

    artifact = STAGE.make(project, build, drop.partition)
    context.log.info(say(artifact))
    return materialization(project, artifact, objects=artifact.manifest.details["objects"])


def _read_before(project: Project, others: Iterable[str]) -> dict[str, str]:
    """Objects whose rows one of the other drops has brought, by SHA-256."""
    artifacts = filter(None, (project.artifacts.current("raw_drop", other) for other in others))
    return {
        entry["sha256"]: f"{entry['key']} of drop {artifact.manifest.partition}"
        for artifact in artifacts
        for entry in artifact.manifest.details["objects"]
        if entry["sha256"] and not entry["fault"]
    }


def _details(drop: Drop, report: RawReport) -> dict[str, Any]:
    objects = [dataclasses.asdict(entry) for entry in report.objects]
    reviewer = drop.manifest.author if drop.kind == "feedback" else ""
    return {"objects": objects, "kind": drop.kind, "source": drop.manifest.source, "reviewer": reviewer}
