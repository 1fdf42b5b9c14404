"""The script for a GPU runs without one at a tiny size, and says what its figures are worth."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks import device_check

ROOT = Path(__file__).parents[2]


def test_training_and_use_are_measured_and_nothing_is_claimed_of_a_device(tmp_path: Path) -> None:
    found = {"build": device_check.build("tiny", tmp_path / "base")}
    for part in ("hallmark bf16", "hallmark use"):
        found[part] = device_check.PARTS[part]("tiny", tmp_path)
    assert found["hallmark bf16"]["tokens_per_second"] > 0
    assert found["hallmark use"]["scored_per_second"] > 0 < found["hallmark use"]["generated_per_second"]
    assert "Every figure above needs a device" in device_check.table(found, "", None)
    on_a_card = device_check.table(found, "NVIDIA H100", device_check.PEAK["H100"])
    assert "Measured on NVIDIA H100" in on_a_card and "%" in on_a_card


@pytest.mark.long
def test_every_part_ends_with_a_figure_or_a_reason(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.benchmarks.device_check", "--size", "tiny", "--work", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert [line["part"] for line in found] == ["build", *device_check.PARTS]
    assert all({"tokens_per_second", "scored_per_second", "trials", "missing", "weights"} & set(line) for line in found)
