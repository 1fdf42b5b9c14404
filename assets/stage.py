"""How a stage runs: prove the predecessor, make the artefact of its inputs or find it, say what came out.

Every ``asset.py`` is written with these pieces and nothing else from Dagster, so that all stages fail, resume and
report in the same way. The verdict of a predecessor is judged again here, from its recorded metrics and its bytes: a
check that stopped another run is not evidence in this one (law 8).
"""

import base64
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg

from assets.outcome import FILES, Outcome, names_of, read_records, write_outcomes
from assets.record import Record
from assets.review import Decisions
from assets.shards.joining import REPORT, file_of, join, passed_by_shard
from expectations.policy import GateResult, Policy
from resources.artifacts import WHOLE, Artifact, Counts, Draft, Metric
from resources.base_model import base_path
from resources.errors import GateRefused
from resources.line_cipher import LineCipher
from resources.project import Project

drops = dg.DynamicPartitionsDefinition(name="drops")

OWNERS = ["team:ml-platform", "team:ai-security"]


def policy_of(project: Project) -> Policy:
    return Policy.load(project.policy_path)


def base_of(project: Project) -> Path:
    """The folder of the base model: the project's own, or the bundled one."""
    return base_path(project.base_path, project.workspace.models)


def settings_of(project: Project, stage: str) -> dict[str, Any]:
    """What the policy sets for a stage, as it is written there."""
    return policy_of(project).settings.get(stage, {})


def decisions_of(project: Project, stage: str) -> Decisions:
    """What people decided on rows and findings of a stage."""
    return Decisions.read(project.workspace.decision_log, stage)


def judged(policy: Policy, artifact: Artifact) -> list[GateResult]:
    """The gates of an artefact's stage, judged from its recorded metrics."""
    return policy.judge(artifact.manifest.stage, artifact.manifest.metrics)


def proven(project: Project, stage: str, partition: str = WHOLE, only: Collection[str] | None = None) -> Artifact:
    """The current artefact of ``stage``, if its bytes are those recorded and its gates pass; else ``GateRefused``.

    A shard, which reads a part of it, has ``only`` those files proven.
    """
    artifact = project.artifacts.current(stage, partition)
    if artifact is None:
        raise GateRefused(f"{stage} {partition} has not been made; run it first")
    artifact.verify(only)
    policy = policy_of(project)
    if holding := policy.holding(judged(policy, artifact)):
        blocking = "; ".join(f"{result.gate}: {result.reason}" for result in holding)
        raise GateRefused(f"{stage} {partition} did not pass its gates ({blocking})")
    return artifact


def row_inputs(project: Project, stage: str, before: str, partition: str) -> dict[str, str]:
    """What a row stage depends on: its proven predecessor, its settings, and what people decided."""
    return {
        before: proven(project, before, partition).manifest.digest,
        "settings": policy_of(project).stage_digest(stage),
        "decisions": decisions_of(project, stage).digest,
    }


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage's name, the version of its code, and what its output depends on.

    ``inputs`` gives ``{name: digest}`` for a partition, and raises ``GateRefused`` where a predecessor is not proven.
    """

    name: str
    code_version: str
    inputs: Callable[[Project, str], dict[str, str]]

    def found(self, project: Project, partition: str = WHOLE) -> Artifact | None:
        """The artefact of today's inputs, if it was ever made."""
        inputs = self.inputs(project, partition)
        return project.artifacts.find(self.name, partition, self.code_version, inputs)

    def make(self, project: Project, build: Callable[[Draft], Artifact], partition: str = WHOLE) -> Artifact:
        """The artefact of today's inputs: found whole, or built. Finding it makes it current again."""
        inputs = self.inputs(project, partition)
        found = project.artifacts.find(self.name, partition, self.code_version, inputs)
        if found:
            found.verify()
            project.artifacts.use(found)
            return found
        with project.artifacts.draft(self.name, partition, self.code_version, inputs) as draft:
            return build(draft)


