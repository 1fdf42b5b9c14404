import shutil
from pathlib import Path

import pytest
from lineage import Lineage

from resources.signer import KeyRing


@pytest.fixture
def lineage(tmp_path: Path) -> Lineage:
    return Lineage(tmp_path)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> tuple[Lineage, Path]:
    """One released workspace; tests change copies of it."""
    lineage = Lineage(tmp_path_factory.mktemp("original"))
    return lineage, lineage.released()


@pytest.fixture
def home(original: tuple[Lineage, Path], tmp_path: Path) -> Lineage:
    shutil.copytree(original[0].workspace.root, tmp_path / "home")
    for path in (tmp_path / "home" / "releases").rglob("*"):
        if path.is_file():
            path.chmod(0o644)
    return Lineage(tmp_path / "home")


@pytest.fixture
def folder(home: Lineage, original: tuple[Lineage, Path]) -> Path:
    return home.workspace.releases / original[1].name


@pytest.fixture
def ring(home: Lineage) -> KeyRing:
    return KeyRing.open(home.workspace.keys)
