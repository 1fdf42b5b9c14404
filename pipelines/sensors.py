"""The sensors: new drops, signed approvals, failed runs, the traffic of the release in use.

Each reads the world itself (the store, the log of decisions) and asks for a run; none of them trusts a Dagster event.
"""

import dataclasses
import json
from collections.abc import Iterator

import dagster as dg

from assets.raw.drops import scan
from assets.release.approval import Approval, standing
from assets.release.rules import ApprovalRules
from assets.served.asset import observation
from assets.served.traffic import TRAFFIC
from assets.stage import drops, policy_of
from assets.verdict.candidate import candidates
from pipelines.jobs import prove_drop, release
from pipelines.plan import drop_progress
from resources.clock import utc
from resources.decision_log import DecisionLog, Head
from resources.project import Project
from resources.signer import KeyRing

DROPS_A_TICK = 20  # a tick has 60 s; the store is listed, not read


@dg.sensor(
    job=prove_drop,
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Asks for a run for every drop not seen before. The cursor keeps what was seen by name, etag and size.",
)
def new_drops(context: dg.SensorEvaluationContext, project: Project) -> dg.SensorResult:
    found, cursor = scan(project.object_store(), context.cursor, DROPS_A_TICK)
    # `hallmark run` may have been there first: a drop that is proven or held needs no run.
    unproven = [drop for drop in found if drop_progress(project, drop.partition).status == "new"]
    return dg.SensorResult(
        # The partition carries the fingerprint of every object, so that a changed drop has a run key of its own.
        run_requests=[dg.RunRequest(run_key=drop.partition, partition_key=drop.partition) for drop in unproven],
        dynamic_partitions_requests=[drops.build_add_request([drop.partition for drop in found])],
        cursor=cursor,
    )


@dg.sensor(
    job=release,
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Asks for the release of a candidate whose approvals are signed, bound to it and enough by the policy. "
    "The release proves all of it again.",
)
def signed_approvals(context: dg.SensorEvaluationContext, project: Project) -> Iterator[dg.RunRequest | dg.SkipReason]:
    log = project.workspace.decision_log
    log.verify()
    ring = KeyRing.open(project.workspace.keys)
    rules = ApprovalRules.of(policy_of(project))
    asked = False
    for candidate in candidates(project.artifacts):
        stands = standing(log, ring, candidate.verdict, rules, utc())
        if stands.counted and not stands.missing:
            asked = True
            key = f"{candidate.verdict.candidate}-{_latest(stands.counted)}"
            tags = {"hallmark/candidate": candidate.verdict.candidate}
            yield dg.RunRequest(run_key=key, tags=tags)
    if not asked:
        yield dg.SkipReason("no candidate has the approvals that the policy asks for")


def _latest(approvals: tuple[Approval, ...]) -> str:
    return max(approval.issued_at for approval in approvals)


@dg.run_failure_sensor(
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Sends an alert for every failed run.",
)
def failed_runs(context: dg.RunFailureSensorContext, project: Project) -> None:
    run = context.dagster_run
    project.alerts.send(
        "run-failed",
        f"{run.job_name} failed: {context.failure_event.message}",
        run_id=run.run_id,
        partition=run.tags.get("dagster/partition", ""),
    )


@dg.sensor(
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Observes the release in use: what the gateway recorded since the last look. The record's chain is "
    "checked; one that was changed or cut fails the tick.",
)
def served_traffic(context: dg.SensorEvaluationContext, project: Project) -> dg.SensorResult:
    seen = Head(**json.loads(context.cursor)) if context.cursor else Head()
    new, head = DecisionLog(project.workspace.served / TRAFFIC).following(seen)
    cursor = json.dumps(dataclasses.asdict(head))
    return dg.SensorResult(asset_events=[observation(new)] if new else [], cursor=cursor)


ALL = (new_drops, signed_approvals, failed_runs, served_traffic)
