"""The jobs: what is run together.

On a laptop a drop is proven in one process; drops run beside each other as runs of their own. Training is a process of
its own in any case, and the trials of a candidate run in processes beside each other where the machine has room for it.
``pipelines.execution`` says what else a run can be.
"""

import dagster as dg

from expectations.checks import ROW_STAGES, TRIALS
from pipelines.execution import executor, run_tags

CANDIDATE_STAGES = ("training_corpus", "lora_adapter", *TRIALS, "evaluated_adapter")

# One run a drop: from raw bytes to screened rows.
prove_drop = dg.define_asset_job(
    "prove_drop",
    selection=dg.AssetSelection.assets(*ROW_STAGES),
    executor_def=executor("prove_drop"),
    description="Prove one data drop: provenance, validation, sanitising, poison screen.",
)

# Everything admitted, into one candidate and its trial.
build_candidate = dg.define_asset_job(
    "build_candidate",
    selection=dg.AssetSelection.assets(*CANDIDATE_STAGES),
    executor_def=executor("build_candidate"),
    tags=run_tags(accelerated=True),
    description="Train a candidate on every admitted drop and put it on trial.",
)

# Only ever requested for a signed approval.
release = dg.define_asset_job(
    "release",
    selection=dg.AssetSelection.assets("approved_release"),
    description="Release a candidate whose approval is signed and bound to it.",
)

red_team_release = dg.define_asset_job(
    "red_team_release",
    selection=dg.AssetSelection.assets("release_red_team"),
    tags=run_tags(accelerated=True),
    description="Attack the current release again, with fresh seeds.",
)

ALL = (prove_drop, build_candidate, release, red_team_release)
