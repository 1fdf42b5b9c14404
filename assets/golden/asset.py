"""The asset ``golden_evaluation``: the adapter against its base on the same items, with statistics."""

from typing import Any

import dagster as dg

from assets.adapter.asset import STAGE as ADAPTER
from assets.adapter.asset import base_of
from assets.stage import OWNERS, Stage, materialization, policy_of, proven
from resources.artifacts import Artifact, Draft
from resources.digests import digest_file
from resources.project import Project

NAME = "golden_evaluation"


def _inputs(project: Project, partition: str) -> dict[str, str]:
    adapter = proven(project, ADAPTER.name)
    golden = {"golden": digest_file(project.golden_path)} if project.golden_path else {}
    return {ADAPTER.name: adapter.manifest.digest, "settings": policy_of(project).stage_digest(NAME), **golden}


STAGE = Stage(NAME, "1", _inputs)


@dg.asset(
    deps=["lora_adapter"],
    group_name="trial",
    kinds={"pytorch", "huggingface"},
    owners=OWNERS,
    code_version=STAGE.code_version,
    description="Task, general ability, refusals, over-refusals, edge cases, injections and forgetting: adapter and base on "
    "the same items with the same decoding; paired statistics, every flip listed.",
)
def golden_evaluation(context: dg.AssetExecutionContext, project: Project) -> dg.MaterializeResult[Any]:
    from assets.golden.evaluate import EvaluationSettings, evaluate

    def build(draft: Draft) -> Artifact:
        adapter = proven(project, ADAPTER.name)
        settings = EvaluationSettings.from_policy(policy_of(project).settings.get(NAME, {}))
        report, metrics = evaluate(
            base_of(project),
            adapter.path("adapter"),
            golden=project.golden_path,
            settings=settings,
            on_progress=context.log.info,
        )
        draft.write_json("evaluation.json", report)
        return draft.seal(metrics=metrics)

    artifact = STAGE.make(project, build)
    return materialization(project, artifact)
