"""How many cores there are: the container's quota counts, not the node."""

import os
from pathlib import Path

import pytest

from resources.process import cores


@pytest.mark.parametrize(("quota", "expected"), [("50000 100000", 1), ("100000 100000", 1), ("max 100000", None)])
def test_a_container_has_what_its_quota_grants(tmp_path: Path, quota: str, expected: int | None) -> None:
    file = tmp_path / "cpu.max"
    file.write_text(quota + "\n")
    assert cores(file) == (expected or len(os.sched_getaffinity(0)))


def test_a_large_quota_grants_no_more_than_there_are(tmp_path: Path) -> None:
    file = tmp_path / "cpu.max"
    file.write_text("6400000 100000\n")
    assert cores(file) == len(os.sched_getaffinity(0))


def test_without_a_quota_file_the_affinity_counts(tmp_path: Path) -> None:
    assert cores(tmp_path / "absent") == len(os.sched_getaffinity(0))
