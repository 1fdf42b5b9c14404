"""The asset checks: every gate of the policy, shown in Dagster and blocking there.

One multi-check a stage, which judges the recorded metrics again, hashes the artefact again and counts its rows again.
The trials (golden evaluation, scans, audits) only block on being whole and finite: their limits warn, so that a failing
candidate still gets its verdict and dossier, and block at ``evaluated_adapter``.
"""

import warnings
from collections.abc import Iterator

import dagster as dg

from assets.outcome import FILES, names_of
from assets.stage import drops, judged, policy_of
from expectations.policy import GateResult, Policy
from resources.artifacts import WHOLE, Artifact
from resources.errors import IntegrityError
from resources.project import Project

ROW_STAGES = ("raw_drop", "validated_records", "sanitized_records", "screened_records")
TRIALS = ("golden_evaluation", "backdoor_scan", "memorization_audit", "extraction_audit")
STAGES = (*ROW_STAGES, "training_corpus", "lora_adapter", *TRIALS, "evaluated_adapter", "approved_release")

WHOLE_CHECK = "artifact_is_whole"


def build_checks(policy: Policy) -> list[dg.AssetChecksDefinition]:
    """The checks of every stage, named after the gates of ``policy``."""
    with warnings.catch_warnings():
        # Partitioned checks are in preview: without them a check would speak of the wrong drop.
        warnings.simplefilter("ignore", dg.PreviewWarning)
        return [_checks_of(stage, policy) for stage in STAGES]


def _checks_of(stage: str, policy: Policy) -> dg.AssetChecksDefinition:
    partitions = drops if stage in ROW_STAGES else None
    specs = [
        dg.AssetCheckSpec(
            WHOLE_CHECK,
            asset=stage,
            blocking=True,
            description="The bytes are those the manifest records, and every row is accounted for.",
            partitions_def=partitions,
        )
    ]
    specs += [
        dg.AssetCheckSpec(
            gate.name,
            asset=stage,
            blocking=stage not in TRIALS,
            description=f"{gate.metric} {gate.limit}. {gate.explain}".strip(),
            partitions_def=partitions,
        )
        for gate in policy.gates_of(stage)
    ]

    @dg.multi_asset_check(name=f"{stage}_checks", specs=specs)
    def checks(context: dg.AssetCheckExecutionContext, project: Project) -> Iterator[dg.AssetCheckResult]:
        partition = context.partition_key if stage in ROW_STAGES else WHOLE
        artifact = project.artifacts.current(stage, partition)
        if artifact is None:
            raise dg.Failure(f"{stage} {partition}: there is no artefact to check", allow_retries=False)
        yield _whole(stage, artifact)
        policy = policy_of(project)
        results = judged(policy, artifact)
        holding = {result.gate for result in policy.holding(results)}
        for result in results:
            yield _result(stage, result, result.gate in holding)

    return checks


def _whole(stage: str, artifact: Artifact) -> dg.AssetCheckResult:
    problems: list[str] = []
    try:
        artifact.verify()
    except IntegrityError as error:
        problems.append(str(error))
    if counts := artifact.manifest.counts:
        if not counts.conserved:
            problems.append(f"{counts.rows_in} rows came in, {counts} went out")
        if stage in ROW_STAGES:
            recorded = (counts.passed, counts.quarantined, counts.rejected)
            written = tuple(
                sum(_lines(artifact, name) for name in names_of(artifact.manifest.files, fate)) for fate in FILES
            )
            if written != recorded:
                problems.append(f"the files hold {written} rows, the manifest says {recorded}")
    missing = [
        name for name, metric in artifact.manifest.metrics.items() if metric.value is None and not metric.missing
    ]
    if missing:
        problems.append(f"no value and no reason: {', '.join(missing)}")
    return dg.AssetCheckResult(
        check_name=WHOLE_CHECK,
        asset_key=stage,
        passed=not problems,
        description="; ".join(problems) or "whole",
        metadata={"digest": artifact.manifest.digest},
    )


def _lines(artifact: Artifact, name: str) -> int:
    with artifact.path(name).open("rb") as stream:
        return sum(1 for _ in stream)


def _result(stage: str, result: GateResult, holds: bool) -> dg.AssetCheckResult:
    shown = {name: value for name, value in result.model_dump().items() if value is not None}
    # An unproven candidate waits for a person; its run did what it should.
    carried = not holds and result.verdict != "pass"
    warns = carried or stage in TRIALS or (stage == "evaluated_adapter" and result.verdict == "inconclusive")
    severity = dg.AssetCheckSeverity.WARN if warns else dg.AssetCheckSeverity.ERROR
    return dg.AssetCheckResult(
        check_name=result.gate,
        asset_key=stage,
        passed=result.verdict == "pass",
        severity=severity,
        description=f"{result.verdict}: {result.reason}",
        metadata=shown,
    )
