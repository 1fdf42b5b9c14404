"""Two processes, as ``accelerate launch`` starts them, train the adapter that one would."""

import dataclasses
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from assets.adapter.recipe import Recipe
from assets.adapter.train import train
from assets.record import Record

ROOT = Path(__file__).parents[4]


def launch(
    base: Path, folder: Path, recipe: Recipe, rows: list[Record], holdout: list[Record]
) -> list[tuple[int, str]]:
    """Two processes on one job, its adapter in ``folder/both``: exit status and stderr of each."""
    for name, part in (("rows", rows), ("holdout", holdout)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row.to_json()) + "\n" for row in part))
    (folder / "recipe.yaml").write_text(json.dumps(recipe.to_json()))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable, "-m", "assets.adapter.train", "--rows", str(folder / "rows.jsonl"), "--base", str(base),
        "--holdout", str(folder / "holdout.jsonl"), "--out", str(folder / "both"), "--recipe", str(folder / "recipe.yaml"),
    ]  # fmt: skip
    shared = {
        **os.environ, "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "OMP_NUM_THREADS": "1",
        "ACCELERATE_USE_CPU": "true", "LOCAL_WORLD_SIZE": "2",
    }  # fmt: skip
    children = [
        subprocess.Popen(
            command,
            cwd=ROOT,
            env={**shared, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    said = [child.communicate(timeout=240)[1] for child in children]
    return [(child.returncode, text) for child, text in zip(children, said, strict=True)]


@pytest.mark.parametrize("fsdp", [False, True])
def test_two_processes_share_the_batches(base: Path, rows: list[Record], tmp_path: Path, fsdp: bool) -> None:
    """Of 19 rows in batches of 3 the last batch leaves the second process nothing to learn."""
    learnt, batch = (rows[:19], 3) if fsdp else (rows[:20], 4)
    recipe = Recipe(rank=4, epochs=2, batch_size=batch, learning_rate=0.02, device="cpu", fsdp=fsdp)
    if fsdp:  # the same numbers, not only to the rounding of half precision
        recipe = dataclasses.replace(recipe, dtype="float32")
    alone = train(learnt, base, tmp_path / "alone", recipe, holdout=rows[20:])
    ended = launch(base, tmp_path, recipe, learnt, rows[20:])
    assert [status for status, _ in ended] == [0, 0], ended
    body = json.loads((tmp_path / "both" / "training.json").read_text())
    assert torch.allclose(torch.tensor(body["losses"]), torch.tensor(alone["losses"]), rtol=1e-4 if fsdp else 1e-3)
    assert body["evaluations"][-1]["loss"] - alone["evaluations"][-1]["loss"] < 1e-2
    ours, theirs = (load_file(tmp_path / name / "adapter_model.safetensors") for name in ("both", "alone"))
    assert ours.keys() == theirs.keys()
    flat = [torch.cat([tensor.flatten() for _, tensor in sorted(found.items())]) for found in (ours, theirs)]
    assert torch.cosine_similarity(*flat, dim=0) > 0.999


def test_noise_drawn_by_two_processes_is_refused(base: Path, rows: list[Record], tmp_path: Path) -> None:
    ended = launch(base, tmp_path, Recipe(device="cpu", dp_noise=1.0, batch_size=4), rows[:8], rows[20:])
    assert all(status == 2 and "dp_noise" in said for status, said in ended), ended
