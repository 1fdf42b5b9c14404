"""Everything Dagster knows of Hallmark: the table of contents.

In    the assets, the checks, and where everything of this installation lies
Out   jobs, sensors and schedules; a terminal, a web application and an HTTP server for the same decisions
Read  jobs.py, sensors.py and schedules.py (when it runs), execution.py (where), command.py and commands/ (a terminal),
      lineage.py and plan.py (a run from there), desk/ (for people), gateway/ (for programs), ci/ (for CI servers)

Addresses come from the environment: ``HALLMARK_HOME``, ``HALLMARK_STORE``, ``HALLMARK_POLICY``, ``HALLMARK_BASE``,
``HALLMARK_RECIPE``, ``HALLMARK_GOLDEN``, ``HALLMARK_WEBHOOK``, ``HALLMARK_AUTHOR``. No model library is imported here.
"""

import os

import dagster as dg

from assets.adapter.asset import lora_adapter
from assets.backdoor.asset import backdoor_scan
from assets.corpus.asset import training_corpus
from assets.extraction.asset import extraction_audit
from assets.golden.asset import golden_evaluation
from assets.memorization.asset import memorization_audit
from assets.raw.asset import raw_drop
from assets.release.asset import approved_release, release_approval
from assets.sanitized.asset import sanitized_records
from assets.screened.asset import screened_records
from assets.served.asset import served_release
from assets.validated.asset import validated_records
from assets.verdict.asset import evaluated_adapter
from assets.watch.asset import release_red_team
from expectations.checks import build_checks
from expectations.policy import Policy
from expectations.suite import RecordSuite
from expectations.threats import PROBES, load_threats
from pipelines import execution, jobs, schedules, sensors
from pipelines.console import terminal_logger
from resources.process import settle
from resources.project import Project
from resources.workspace import Workspace

settle()  # a daemon, a code server and a pod's step begin here, and load torch later
policy = Policy.load()
threat_model = load_threats(policy)


def project() -> Project:
    """The installation that the environment describes."""

    def said(name: str) -> str:
        return os.environ.get(f"HALLMARK_{name}", "")

    return Project(
        home=str(Workspace.locate(None).root),
        store=said("STORE"),
        policy=said("POLICY"),
        base=said("BASE"),
        recipe=said("RECIPE"),
        golden=said("GOLDEN"),
        tried=int(said("TRIED") or 1),
        webhook=said("WEBHOOK"),
        author=said("AUTHOR"),
        spread=execution.spreads(),
        processes=execution.processes(),
        threats=threat_model.digest,
        probes={stage: threat_model.digest_of(stage) for stage in PROBES},
    )


defs = dg.Definitions(
    assets=[
        raw_drop,
        validated_records,
        sanitized_records,
        screened_records,
        training_corpus,
        lora_adapter,
        golden_evaluation,
        backdoor_scan,
        memorization_audit,
        extraction_audit,
        evaluated_adapter,
        release_approval,
        approved_release,
        served_release,
        release_red_team,
    ],
    asset_checks=build_checks(policy),
    jobs=jobs.ALL,
    sensors=sensors.ALL,
    schedules=schedules.ALL,
    resources={
        "project": project(),
        "threat_model": threat_model,
        "record_suite": RecordSuite,
        "pipes": execution.trainer(),
    },
    loggers={"console": terminal_logger},
)
