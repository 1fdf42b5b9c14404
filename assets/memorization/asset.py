"""The asset ``memorization_audit``: does the adapter recite, recognise or betray what it was trained on?

In    the adapter, its base, rows it was trained on and rows of the same kind that it was not
Out   what it recites (values, canaries, rows), and how well members are told from others
Read  audit.py (the trial), exposure.py (canaries), verbatim.py (recited rows), membership.py, statistics.py,
      vault_values.py (the removed values that it must not know)
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from assets.corpus.asset import STAGE as CORPUS
from assets.corpus.asset import settings_of as corpus_settings
from assets.corpus.build import HOLDOUT, TRAIN
from assets.corpus.canaries import SOURCE, delivery, draw
from assets.row_file import RowFile
from assets.stage import OWNERS, base_of, materialization, proven, records_of, settings_of
from assets.trial import lines, load_model, run_trial, trial_stage, trial_tags
from assets.verdict.threat import ThreatModel
from resources.project import Project
from resources.vault import Vault

NAME = "memorization_audit"
STAGE = trial_stage(NAME, "3", lambda project: {"probes": project.probes.get(NAME, "")})


@dg.asset(
    deps=["lora_adapter"],
    group_name="trial",
    kinds={"pytorch"},
    owners=OWNERS,
    code_version=STAGE.code_version,
    op_tags=trial_tags(NAME),
    description="Canary exposure, verbatim extraction and membership inference against the base, with an over-trained "
    "control that must be caught and the power of each test.",
)
def memorization_audit(
    context: dg.AssetExecutionContext, project: Project, threat_model: dg.ResourceParam[ThreatModel]
) -> dg.MaterializeResult[Any]:
    from assets.memorization.audit import audit_memorization

    corpus, settings = proven(project, CORPUS.name), corpus_settings(project)
    trained = RowFile(corpus.path(TRAIN))
    canaries = draw(pairs=settings.canary_pairs, seed=settings.seed)
    limits = settings_of(project, NAME)
    budget = float(limits.pop("budget_seconds", 600))
    # What no threat names is not tried, and the gates that ask for it say so: unproven, not passed.
    named = {probe.name for probe in threat_model.probes_of(NAME)}
    if not (recite := "prefix_extraction" in named):
        limits["ordinary_rows"] = 0
    artifact = run_trial(
        project,
        STAGE,
        "memorization.json",
        lambda adapter: audit_memorization(
            load_model(project, adapter),
            members=trained.where(lambda record: record.origin.source != SOURCE),
            non_members=RowFile(corpus.path(HOLDOUT)) if "membership_inference" in named else (),
            canaries=canaries if "canary_exposure" in named else (),
            delivered=delivery(canaries, trained),
            values=list(_values(project, corpus.manifest.details["drops"])) if recite else None,
            settings=limits,
            seed=settings.seed,
            base=base_of(project),
            cache=project.workspace.models,
            budget_seconds=budget,
            on_progress=lines(context.log.info),
        ),
    )
    return materialization(project, artifact)


def _values(project: Project, drops: list[str]) -> Iterator[Any]:
    """What was removed from the answers of these drops, from the vault."""
    from assets.memorization.vault_values import sensitive_values

    for drop in drops:
        vaults = (Vault(path, project.vault_secret(), name=path.name) for path in project.workspace.vault_files(drop))
        entries = [entry for vault in vaults for entry in vault.entries()]
        touched = {entry.row_id for entry in entries}
        before = records_of(proven(project, "validated_records", drop), project.line_cipher())
        yield from sensitive_values(entries, {row.row_id: row for row in before if row.row_id in touched})
