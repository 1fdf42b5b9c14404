"""The asset ``screened_records``: rows that carry no pattern someone put there, against all earlier admitted drops.

In    sanitised records, and the admitted ones before them
Out   the rows that nothing speaks against; flagged rows quarantined with their finding; the power of this very
      screen
Read  screen.py (the stage as a list of rules), drop.py (a drop as the rules see it), pattern.py (what a rule
      finds), then the rules: association/, payload/, relevance/, repetition/, drift/, safety/; power/ (planted
      attacks), base_model/ (its word on suspects), report/ (findings in words)
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from assets.record import Record
from assets.review import Decisions
from assets.sanitized.sharded import STAGE as SANITIZED
from assets.screened.base_model.scorer import LateScorer
from assets.screened.drift.pooling import pooled
from assets.screened.drop import FEWEST_ROWS
from assets.screened.report.finding import UNLEARNING, ScreenResult, outcomes
from assets.screened.report.heat_map import HeatMap
from assets.screened.report.sentences import unjudged
from assets.screened.safety.evidence import Reader
from assets.screened.screen import screen
from assets.screened.settings import ScreenSettings
from assets.stage import (
    OWNERS,
    Stage,
    base_of,
    decisions_of,
    drops,
    materialization,
    passed_rows,
    policy_of,
    proven,
    records_of,
    row_inputs,
    say,
    seal_rows,
    warn_of_quarantine,
)
from resources.artifacts import Artifact, Draft, Metric
from resources.base_model import model_digests
from resources.errors import GateRefused
from resources.project import Project

NAME = "screened_records"


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


def _inputs(project: Project, partition: str) -> dict[str, str]:
    background = background_of(project, partition)
    digests = {f"{NAME}/{name}": drop.manifest.digest for name, drop in background.items()}
    if _settings(project).model_rows:
        digests["base"] = model_digests(base_of(project)).whole
    return row_inputs(project, NAME, SANITIZED.name, partition) | digests


def _settings(project: Project) -> ScreenSettings:
    return ScreenSettings.from_policy(policy_of(project).settings.get(NAME, {}))


STAGE = Stage(NAME, "22", _inputs)


@dg.asset(
    deps=["sanitized_records"],
    partitions_def=drops,
    group_name="data",
    kinds={"scikitlearn", "jsonlines"},
    owners=OWNERS,
    code_version=STAGE.code_version,
    description="Rows that carry no planted pattern. Findings name trigger, payload, rows and statistic, and hold the "
    "drop until a person has decided; flagged rows are quarantined.",
)
def screened_records(context: dg.AssetExecutionContext, project: Project) -> dg.MaterializeResult[Any]:
    partition = context.partition_key

    def build(draft: Draft) -> Artifact:
        sanitized, background = proven(project, SANITIZED.name, partition), background_of(project, partition)
        decisions = decisions_of(project, NAME)
        settings, rows = _settings(project), passed_rows(sanitized)
        model = LateScorer(lambda: base_of(project)) if settings.model_rows else None
        safety = Reader.bundled()
        if is_small(rows):
            result = pooled(
                rows,
                lambda: records_of(sanitized),
                lambda: _rows(background),
                lambda read: screen(
                    read,
                    settings=settings,
                    model=model,
                    safety=safety,
                    accepted=decisions.released,
                    rejected=decisions.rejected,
                ),
            )
        else:
            result = screen(
                lambda: records_of(sanitized),
                background=lambda: _rows(background),
                settings=settings,
                model=model,
                safety=safety,
                accepted=decisions.released,
                rejected=decisions.rejected,
            )
        report = result.to_json()
        del report["stage_seconds"]  # the same rows give the same artefact, however long it took
        draft.write_json("findings.json", report)
        return seal_rows(
            draft,
            passed_rows(sanitized),
            decisions.overrule(outcomes(records_of(sanitized), result)),
            metrics=lambda: _metrics(result, decisions),
            details=lambda: {
                "background": sorted(background),
                "open": _waiting(result, decisions),
                "findings": [finding.sentence for finding in result.open_findings],
                "source_by_month": {source: dict(months) for source, months in result.source_by_month.items()},
                "shifts": [shift.to_json() for shift in result.shifts],
                "power": [{"found": each.shown, "sentence": str(each)} for each in result.power],
                "usual": [unjudged(each) for each in result.usual],
            },
        )

    artifact = STAGE.make(project, build, partition)
    context.log.info(say(artifact))
    findings = [finding["sentence"] for finding in artifact.manifest.details["open"]]
    for sentence in findings:
        context.log.warning(sentence)
    warn_of_quarantine(project, artifact)
    months = HeatMap.of(artifact.manifest.details["source_by_month"]).markdown()
    return materialization(
        project,
        artifact,
        findings=_listed(findings, "nothing found"),
        would_have_been_found=_listed([each["sentence"] for each in artifact.manifest.details["power"]], "not known"),
        usual_and_not_judged=_listed(artifact.manifest.details["usual"], "nothing"),
        heat_map=dg.MetadataValue.md(months),
    )


def _listed(sentences: list[str], none: str) -> dg.MarkdownMetadataValue:
    return dg.MetadataValue.md("\n".join(f"- {sentence}" for sentence in sentences) or none)


def _rows(background: dict[str, Artifact]) -> Iterator[Record]:
    for drop in background.values():
        yield from records_of(drop)


def _waiting(result: ScreenResult, decisions: Decisions) -> list[dict[str, Any]]:
    """The findings and questions on which nobody has decided yet."""
    return [
        {"fingerprint": each.fingerprint, "kind": each.kind, "sentence": each.sentence, "rows": len(each.rows)}
        for each in (*result.open_findings, *result.open_questions)
        if each.fingerprint not in decisions.rejected
    ]


def _metrics(result: ScreenResult, decisions: Decisions) -> dict[str, Metric]:
    """The screen's metrics; a finding that a person called poison is dealt with and no longer open."""
    metrics = result.metrics()
    if (found := metrics["open_findings"]).value is not None:
        waiting = [each.kind for each in result.open_findings if each.fingerprint not in decisions.rejected]
        metrics["open_findings"] = Metric(float(len(waiting)), found.n, missing="" if waiting else result.undecided)
        unlearning = sum(kind in UNLEARNING for kind in waiting)
        metrics["unlearning_findings"] = Metric(float(unlearning), found.n, missing="" if unlearning else result.unread)
    return metrics
