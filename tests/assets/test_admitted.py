"""Which drops are learnt: one's own in place of the sample, and corrections beside whatever they correct."""

from pathlib import Path

import yaml
from lineage import policy

from assets.corpus.admitted import admitted
from resources.artifacts import Metric
from resources.project import Project


def project(tmp_path: Path, **drops: tuple[str, str]) -> Project:
    """A workspace with these drops: ``name=(kind, source)``, each through its gates."""
    tmp_path.mkdir()
    rules = tmp_path / "policy.yaml"
    rules.write_text(yaml.safe_dump(policy().model_dump(mode="json", exclude_none=True)))
    made = Project(home=str(tmp_path / "home"), policy=str(rules))
    for name, (kind, source) in drops.items():
        for stage in ("raw_drop", "screened_records"):
            with made.artifacts.draft(stage, name, "1", {}) as draft:
                draft.seal(metrics={"harm": Metric(0.1, 500)}, details={"kind": kind, "source": source})
    return made


def test_the_sample_gives_way_to_own_data_and_not_to_a_correction_of_it(tmp_path: Path) -> None:
    sample, own, corrected = ("data", "sample"), ("data", "helpdesk"), ("feedback", "gateway")
    assert set(admitted(project(tmp_path / "1", a=sample, c=corrected))) == {"a", "c"}
    assert set(admitted(project(tmp_path / "2", a=sample, b=own, c=corrected))) == {"b", "c"}
    assert set(admitted(project(tmp_path / "3", a=sample))) == {"a"}