def seal_rows(
    draft: Draft,
    rows_in: int | None,
    outcomes: Iterator[Outcome],
    *,
    cipher: LineCipher | None = None,
    metrics: Callable[[], Mapping[str, Metric]] = dict,
    details: Callable[[], Mapping[str, Any]] = dict,
) -> Artifact:
    """Stream a row stage's outcomes into its artefact and seal it; through ``cipher`` where the text is still raw.

    ``rows_in`` is what the predecessor passed on, or None where the stage itself reads the drop. ``metrics`` and
    ``details`` are asked after the last row.
    """
    counts, rules = write_outcomes(draft.folder, outcomes, cipher)
    gone = 0
    if rows_in is not None:
        counts = Counts(rows_in, counts.passed, counts.quarantined, counts.rejected)
        gone = abs(counts.rows_in - counts.passed - counts.quarantined - counts.rejected)
    measured = _measured(counts, gone, metrics(), counted=rows_in is None)
    return draft.seal(metrics=measured, counts=counts, details={**details(), "rules": rules})


def seal_shard(
    draft: Draft,
    rows_in: int | None,
    outcomes: Iterator[Outcome],
    report: Callable[[], Mapping[str, Any]],
    cipher: LineCipher | None = None,
) -> Artifact:
    """As ``seal_rows`` for one shard, which has no gates: ``report`` is asked after the last row, for the join."""
    counts, rules = write_outcomes(draft.folder, outcomes, cipher)
    draft.write_json(REPORT, report())
    came = counts.rows_in if rows_in is None else rows_in
    return draft.seal(counts=Counts(came, counts.passed, counts.quarantined, counts.rejected), details={"rules": rules})


def seal_joined(
    draft: Draft,
    parts: Sequence[Artifact],
    rows_in: Sequence[int] | None,
    metrics: Mapping[str, Metric],
    details: Mapping[str, Any],
) -> Artifact:
    """As ``seal_rows`` for a stage whose shards are made; ``rows_in`` is what came into each."""
    joined = join(parts, rows_in)
    for number, part in enumerate(parts):
        for name in FILES.values():
            draft.adopt(part, name, file_of(number, name))
    measured = _measured(joined.counts, joined.unaccounted, metrics, counted=rows_in is None)
    return draft.seal(
        metrics=measured,
        counts=joined.counts,
        details={**details, "rules": joined.rules, "shards": joined.shards},
    )


def _measured(counts: Counts, gone: int, metrics: Mapping[str, Metric], *, counted: bool) -> dict[str, Metric]:
    """A stage's metrics with those that every row stage has. ``counted``: the stage itself counted what it owes."""
    own = {
        "passed_rows": Metric(counts.passed, counts.rows_in),
        "quarantined_share": _share(counts.quarantined, counts.rows_in),
        "rejected_share": _share(counts.rejected, counts.rows_in),
    }
    if not counted:
        own["unaccounted_rows"] = Metric(gone, counts.rows_in)
    return {**metrics, **own}


def shards_before(project: Project, stage: str, before: str, drop: str) -> list[dict[str, str]]:
    """What each shard of a row stage depends on: the rows that its predecessor's shard passed on, settings, decisions.

    Empty where the predecessor was made in one piece.
    """
    artifact = proven(project, before, drop, only=())
    if "shards" not in artifact.manifest.details:
        return []
    names = names_of(artifact.manifest.files, "passed")
    settings, decisions = policy_of(project).stage_digest(stage), decisions_of(project, stage).digest
    return [{"rows": artifact.manifest.files[name], "settings": settings, "decisions": decisions} for name in names]


def rows_before(project: Project, before: str, drop: str) -> list[int]:
    """Rows that each shard of the predecessor passed on; none where it was made in one piece."""
    return passed_by_shard(proven(project, before, drop, only=()))


def shard_of(project: Project, before: str, drop: str, number: int, cipher: LineCipher | None) -> Iterator[Record]:
    """The rows that a shard of the predecessor passed on, proven, streamed."""
    name = file_of(number, FILES["passed"])
    return read_records(proven(project, before, drop, only=(name,)).path(name), cipher)


def records_of(artifact: Artifact, cipher: LineCipher | None = None) -> Iterator[Record]:
    """The rows that passed a stage, streamed."""
    for name in names_of(artifact.manifest.files, "passed"):
        yield from read_records(artifact.path(name), cipher)


