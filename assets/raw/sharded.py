"""The raw stage over shards: a plan of what each one reads, and the join."""

import dataclasses
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from assets.outcome import Outcome
from assets.raw.drops import Drop, discover
from assets.raw.ingest import RawReport, ReadObject, correction_proof, ingest, ingest_pieces, plan_shards
from assets.raw.layout import ROWS, Piece
from assets.raw.reading import Reading
from assets.shards.joining import report_of
from assets.shards.rounds import Inputs, Round, Tools
from assets.shards.whole import Told, whole_or_joined
from assets.stage import Stage, policy_of, seal_rows, seal_shard, settings_of
from resources.artifacts import Artifact, Draft
from resources.digests import digest_json
from resources.errors import HallmarkError, InputError, StoreError
from resources.project import Project
from resources.signer import KeyRing

NAME = "raw_drop"
VERSION = "4"
PLAN_FILE = "plan.json"


def inputs_of(project: Project, partition: str) -> dict[str, str]:
    drop = _drop(project, partition)
    inputs = {"drop": drop.fingerprint, "settings": policy_of(project).stage_digest(NAME)}
    if drop.kind == "feedback":  # one that is signed after it was refused is read anew
        proof = correction_proof(project.object_store(), drop, KeyRing.open(project.workspace.keys))
        inputs["signed"] = digest_json(dataclasses.astuple(proof) if proof else None)
    return inputs


STAGE = Stage(NAME, VERSION, inputs_of)


def _whole(tools: Tools, partition: str, draft: Draft) -> Artifact:
    project = tools.project
    announced = discover(project.object_store())
    drop = _drop_of(announced, partition)
    report = RawReport()
    known = _read_before(project, announced, drop)
    with draft.scratch() as spool:
        ring = KeyRing.open(project.workspace.keys)
        outcomes = ingest(project.object_store(), drop, spool, report, known, _reading(project), ring)
        return _sealed(project, draft, drop, outcomes, report)


def _sealed(project: Project, draft: Draft, drop: Drop, outcomes: Iterator[Outcome], report: RawReport) -> Artifact:
    return seal_rows(
        draft,
        None,
        outcomes,
        cipher=project.line_cipher(),
        metrics=report.metrics,
        details=lambda: _details(drop, report),
    )


def _told(project: Project, partition: str, parts: list[Artifact]) -> Told:
    report = RawReport.merged([ReadObject(**entry) for entry in report_of(part)["objects"]] for part in parts)
    return report.metrics(), _details(_drop(project, partition), report)


def _prepare(project: Project, partition: str) -> None:
    """Plan the shards, once: what other drops have brought meanwhile changes nothing of a plan that is made."""
    if _plan(project, partition) is not None:
        return
    announced = discover(project.object_store())
    drop = _drop_of(announced, partition)

    def fill(draft: Draft) -> Artifact:
        known = _read_before(project, announced, drop)
        shards = plan_shards(project.object_store(), drop, known, _reading(project), _rows(project))
        draft.write_json(PLAN_FILE, [[piece.to_json() for piece in pieces] for pieces in shards])
        return draft.seal()

    PLAN.make(project, fill, partition)


PLAN = Stage(f"{NAME}.plan", VERSION, inputs_of)


def _plan(project: Project, partition: str) -> Artifact | None:
    """The plan of this drop under today's settings. (The partition names the drop's objects as they were.)"""
    found = project.artifacts.current(PLAN.name, partition)
    settings = policy_of(project).stage_digest(NAME)
    fits = found and found.manifest.code_version == VERSION and found.manifest.inputs["settings"] == settings
    return found if fits else None


def _shards(project: Project, partition: str) -> list[list[Piece]]:
    """What each shard reads; empty for a drop that is made in one piece."""
    plan = _plan(project, partition)
    if plan is None:
        raise HallmarkError(f"the shards of {partition} are not planned; run it from its start")
    plan.verify()
    shards = json.loads(plan.path(PLAN_FILE).read_bytes())
    return [[Piece.from_json(piece) for piece in pieces] for pieces in shards] if len(shards) > 1 else []


def _tasks(project: Project, partition: str) -> list[Inputs]:
    settings = policy_of(project).stage_digest(NAME)
    return [
        {"pieces": digest_json([piece.to_json() for piece in pieces]), "settings": settings}
        for pieces in _shards(project, partition)
    ]


def _shard(tools: Tools, partition: str, number: int, draft: Draft) -> Artifact:
    project, report = tools.project, RawReport()
    pieces = _shards(project, partition)[number]
    with draft.scratch() as spool:
        drop = _drop(project, partition)
        outcomes = ingest_pieces(project.object_store(), drop, pieces, spool, report, _reading(project))
        told = lambda: {"objects": [dataclasses.asdict(entry) for entry in report.objects]}  # noqa: E731
        return seal_shard(draft, None, outcomes, told, project.line_cipher())


SHARDS = Round(f"{NAME}.shard", VERSION, _tasks, _shard, _prepare)
build = whole_or_joined(SHARDS, "", _whole, _told)


def _drop(project: Project, partition: str) -> Drop:
    return _drop_of(discover(project.object_store()), partition)


def _drop_of(announced: Iterable[Drop], partition: str) -> Drop:
    """The drop of a partition among those that the store holds now; ``StoreError`` if it is gone or changed."""
    for drop in announced:
        if drop.partition == partition:
            return drop
    raise StoreError(
        f"drop {partition} is no longer in the store as it was announced: an object was changed or removed. "
        "The changed drop is a new one and gets its own partition."
    )


def _reading(project: Project) -> Reading:
    return Reading.of(settings_of(project, NAME))


def _rows(project: Project) -> int:
    rows = settings_of(project, NAME).get("shard_rows", ROWS)
    if not isinstance(rows, int) or rows < 1:
        raise InputError(
            "shard_rows must be a positive whole number", object_key="policy: settings.raw_drop", rule="settings-valid"
        )
    return rows


def _read_before(project: Project, announced: Iterable[Drop], drop: Drop) -> Mapping[str, str]:
    """Objects whose rows one of the other drops has brought, by SHA-256."""
    others = [other.partition for other in announced if other.partition != drop.partition]
    artifacts = filter(None, (project.artifacts.current(NAME, other) for other in others))
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
