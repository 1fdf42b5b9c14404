"""The asset ``evaluated_adapter`` in Dagster: what the page shows, and when a recorded verdict is made again."""

from pathlib import Path

import dagster as dg
import pytest
import yaml
from lineage import Lineage, with_metric

from assets.verdict import asset
from assets.verdict.asset import STAGE, evaluated_adapter
from assets.verdict.threat import ThreatModel
from resources.artifacts import Metric
from resources.project import Project


@pytest.fixture
def project(lineage: Lineage, tmp_path: Path) -> Project:
    """An installation over the made-up lineage, with its policy in a file."""
    body = lineage.policy.model_dump(mode="json", exclude_none=True)
    gate = {"name": "verdict_gate", "stage": "evaluated_adapter", "metric": "flaws", "max": 0}
    path = tmp_path / "policy.yaml"
    path.write_text(yaml.safe_dump({**body, "gates": [*body["gates"], gate]}))
    return Project(home=str(lineage.workspace.root), policy=str(path), threats=lineage.threats.digest)


def materialized(project: Project, threats: ThreatModel) -> dict[str, dg.MetadataValue]:
    result = dg.materialize([evaluated_adapter], resources={"project": project, "threat_model": threats})
    return dict(result.asset_materializations_for_node("evaluated_adapter")[0].metadata)


def test_the_page_in_the_ui_leads_with_the_verdict_and_links_the_dossier(lineage: Lineage, project: Project) -> None:
    lineage.stages(with_metric("backdoor_scan", Metric(0.9, 500)))
    shown = materialized(project, lineage.threats)
    told = str(shown["summary"].value)
    assert told.startswith("### Candidate `") and "✗ fail" in told.splitlines()[0]
    assert "| `backdoor_scan_gate` | ✗ fail |" in told and "| Harm | ✗ fail |" in told
    page = project.artifacts.current("evaluated_adapter").path("dossier.html")  # type: ignore[union-attr]
    assert shown["dossier"].value == page.as_uri() and page.as_uri() in told
    assert f"hallmark report {shown['candidate'].value} --open" in told


def test_it_is_found_again_until_the_code_that_assembles_it_changes(
    lineage: Lineage, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    lineage.stages()
    materialized(project, lineage.threats)
    first = STAGE.found(project)
    materialized(project, lineage.threats)
    assert first is not None and STAGE.found(project).manifest == first.manifest  # type: ignore[union-attr]
    monkeypatch.setattr(asset, "assembly_digest", lambda: "another version of the code")
    assert STAGE.found(project) is None
    materialized(project, lineage.threats)
    again = project.artifacts.current("evaluated_adapter")
    assert again is not None and again.manifest.key != first.manifest.key
    assert again.manifest.details["evaluation"] == first.manifest.details["evaluation"]
