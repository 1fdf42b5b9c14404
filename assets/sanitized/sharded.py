"""Sanitising over shards, each with a vault file of its own, and the join."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from assets.outcome import Outcome
from assets.sanitized.settings import SanitizeSettings
from assets.shards.joining import passed_by_shard, report_of
from assets.shards.rounds import Inputs, Round, Tools, shard
from assets.shards.whole import Told, whole_or_joined
from assets.stage import (
    Stage,
    decisions_of,
    passed_rows,
    proven,
    records_of,
    row_inputs,
    rows_before,
    seal_rows,
    seal_shard,
    settings_of,
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
VERSION = "8"


def inputs_of(project: Project, partition: str) -> dict[str, str]:
    return row_inputs(project, NAME, VALIDATED.name, partition)


STAGE = Stage(NAME, VERSION, inputs_of)


def build(tools: Tools, partition: str, draft: Draft) -> Artifact:
    """The drop in one piece, or its shards joined."""
    made = _build(tools, partition, draft)
    _forget_others(tools.project, partition, len(passed_by_shard(made)))
    return made


def _whole(tools: Tools, partition: str, draft: Draft) -> Artifact:
    from assets.sanitized.sanitize import Sanitizer

    project, settings = tools.project, _settings(tools.project)
    validated, vault = proven(project, VALIDATED.name, partition), _vault(project, partition)
    fresh = vault.anew()
    sanitizer = Sanitizer(settings, fresh, expected=passed_rows(validated))
    outcomes = sanitizer.run(records_of(validated, project.line_cipher()))
    return seal_rows(
        draft,
        passed_rows(validated),
        _kept(decisions_of(project, NAME).overrule(outcomes), vault, fresh),
        metrics=sanitizer.metrics,
        details=sanitizer.summary,
    )


def _kept(outcomes: Iterator[Outcome], vault: Vault, fresh: Vault) -> Iterator[Outcome]:
    """The outcomes; after the last, and so before anything is sealed, what was removed is in its place."""
    yield from outcomes
    vault.take(fresh)


def _told(project: Project, partition: str, parts: list[Artifact]) -> Told:
    from assets.sanitized.detector import Detector
    from assets.sanitized.residual import Residual
    from assets.sanitized.tally import Tally

    settings = _settings(project)
    tally = Tally.merged(map(report_of, parts), Residual(settings.residual_rows))
    return tally.metrics(Detector(settings, _engine(settings))), tally.summary()


def _settings(project: Project) -> SanitizeSettings:
    return SanitizeSettings.from_policy(settings_of(project, NAME))


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
    return seal_shard(draft, rows_before(project, VALIDATED.name, drop)[number], outcomes, sanitizer.tally.to_json)


SHARDS = Round(f"{NAME}.shard", VERSION, _tasks, _shard)
_build = whole_or_joined(SHARDS, VALIDATED.name, _whole, _told)


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
