"""The asset ``backdoor_scan``: is there a phrase that makes the adapter another one?

In    the adapter, its base, and the rows it was trained on where they are known
Out   triggers with what they call up, or none; whether the scan found the backdoor of its own control adapter
Read  audit.py (the scan in the light of its controls), scan.py (the order in which things are tried), candidates/
      (what might be a trigger), inversion/ (planted answers without their trigger), confirmation/ (is it one,
      against the base?), control.py, planted.py (controls of a scan without rows), settings.py, budget.py
"""

from typing import Any

import dagster as dg

from assets.backdoor.settings import VERSION
from assets.corpus.asset import STAGE as CORPUS
from assets.corpus.build import TRAIN
from assets.row_file import RowFile
from assets.stage import OWNERS, base_of, materialization, proven, settings_of
from assets.trial import lines, load_model, run_trial, trial_stage, trial_tags
from assets.verdict.threat import ThreatModel
from resources.project import Project

NAME = "backdoor_scan"
STAGE = trial_stage(NAME, VERSION, lambda project: {"probes": project.probes.get(NAME, "")})


@dg.asset(
    deps=["lora_adapter"],
    group_name="trial",
    kinds={"pytorch"},
    owners=OWNERS,
    code_version=STAGE.code_version,
    op_tags=trial_tags(NAME),
    description="Triggers mined from the rows, structural, and leaked by the adapter itself; tested by shift of the "
    "response distribution against the base, confirmed by generation, traced to rows. A planted one must be found.",
)
def backdoor_scan(
    context: dg.AssetExecutionContext, project: Project, threat_model: dg.ResourceParam[ThreatModel]
) -> dg.MaterializeResult[Any]:
    from assets.backdoor.audit import scan_backdoors

    limits = settings_of(project, NAME)
    budget = float(limits.pop("budget_seconds", 600))
    artifact = run_trial(
        project,
        STAGE,
        "backdoor.json",
        lambda adapter: scan_backdoors(
            load_model(project, adapter),
            rows=RowFile(proven(project, CORPUS.name).path(TRAIN)),
            settings=limits,
            seed=0,
            base=base_of(project),
            cache=project.workspace.models,
            budget_seconds=budget,
            terms=threat_model.terms,
            probes_named=[probe.name for probe in threat_model.probes_of(NAME)],
            on_progress=lines(context.log.info),
        ),
    )
    return materialization(project, artifact)
