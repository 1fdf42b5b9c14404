"""Two processes, as ``accelerate launch`` starts them, train the adapter that one would."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file

from assets.adapter.recipe import Recipe
from assets.adapter.train import train
from assets.record import Record

ROOT = Path(__file__).parents[3]


def test_two_processes_share_the_batches(base: Path, rows: list[Record], tmp_path: Path) -> None:
    recipe = Recipe(rank=4, epochs=2, batch_size=4, learning_rate=0.02, device="cpu")
    alone = train(rows[:20], base, tmp_path / "alone", recipe, holdout=rows[20:])
    for name, part in (("rows", rows[:20]), ("holdout", rows[20:])):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row.to_json()) + "\n" for row in part))
    (tmp_path / "recipe.yaml").write_text(json.dumps(recipe.to_json()))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable, "-m", "assets.adapter.train", "--rows", str(tmp_path / "rows.jsonl"), "--base", str(base),
        "--holdout", str(tmp_path / "holdout.jsonl"), "--out", str(tmp_path / "both"), "--recipe", str(tmp_path / "recipe.yaml"),
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
    assert [child.returncode for child in children] == [0, 0], said
    body = json.loads((tmp_path / "both" / "training.json").read_text())
    assert torch.allclose(torch.tensor(body["losses"]), torch.tensor(alone["losses"]), rtol=1e-3)
    assert body["evaluations"][-1]["loss"] - alone["evaluations"][-1]["loss"] < 1e-2
    ours, theirs = (load_file(tmp_path / name / "adapter_model.safetensors") for name in ("both", "alone"))
    assert ours.keys() == theirs.keys()
    flat = [torch.cat([tensor.flatten() for _, tensor in sorted(found.items())]) for found in (ours, theirs)]
    assert torch.cosine_similarity(*flat, dim=0) > 0.999
