"""Killed at any step and run again, a training ends with the weights of one that was never interrupted."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from assets.adapter.engine import checkpoint
from assets.adapter.recipe import Recipe
from assets.adapter.train import train
from assets.adapter.training import Step
from assets.record import Record
from resources.digests import digest_file

RECIPE = Recipe(rank=4, epochs=3, batch_size=4, learning_rate=0.02, checkpoint_every=2, dropout=0.1, patience=1)
ROOT = Path(__file__).parents[3]


class Killed(Exception):
    """Stands for a kill: nothing of the run goes on after it."""


def kill_at(step: int):
    def listen(seen: Step) -> None:
        if seen.step == step:
            raise Killed

    return listen


def digest(folder: Path) -> str:
    return digest_file(folder / "adapter_model.safetensors")


@pytest.fixture(scope="module")
def whole(base: Path, rows: list[Record], tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[float]]:
    out = tmp_path_factory.mktemp("whole")
    body = train(rows[:20], base, out, RECIPE, holdout=rows[20:])
    return digest(out), body["losses"]


@pytest.mark.parametrize("step", [1, 2, 7, 14])
def test_the_weights_are_bit_equal(
    whole: tuple[str, list[float]], base: Path, rows: list[Record], tmp_path: Path, step: int
) -> None:
    with pytest.raises(Killed):
        train(rows[:20], base, tmp_path, RECIPE, holdout=rows[20:], on_step=kill_at(step))
    assert not (tmp_path / "training.json").exists()
    seen: list[int] = []
    body = train(rows[:20], base, tmp_path, RECIPE, holdout=rows[20:], on_step=lambda done: seen.append(done.step))
    assert seen[0] == step // 2 * 2 + 1
    assert (digest(tmp_path), body["losses"]) == whole
    assert not (tmp_path / checkpoint.FOLDER).exists()


def test_killed_twice_it_still_arrives(
    whole: tuple[str, list[float]], base: Path, rows: list[Record], tmp_path: Path
) -> None:
    for step in (5, 9):
        with pytest.raises(Killed):
            train(rows[:20], base, tmp_path, RECIPE, holdout=rows[20:], on_step=kill_at(step))
    train(rows[:20], base, tmp_path, RECIPE, holdout=rows[20:])
    assert digest(tmp_path) == whole[0]


def test_a_checkpoint_of_another_job_is_not_taken_up(base: Path, rows: list[Record], tmp_path: Path) -> None:
    with pytest.raises(Killed):
        train(rows, base, tmp_path / "out", RECIPE, on_step=kill_at(5))
    other = dataclasses.replace(RECIPE, learning_rate=0.01)
    seen: list[int] = []
    train(rows, base, tmp_path / "out", other, on_step=lambda done: seen.append(done.step))
    assert seen[0] == 1
    train(rows, base, tmp_path / "clean", other)
    assert digest(tmp_path / "out") == digest(tmp_path / "clean")


def test_a_checkpoint_cut_off_while_it_was_written_does_not_count(
    base: Path, rows: list[Record], tmp_path: Path
) -> None:
    with pytest.raises(Killed):
        train(rows, base, tmp_path / "out", RECIPE, on_step=kill_at(5))
    half = tmp_path / "out" / checkpoint.FOLDER / "step-0000006"
    half.mkdir()
    (half / checkpoint.TENSORS).write_bytes(b"half")
    seen: list[int] = []
    train(rows, base, tmp_path / "out", RECIPE, on_step=lambda done: seen.append(done.step))
    assert seen[0] == 5


def test_a_process_killed_outright_goes_on_where_it_was(base: Path, rows: list[Record], tmp_path: Path) -> None:
    recipe = dataclasses.replace(RECIPE, epochs=40, patience=0)
    train(rows, base, tmp_path / "whole", recipe)
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row.to_json()) + "\n" for row in rows))
    (tmp_path / "recipe.yaml").write_text(json.dumps(recipe.to_json()))
    out = tmp_path / "out"
    command = [sys.executable, "-m", "assets.adapter.train", "--rows", str(tmp_path / "rows.jsonl"), "--base", str(base),
               "--out", str(out), "--recipe", str(tmp_path / "recipe.yaml")]  # fmt: skip
    child = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while not list((out / checkpoint.FOLDER).glob("step-*/state.json")) and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(child.pid, signal.SIGKILL)
    child.communicate()
    assert child.returncode == -signal.SIGKILL
    ended = subprocess.run(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    assert ended.returncode == 0, ended.stderr
    assert "step 240/240" in ended.stderr
    assert digest(out) == digest(tmp_path / "whole")
