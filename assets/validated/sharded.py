"""Validation over shards: the identities of all rows, then each shard with its copies known, and the join."""

import itertools
from functools import cache
from typing import Protocol

from assets.outcome import FILES
from assets.raw.sharded import STAGE as RAW
from assets.shards.joining import file_of, passed_by_shard, report_of
from assets.shards.rounds import Inputs, Round, Tools
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
from assets.validated.duplicates import (
    CopiesFound,
    KnownCopies,
    bucket_file,
    buckets_for,
    copies,
    write_identities,
)
from assets.validated.settings import ValidationSettings
from assets.validated.validate import Check, ValidationReport, validate
from resources.artifacts import Artifact, Draft
from resources.errors import HallmarkError
from resources.project import Project

NAME = "validated_records"
VERSION = "3"


class Suite(Protocol):
    """Makes the check of a batch; given by the definitions, for what must hold is said in another room."""

    def __call__(self, settings: ValidationSettings) -> Check: ...


def inputs_of(project: Project, partition: str) -> dict[str, str]:
    return row_inputs(project, NAME, RAW.name, partition)


STAGE = Stage(NAME, VERSION, inputs_of)


def _whole(tools: Tools, partition: str, draft: Draft) -> Artifact:
    project, settings = tools.project, _settings(tools.project)
    raw, report, cipher = proven(project, RAW.name, partition), ValidationReport(), project.line_cipher()
    outcomes = validate(records_of(raw, cipher), tools.suite(settings), settings, report)
    return seal_rows(
        draft,
        passed_rows(raw),
        decisions_of(project, NAME).overrule(outcomes),
        cipher=cipher,
        metrics=report.metrics,
        details=report.details,
    )


def _told(project: Project, partition: str, parts: list[Artifact]) -> Told:
    report = ValidationReport.merged([ValidationReport.from_json(report_of(part)) for part in parts])
    return report.metrics(), report.details()


@cache
def _check(suite: Suite, settings: ValidationSettings) -> Check:
    """One for all shards that a process makes: building a suite takes longer than a small shard."""
    return suite(settings)


def _settings(project: Project) -> ValidationSettings:
    return ValidationSettings.of(settings_of(project, NAME))


def _identity_tasks(project: Project, drop: str) -> list[Inputs]:
    raw = proven(project, RAW.name, drop, only=())
    buckets = buckets_for(passed_rows(raw))
    return [
        {"rows": raw.manifest.files[file_of(number, FILES["passed"])], "buckets": str(buckets)}
        for number in range(len(passed_by_shard(raw)))
    ]


def _identify(tools: Tools, drop: str, number: int, draft: Draft) -> Artifact:
    project = tools.project
    buckets = int(_identity_tasks(project, drop)[number]["buckets"])
    write_identities(shard_of(project, RAW.name, drop, number, project.line_cipher()), draft.folder, buckets)
    return draft.seal()


IDENTITIES = Round(f"{NAME}.identities", VERSION, _identity_tasks, _identify)


def _copies_inputs(project: Project, drop: str) -> dict[str, str]:
    return {RAW.name: proven(project, RAW.name, drop, only=()).manifest.digest}


COPIES = Stage(f"{NAME}.copies", VERSION, _copies_inputs)


def _find_copies(project: Project, drop: str) -> None:
    if not IDENTITIES.tasks(project, drop):
        return

    def fill(draft: Draft) -> Artifact:
        draft.clear()
        shards, starts = IDENTITIES.made(project, drop), _starts(project, drop)
        found = CopiesFound(len(shards))
        for bucket in range(buckets_for(sum(rows_before(project, RAW.name, drop)))):
            for shard in shards:
                shard.verify(only=(bucket_file(bucket),))
            for copy in copies([shard.path(bucket_file(bucket)) for shard in shards], starts):
                found.add(*copy)
        for number in range(len(shards)):
            draft.path(_copies_file(number)).write_text(found.text(number))
        return draft.seal()

    COPIES.make(project, fill, drop)


def _copies_file(number: int) -> str:
    return f"{number:05d}.json"


def _starts(project: Project, drop: str) -> list[int]:
    """The ordinal of each shard's first row among all rows of the drop."""
    return list(itertools.accumulate(rows_before(project, RAW.name, drop)[:-1], initial=0))


def _copies_of(project: Project, drop: str) -> Artifact:
    found = COPIES.found(project, drop)
    if found is None:
        raise HallmarkError(f"the copies in {drop} are not known; run it from its start")
    return found


def _tasks(project: Project, drop: str) -> list[Inputs]:
    tasks = shards_before(project, NAME, RAW.name, drop)
    if not tasks:
        return []
    files, starts = _copies_of(project, drop).manifest.files, _starts(project, drop)
    return [
        {**task, "copies": files[_copies_file(number)], "start": str(starts[number])}
        for number, task in enumerate(tasks)
    ]


def _shard(tools: Tools, drop: str, number: int, draft: Draft) -> Artifact:
    project, settings = tools.project, _settings(tools.project)
    known, start = _copies_of(project, drop), _starts(project, drop)[number]
    known.verify(only=(_copies_file(number),))
    cipher, report = project.line_cipher(), ValidationReport()
    outcomes = validate(
        shard_of(project, RAW.name, drop, number, cipher),
        _check(tools.suite, settings),
        settings,
        report,
        seen=KnownCopies.read(known.path(_copies_file(number)), start),
        start=start,
    )
    rows_in = rows_before(project, RAW.name, drop)[number]
    return seal_shard(draft, rows_in, decisions_of(project, NAME).overrule(outcomes), report.to_json, cipher)


SHARDS = Round(f"{NAME}.shard", VERSION, _tasks, _shard, _find_copies)
build = whole_or_joined(SHARDS, RAW.name, _whole, _told)
