"""The asset ``training_corpus``: all admitted drops in one corpus, split, with canaries.

In    the screened rows of every admitted drop
Out   one corpus: rows to train on, rows held out, and canaries planted among them
Read  build.py (the split), admitted.py (which drops count), canaries.py (what is planted, and that it arrived)
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from assets.corpus.admitted import admitted
from assets.corpus.build import HOLDOUT, TRAIN, CorpusSettings, build
from assets.corpus.canaries import draw
from assets.record import Record
from assets.stage import OWNERS, Stage, materialization, passed_rows, policy_of, records_of
from resources.artifacts import Artifact, Counts, Draft
from resources.errors import GateRefused
from resources.project import Project


def settings_of(project: Project) -> CorpusSettings:
    return CorpusSettings.from_policy(policy_of(project).settings.get("training_corpus", {}))


def _inputs(project: Project, partition: str) -> dict[str, str]:
    drops = admitted(project)
    if not drops:
        raise GateRefused("no drop has passed its gates: there is nothing to train on")
    digests = {f"screened_records/{name}": artifact.manifest.digest for name, artifact in drops.items()}
    return {**digests, "settings": policy_of(project).stage_digest("training_corpus")}


STAGE = Stage("training_corpus", "1", _inputs)


@dg.asset(
    deps=[dg.AssetDep("screened_records", partition_mapping=dg.AllPartitionMapping())],
    group_name="model",
    kinds={"jsonlines"},
    owners=OWNERS,
    code_version=STAGE.code_version,
    description="Every admitted row, split into train and holdout by a digest of its text, with planted canaries.",
)
def training_corpus(context: dg.AssetExecutionContext, project: Project) -> dg.MaterializeResult[Any]:
    settings = settings_of(project)

    def make(draft: Draft) -> Artifact:
        drops = admitted(project)
        canaries = [row for canary in draw(pairs=settings.canary_pairs, seed=settings.seed) for row in canary.records()]
        metrics = build(draft.folder, _rows(list(drops.values())), canaries, settings)
        rows_in = sum(passed_rows(artifact) for artifact in drops.values())
        kept = int((metrics["train_rows"].value or 0) + (metrics["holdout_rows"].value or 0))
        details = {"drops": list(drops), "train": TRAIN, "holdout": HOLDOUT}
        return draft.seal(metrics=metrics, counts=Counts(rows_in, kept, 0, 0), details=details)

    artifact = STAGE.make(project, make)
    shown = {name: metric.value for name, metric in artifact.manifest.metrics.items()}
    context.log.info(", ".join(f"{name} {value:g}" for name, value in shown.items() if value is not None))
    return materialization(project, artifact, **shown, drops=artifact.manifest.details["drops"])


def _rows(drops: list[Artifact]) -> Iterator[Record]:
    for artifact in drops:
        yield from records_of(artifact)
