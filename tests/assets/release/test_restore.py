"""A backup put into an empty home: the release verifies there, with public keys only, before anything is served."""

import shutil
from pathlib import Path

from lineage import Lineage

from assets.release.loader import verified_adapter
from assets.release.verify import check_release
from resources.decision_log import DecisionLog
from resources.signer import KeyRing
from resources.workspace import Workspace


def test_a_release_restored_into_an_empty_home_verifies_and_loads(lineage: Lineage, tmp_path: Path) -> None:
    before = lineage.released()
    home = Workspace(tmp_path / "restored")
    shutil.copytree(lineage.workspace.releases, home.releases)
    for public in lineage.workspace.keys.rglob("*.pub"):
        target = home.keys / public.relative_to(lineage.workspace.keys)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(public, target)
    for part in ("decisions.jsonl", "decisions.jsonl.head"):
        shutil.copy(lineage.workspace.root / part, home.root / part)
    log = DecisionLog(home.decisions)
    log.verify()
    assert check_release(home.releases / before.name, KeyRing.open(home.keys), log) == []
    with verified_adapter(home.releases, home.keys) as adapter:
        assert adapter is not None and (adapter / "adapter_model.safetensors").exists()
    assert not list(home.keys.rglob("*.key"))


def test_a_backup_that_lacks_a_file_does_not(lineage: Lineage, tmp_path: Path) -> None:
    before = lineage.released()
    shutil.copytree(lineage.workspace.releases, tmp_path / "backup")
    (tmp_path / "backup" / before.name / "training.json").unlink()
    assert check_release(tmp_path / "backup" / before.name, KeyRing.open(lineage.workspace.keys), lineage.log)
