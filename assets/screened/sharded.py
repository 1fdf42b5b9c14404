"""The screen over shards: a survey of each, one judge of the whole, and each shard's rows passed on or held.

A shard alone is never judged. An attack of a few rows in each is usual in none of them; it stands out in the whole.
"""

import dataclasses
import itertools
import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np

from assets.outcome import FILES, Removal, names_of, read_records
from assets.record import Record
from assets.sanitized.sharded import STAGE as SANITIZED
from assets.screened.base_model.scorer import LateScorer
from assets.screened.clock import Clock
from assets.screened.drift.pooling import pooled
from assets.screened.drop import FEWEST_ROWS
from assets.screened.report.artifact import REPORT, details, metrics, write_findings
from assets.screened.report.finding import ScreenResult, outcomes, removals
from assets.screened.safety.classifier import WEIGHTS
from assets.screened.safety.evidence import Reader
from assets.screened.screen import judge, screen
from assets.screened.settings import ScreenSettings
from assets.screened.survey.stored import merged, write
from assets.screened.survey.survey import Survey
from assets.shards.joining import file_of
from assets.shards.rounds import Inputs, Round, Tools
from assets.shards.whole import Told, whole_or_joined
from assets.stage import (
    Stage,
    base_of,
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
from resources.artifacts import Artifact, Draft
from resources.base_model import model_digests
from resources.digests import digest_file
from resources.errors import GateRefused, HallmarkError
from resources.project import Project

NAME = "screened_records"
VERSION = "25"
SURVEY_VERSION = "1"  # of what is counted and read in a row; what is made of it has the stage's


def background_of(project: Project, partition: str) -> dict[str, Artifact]:
    """The admitted drops before this one: what its phrases are held against.

    A small drop is screened among all others, and among small ones before it; it is no background of a larger one.
    So each is made from the other in one direction only.
    """
    small = is_small(passed_rows(proven(project, SANITIZED.name, partition)))
    found = {}
    for other in project.artifacts.partitions(NAME):
        try:
            artifact = proven(project, NAME, other) if other != partition else None
        except GateRefused:
            continue  # a held drop is no background
        if artifact is None:
            continue
        large = artifact.manifest.counts is not None and not is_small(artifact.manifest.counts.rows_in)
        if (large and small) or (other < partition and (large or small)):
            found[other] = artifact
    return found


def is_small(rows: int) -> bool:
    """Whether a drop of so many rows shows nothing by itself."""
    return rows < FEWEST_ROWS


def inputs_of(project: Project, partition: str) -> dict[str, str]:
    background = background_of(project, partition)
    digests = {f"{NAME}/{name}": drop.manifest.digest for name, drop in background.items()}
    if _settings(project).model_rows:
        digests["base"] = model_digests(base_of(project)).whole
    return row_inputs(project, NAME, SANITIZED.name, partition) | digests


STAGE = Stage(NAME, VERSION, inputs_of)


def _whole(tools: Tools, partition: str, draft: Draft) -> Artifact:
    project = tools.project
    sanitized, background = proven(project, SANITIZED.name, partition), background_of(project, partition)
    rows, judging = passed_rows(sanitized), _judging(project)
    if is_small(rows):
        result = pooled(
            rows, lambda: records_of(sanitized), lambda: _rows(background), lambda read: screen(read, **judging)
        )
    else:
        result = screen(lambda: records_of(sanitized), background=lambda: _rows(background), **judging)
    write_findings(draft, result)
    decisions = decisions_of(project, NAME)
    return seal_rows(
        draft,
        rows,
        decisions.overrule(outcomes(records_of(sanitized), removals(result))),
        metrics=lambda: metrics(result, decisions),
        details=lambda: details(result, background, decisions),
    )


def _judging(project: Project) -> dict[str, Any]:
    """What the judge is given beside the rows."""
    settings, decisions = _settings(project), decisions_of(project, NAME)
    return {
        "settings": settings,
        "model": LateScorer(lambda: base_of(project), project.workspace.models) if settings.model_rows else None,
        "safety": Reader.bundled(),
        "accepted": decisions.released,
        "rejected": decisions.rejected,
    }


def _settings(project: Project) -> ScreenSettings:
    return ScreenSettings.from_policy(settings_of(project, NAME))


def _rows(background: dict[str, Artifact]) -> Iterator[Record]:
    for drop in background.values():
        yield from records_of(drop)


@cache
def _weights() -> str:
    return digest_file(WEIGHTS)


def _survey_tasks(project: Project, drop: str) -> list[Inputs]:
    if is_small(passed_rows(proven(project, SANITIZED.name, drop, only=()))):
        return []
    seed = str(_settings(project).seed)
    shards = shards_before(project, NAME, SANITIZED.name, drop)
    return [{"rows": task["rows"], "seed": seed, "weights": _weights()} for task in shards]


def _survey(tools: Tools, drop: str, number: int, draft: Draft) -> Artifact:
    name = file_of(number, FILES["passed"])
    rows = proven(tools.project, SANITIZED.name, drop, only=(name,)).path(name)
    write(Survey.of(lambda: read_records(rows), Reader.bundled(), _settings(tools.project).seed), rows, draft.folder)
    return draft.seal()


SURVEYS = Round(f"{NAME}.survey", SURVEY_VERSION, _survey_tasks, _survey)
FINDINGS = Stage(f"{NAME}.findings", VERSION, inputs_of)


def _judge(project: Project, drop: str) -> None:
    """Judge the whole, once, and say of each shard which of its rows are held."""
    if not SURVEYS.tasks(project, drop):
        return

    def fill(draft: Draft) -> Artifact:
        draft.clear()
        background, decisions = background_of(project, drop), decisions_of(project, NAME)
        with draft.scratch() as scratch:
            survey = merged(*_parts(project, drop), scratch, _settings(project).seed)
            told = judge(survey, background=lambda: _rows(background), clock=Clock(None), **_judging(project))
        write_findings(draft, told)
        _write_removals(draft, told, rows_before(project, SANITIZED.name, drop))
        return draft.seal(metrics=metrics(told, decisions), details=details(told, background, decisions))

    FINDINGS.make(project, fill, drop)


def _parts(project: Project, drop: str) -> tuple[list[Any], list[Any]]:
    """Of each shard the folder of its survey and the file of its rows, both proven."""
    surveys, sanitized = SURVEYS.made(project, drop), proven(project, SANITIZED.name, drop)
    for survey in surveys:
        survey.verify()
    return [survey.folder for survey in surveys], [
        sanitized.path(name) for name in names_of(sanitized.manifest.files, "passed")
    ]


def _write_removals(draft: Draft, result: ScreenResult, rows: list[int]) -> None:
    held, starts = removals(result), list(itertools.accumulate(rows, initial=0))
    places = np.array(sorted(held), dtype=np.int64)
    for number, (start, end) in enumerate(itertools.pairwise(starts)):
        here = places[(places >= start) & (places < end)].tolist()
        draft.write_json(_removals_file(number), [[row - start, dataclasses.asdict(held[row])] for row in here])


def _removals_file(number: int) -> str:
    return f"removals/{number:05d}.json"


def _findings_of(project: Project, drop: str) -> Artifact:
    found = FINDINGS.found(project, drop)
    if found is None:
        raise HallmarkError(f"{drop} has not been judged; run it from its start")
    return found


def _tasks(project: Project, drop: str) -> list[Inputs]:
    tasks = SURVEYS.tasks(project, drop)
    if not tasks:
        return []
    files, decisions = _findings_of(project, drop).manifest.files, decisions_of(project, NAME).digest
    return [
        {"rows": task["rows"], "decisions": decisions, "removals": files[_removals_file(number)]}
        for number, task in enumerate(tasks)
    ]


def _shard(tools: Tools, drop: str, number: int, draft: Draft) -> Artifact:
    project, name = tools.project, _removals_file(number)
    found = _findings_of(project, drop)
    found.verify(only=(name,))
    held = {row: Removal(**removal) for row, removal in json.loads(found.path(name).read_bytes())}
    rows = outcomes(shard_of(project, SANITIZED.name, drop, number, None), held)
    rows_in = rows_before(project, SANITIZED.name, drop)[number]
    return seal_shard(draft, rows_in, decisions_of(project, NAME).overrule(rows), dict)


def _told(project: Project, drop: str, parts: list[Artifact]) -> Told:
    found = _findings_of(project, drop).manifest
    return found.metrics, found.details


SHARDS = Round(f"{NAME}.shard", VERSION, _tasks, _shard, _judge)
_build = whole_or_joined(SHARDS, SANITIZED.name, _whole, _told)


def build(tools: Tools, partition: str, draft: Draft) -> Artifact:
    """The drop in one piece, or its shards joined."""
    if SHARDS.tasks(tools.project, partition):
        found = _findings_of(tools.project, partition)
        for name in REPORT:
            draft.adopt(found, name, name)
    return _build(tools, partition, draft)
