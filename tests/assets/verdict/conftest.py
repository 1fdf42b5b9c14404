from pathlib import Path

import pytest
from lineage import Lineage


@pytest.fixture
def lineage(tmp_path: Path) -> Lineage:
    return Lineage(tmp_path)
