"""Sanitising over shards, each with a vault file of its own, and the join."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from assets.outcome import Outcome
from assets.sanitized.settings import SanitizeSettings
from assets.shards.joining import passed_by_shard, report_of
from assets.shards.rounds import Inputs, Round, Tools, shard
from assets.stage import (
    Stage,
    decisions_of,
    passed_rows,
    policy_of,
    proven,
    records_of,
    row_inputs,
    seal_joined,
    seal_rows,
    seal_shard,
    shard_of,
    shards_before,
)
from assets.validated.sharded import STAGE as VALIDATED
from resources.artifacts import Artifact, Draft
from resources.project import Project
from resources.vault import Vault

if TYPE_CHECKING:
    from resources.pii_engine import PiiEngine

NAME = "sanitized_records"
VERSION = "6"


def inputs_of(project: Project, partition: str) -> dict[str, str]:
    return row_inputs(project, NAME, VALIDATED.name, partition)


STAGE = Stage(NAME, VERSION, inputs_of)


def build(tools: Tools, partition: str, draft: Draft) -> Artifact:
    """The drop in one piece, or its shards joined."""
    from assets.sanitized.sanitize import Sanitizer

    project, settings = tools.project, _settings(tools.project)
    if SHARDS.tasks(project, partition):
        return _joined(project, settings, partition, draft)
    validated, vault = proven(project, VALIDATED.name, partition), _vault(project, partition)
    fresh = vault.anew()
    sanitizer = Sanitizer(settings, fresh, expected=passed_rows(validated))
    outcomes = sanitizer.run(records_of(validated, project.line_cipher()))
    made = seal_rows(
        draft,
        passed_rows(validated),
        _kept(decisions_of(project, NAME).overrule(outcomes), vault, fresh),
        metrics=sanitizer.metrics,
        details=sanitizer.summary,
    )
    _forget_others(project, partition, 0)
    return made


def _kept(outcomes: Iterator[Outcome], vault: Vault, fresh: Vault) -> Iterator[Outcome]:
    """The outcomes; after the last, and so before anything is sealed, what was removed is in its place."""
    yield from outcomes
    vault.take(fresh)


def _joined(project: Project, settings: SanitizeSettings, partition: str, draft: Draft) -> Artifact:
    from assets.sanitized.detector import Detector
    from assets.sanitized.residual import Residual
    from assets.sanitized.tally import Tally

    parts = SHARDS.made(project, partition)
    tally = Tally.merged(map(report_of, parts), Residual(settings.residual_rows))
    metrics = tally.metrics(Detector(settings, _engine(settings)))
    made = seal_joined(draft, parts, _rows_before(project, partition), metrics, tally.summary())
    _forget_others(project, partition, len(parts))
    return made


def _settings(project: Project) -> SanitizeSettings:
    return SanitizeSettings.from_policy(policy_of(project).settings.get(NAME, {}))


def _rows_before(project: Project, drop: str) -> list[int]:
    return passed_by_shard(proven(project, VALIDATED.name, drop, only=()))


def _tasks(project: Project, drop: str) -> list[Inputs]:
    return list(shards_before(project, NAME, VALIDATED.name, drop))


def _shard(tools: Tools, drop: str, number: int, draft: Draft) -> Artifact:
    from assets.sanitized.sanitize import Sanitizer

    project, vault = tools.project, _vault(tools.project, shard(drop, number))
    settings = _settings(project).model_copy(update={"processes": 1})  # the shards are what runs beside each other
    fresh = vault.anew()
    sanitizer = Sanitizer(settings, fresh, _engine(settings))
    records = shard_of(project, VALIDATED.name, drop, number, project.line_cipher())
    outcomes = _kept(decisions_of(project, NAME).overrule(sanitizer.run(records)), vault, fresh)
    return seal_shard(draft, _rows_before(project, drop)[number], outcomes, sanitizer.tally.to_json)


SHARDS = Round(f"{NAME}.shard", VERSION, _tasks, _shard)


def _engine(settings: SanitizeSettings) -> "PiiEngine | None":
    """One engine for all shards that a process makes; a policy's own recognisers are built into one of its own."""
    from assets.sanitized.detector import build_engine

    if settings.recognizers:
        return None
    if not _ENGINES:
        _ENGINES.append(build_engine())
    return _ENGINES[0]


_ENGINES: "list[PiiEngine]" = []


def _vault(project: Project, name: str) -> Vault:
    path = project.workspace.vault / f"{name}.jsonl"
    return Vault(path, project.vault_secret(), name=path.name)


def _forget_others(project: Project, drop: str, shards: int) -> None:
    """Remove the values of these rows from where an earlier cut of the drop has put them."""
    kept = {f"{shard(drop, number)}.jsonl" for number in range(shards)} or {f"{drop}.jsonl"}
    for path in project.workspace.vault_files(drop):
        if path.name not in kept:
            path.unlink()
