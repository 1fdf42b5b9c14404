"""The asset ``extraction_audit``: what does answering questions give away of the adapter?

In    the adapter, its base, and prompts of its kind
Out   how much of the adapter a thief copies with as many answers as a key may fetch
Read  audit.py (the trial), fidelity.py (how alike two models answer), scores.py (what log-probabilities give
      away)
"""

import json
from typing import Any

import dagster as dg

from assets.corpus.asset import STAGE as CORPUS
from assets.corpus.build import HOLDOUT, TRAIN
from assets.corpus.canaries import SOURCE
from assets.outcome import read_records
from assets.record import Record
from assets.stage import OWNERS, base_of, materialization, proven, settings_of
from assets.trial import lines, load_model, run_trial, trial_stage, trial_tags
from resources.project import Project

NAME = "extraction_audit"
STAGE = trial_stage(NAME, "3")


@dg.asset(
    deps=["lora_adapter"],
    group_name="trial",
    kinds={"pytorch"},
    owners=OWNERS,
    code_version=STAGE.code_version,
    op_tags=trial_tags(NAME),
    description="A student is trained on the adapter's text answers at several budgets; its fidelity, above what the "
    "base gives for free, is what a key of that budget can steal.",
)
def extraction_audit(context: dg.AssetExecutionContext, project: Project) -> dg.MaterializeResult[Any]:
    from assets.extraction.audit import audit_extraction

    corpus = proven(project, CORPUS.name)
    members = [record for record in read_records(corpus.path(TRAIN)) if record.origin.source != SOURCE]
    limits = settings_of(project, NAME)
    budget = float(limits.pop("budget_seconds", 600))
    asked = [_asked(record) for record in (*members, *read_records(corpus.path(HOLDOUT)))]
    artifact = run_trial(
        project,
        STAGE,
        "extraction.json",
        lambda adapter: audit_extraction(
            load_model(project, adapter),
            prompts=list({json.dumps(chat): chat for chat in asked if chat}.values()),
            members=members,
            settings=limits,
            seed=0,
            base=base_of(project),
            cache=project.workspace.models,
            budget_seconds=budget,
            on_progress=lines(context.log.info),
        ),
    )
    return materialization(project, artifact)


def _asked(record: Record) -> list[dict[str, str]]:
    """The chat up to the first answer: whoever copies the adapter opens conversations of his own."""
    turns = [{"role": turn.role, "content": turn.content} for turn in record.messages()]
    opening = next((at for at, turn in enumerate(turns) if turn["role"] == "assistant"), len(turns))
    return turns[:opening]
