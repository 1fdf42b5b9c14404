"""The asset ``screened_records``: rows that carry no pattern someone put there, against all earlier admitted drops.

In    sanitised records, and the admitted ones before them
Out   the rows that nothing speaks against; flagged rows quarantined with their finding; the power of this very
      screen
Read  screen.py (the stage as a list of rules), drop.py (a drop as the rules see it), pattern.py (what a rule
      finds), then the rules: association/, payload/, relevance/, repetition/, drift/, safety/; power/ (planted
      attacks), base_model/ (its word on suspects), report/ (findings in words), survey/ and sharded.py (a large
      drop in pieces)
"""

from typing import Any

import dagster as dg

from assets.sanitized.sharded import STAGE as SANITIZED
from assets.screened.report.heat_map import HeatMap
from assets.screened.sharded import SHARDS, STAGE, SURVEYS, build
from assets.shards.asset import sharded_asset
from assets.stage import materialization, warn_of_quarantine
from resources.artifacts import Artifact


def _report(context: dg.OpExecutionContext, artifact: Artifact) -> dg.MaterializeResult[Any]:
    project, details = context.resources.project, artifact.manifest.details
    findings = [finding["sentence"] for finding in details["open"]]
    for sentence in findings:
        context.log.warning(sentence)
    warn_of_quarantine(project, artifact)
    return materialization(
        project,
        artifact,
        findings=_listed(findings, "nothing found"),
        would_have_been_found=_listed([each["sentence"] for each in details["power"]], "not known"),
        usual_and_not_judged=_listed(details["usual"], "nothing"),
        heat_map=dg.MetadataValue.md(HeatMap.of(details["source_by_month"]).markdown()),
    )


def _listed(sentences: list[str], none: str) -> dg.MarkdownMetadataValue:
    return dg.MetadataValue.md("\n".join(f"- {sentence}" for sentence in sentences) or none)


screened_records = sharded_asset(
    STAGE,
    [SURVEYS, SHARDS],
    build,
    _report,
    before=SANITIZED.name,
    kinds={"scikitlearn", "jsonlines"},
    description="Rows that carry no planted pattern. Findings name trigger, payload, rows and statistic, and hold the "
    "drop until a person has decided; flagged rows are quarantined.",
)
