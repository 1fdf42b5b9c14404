"""The asset ``golden_evaluation``: the adapter against its base on the same items, with statistics.

In    the adapter, its base, and the golden set
Out   for each suite the paired difference with its interval, and the gates' metrics; answers that flipped
Read  evaluate.py (the trial), items.py (the golden set), suites.py, measures/ (what is measured), inference/
      (how many items, and what they prove), judges.py and refusal/ (is this a refusal?), control/ (a base that
      refuses, where the own one does not), sources/ (benchmarks from outside, contamination)
"""

import json
from typing import Any

import dagster as dg

from assets.corpus.asset import STAGE as CORPUS
from assets.corpus.build import TRAIN
from assets.golden.before_after import picture, table
from assets.golden.items import SHIPPED
from assets.outcome import read_records
from assets.stage import OWNERS, base_of, materialization, policy_of, proven, settings_of, shown
from assets.trial import run_trial, trial_stage, trial_tags
from resources.digests import digest_file, digest_json, digest_tree
from resources.project import Project

NAME = "golden_evaluation"
REPORT = "evaluation.json"


def _depends(project: Project) -> dict[str, str]:
    depends = {"tried": str(project.tried)} if project.tried > 1 else {}
    path = project.golden_path or SHIPPED
    depends["golden"] = digest_json(digest_tree(path)) if path.is_dir() else digest_file(path)
    return depends


STAGE = trial_stage(NAME, "6", _depends)


@dg.asset(
    deps=["lora_adapter"],
    group_name="trial",
    kinds={"pytorch", "huggingface"},
    owners=OWNERS,
    code_version=STAGE.code_version,
    op_tags=trial_tags(NAME),
    description="Task, general ability, refusals, over-refusals, edge cases, injections, forgetting: adapter and base "
    "on the same items with the same decoding; paired statistics, every flip listed.",
)
def golden_evaluation(context: dg.AssetExecutionContext, project: Project) -> dg.MaterializeResult[Any]:
    from assets.golden.evaluate import EvaluationSettings, evaluate

    artifact = run_trial(
        project,
        STAGE,
        REPORT,
        lambda adapter: evaluate(
            base_of(project),
            adapter,
            golden=project.golden_path,
            settings=EvaluationSettings.from_policy(settings_of(project, NAME)),
            policy=policy_of(project),
            tried=project.tried,
            cache=project.workspace.models,
            rows=list(read_records(proven(project, CORPUS.name).path(TRAIN))),
            on_progress=context.log.info,
        ),
    )
    report = json.loads(artifact.path(REPORT).read_bytes())
    return materialization(
        project,
        artifact,
        before_after=dg.MetadataValue.md(table(report)),
        changes=shown(picture(report), "adapter minus base"),
    )