def passed_rows(artifact: Artifact) -> int:
    return artifact.manifest.counts.passed if artifact.manifest.counts else 0


def materialization(project: Project, artifact: Artifact, **extra: Any) -> dg.MaterializeResult[Any]:
    """What Dagster shows: counts, gates and digest; never a row (law 7). The data version is the digest."""
    manifest = artifact.manifest
    metadata: dict[str, Any] = {
        "path": dg.MetadataValue.path(str(artifact.folder)),
        "digest": manifest.digest,
        "seconds": manifest.seconds,
        "gates": dg.MetadataValue.md(gate_table(judged(policy_of(project), artifact))),
        **extra,
    }
    if manifest.counts:
        counts = manifest.counts
        metadata |= {
            "dagster/row_count": counts.passed,
            "rows_in": counts.rows_in,
            "quarantined": counts.quarantined,
            "rejected": counts.rejected,
            "dagster/column_schema": ROW_SCHEMA,
        }
    if rules := manifest.details.get("rules"):
        metadata["rows_by_rule"] = dg.MetadataValue.md(bar_table(rules))
    return dg.MaterializeResult(data_version=dg.DataVersion(manifest.digest), metadata=metadata)


def shown(png: bytes, told: str) -> dg.MarkdownMetadataValue:
    """A picture for an asset's metadata; ``told`` stands for it where it cannot be seen."""
    return dg.MetadataValue.md(f"![{told}](data:image/png;base64,{base64.b64encode(png).decode()})")


def say(artifact: Artifact) -> str:
    """One line on what came out, for the log."""
    counts = artifact.manifest.counts
    if counts is None:
        return f"{artifact.manifest.seconds:.1f} s"
    left = ", ".join(f"{rule} {rows}" for rule, rows in artifact.manifest.details.get("rules", {}).items())
    fates = f"{counts.passed} passed, {counts.quarantined} quarantined, {counts.rejected} rejected"
    return f"{counts.rows_in} rows in: {fates}{f' ({left})' if left else ''}, {artifact.manifest.seconds:.1f} s"


def warn_of_quarantine(project: Project, artifact: Artifact) -> None:
    """Send an alert if more of a drop left than the policy's ``alerts`` say may leave unnoticed."""
    limit = float(policy_of(project).settings.get("alerts", {}).get("removed_share", 0.05))
    counts = artifact.manifest.counts
    if counts and counts.rows_in and (gone := counts.quarantined + counts.rejected) / counts.rows_in > limit:
        project.alerts.send(
            "quarantine",
            f"{gone} of {counts.rows_in} rows left {artifact.manifest.stage}; see `hallmark review list`",
            stage=artifact.manifest.stage,
            drop=artifact.manifest.partition,
            rules=artifact.manifest.details.get("rules", {}),
        )


def gate_table(results: list[GateResult]) -> str:
    lines = ["| gate | verdict | value | limit |", "|---|---|---|---|"]
    for result in results:
        value = "-" if result.value is None else f"{result.value:.4g}"
        lines.append(f"| {result.gate} | **{result.verdict}** | {value} | {result.limit} |")
    return "\n".join(lines)


def bar_table(counts: Mapping[str, int]) -> str:
    """A bar chart that Markdown can carry."""
    top = max(counts.values(), default=1)
    lines = ["| what | n | |", "|---|---|---|"]
    lines += [f"| {name} | {n} | {'█' * max(1, round(20 * n / top))} |" for name, n in counts.items()]
    return "\n".join(lines)


def _share(part: int, whole: int) -> Metric:
    return Metric(part / whole, whole) if whole else Metric(None, 0, missing="no rows came in")


ROW_SCHEMA = dg.TableSchema(
    columns=[
        dg.TableColumn("row_id", "string", description="digest of source object and line"),
        dg.TableColumn("fields", "object", description="the row's own fields, in the form it arrived in"),
        dg.TableColumn("origin", "object", description="object key, version, line, digest, drop, source, author, date"),
    ]
)
