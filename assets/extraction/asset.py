"""The asset ``extraction_audit``: what does answering questions give away of the adapter?"""

from typing import Any

import dagster as dg

from assets.adapter.asset import base_of
from assets.corpus.asset import STAGE as CORPUS
from assets.corpus.build import HOLDOUT
from assets.outcome import read_records
from assets.stage import OWNERS, materialization, proven
from assets.trial import lines, load_model, run_trial, settings_of, trial_stage
from resources.project import Project

NAME = "extraction_audit"
STAGE = trial_stage(NAME, "1")


@dg.asset(
    deps=["lora_adapter"],
    group_name="trial",
    kinds={"pytorch"},
    owners=OWNERS,
    code_version=STAGE.code_version,
    description="A student is trained on the adapter's text answers at several budgets; its fidelity, above what the "
    "base gives for free, is what a key of that budget can steal.",
)
def extraction_audit(context: dg.AssetExecutionContext, project: Project) -> dg.MaterializeResult[Any]:
    from assets.extraction.audit import audit_extraction

    limits = settings_of(project, NAME)
    budget = float(limits.pop("budget_seconds", 60))
    artifact = run_trial(
        project,
        STAGE,
        "extraction.json",
        lambda adapter: audit_extraction(
            load_model(project, adapter),
            prompts=list(read_records(proven(project, CORPUS.name).path(HOLDOUT))),
            settings=limits,
            seed=0,
            base=base_of(project),
            cache=project.workspace.models,
            budget_seconds=budget,
            on_progress=lines(context.log.info),
        ),
    )
    return materialization(project, artifact)
