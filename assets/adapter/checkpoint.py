"""Checkpoints: what a killed run needs to end with the weights of an uninterrupted one.

Batches, learning rate and dropout are functions of seed and step, so a checkpoint is the weights, the optimiser's two
moments, and what was logged. It is written beside the last one and put in its place by a rename; it is safetensors and
JSON, no pickle. A checkpoint of another job (recipe, data, base, device) is not taken up.
"""

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from resources.artifacts import write_whole

if TYPE_CHECKING:
    import torch

FOLDER = ".checkpoints"
STATE = "state.json"


@dataclass(slots=True)
class Journal:
    """What has been logged so far. ``job`` is the digest of everything the weights depend on."""

    job: str
    step: int = 0
    seconds: float = 0.0
    tokens: int = 0
    losses: list[float] = field(default_factory=list)
    evaluations: list[dict[str, Any]] = field(default_factory=list)
    best_step: int = 0
    stopped: str = ""


def save(
    out: Path, journal: Journal, weights: dict[str, "torch.Tensor"], optimizer: "torch.optim.Optimizer"
) -> None:
    """Write a checkpoint, then drop the one before it."""
    from safetensors.torch import save_file

    home = out / FOLDER
    folder = home / f"step-{journal.step:07d}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    tensors = {f"weight.{name}": weight.detach().contiguous() for name, weight in weights.items()}
    for name, weight in weights.items():
        for moment in ("exp_avg", "exp_avg_sq"):
            if weight in optimizer.state:
                tensors[f"{moment}.{name}"] = optimizer.state[weight][moment].contiguous()
    save_file(tensors, folder / "state.safetensors")
    body = {name: getattr(journal, name) for name in Journal.__slots__}
    write_whole(folder / STATE, json.dumps(body).encode())  # last: a folder without it is no checkpoint
    for old in home.glob("step-*"):
        if old != folder:
            shutil.rmtree(old, ignore_errors=True)


def restore(
    out: Path, job: str, weights: dict[str, "torch.Tensor"], optimizer: "torch.optim.Optimizer"
) -> Journal:
    """Take up the last checkpoint of this very job, or start a new journal."""
    import torch
    from safetensors.torch import load_file

    for folder in sorted((out / FOLDER).glob("step-*"), reverse=True):
        if not (folder / STATE).is_file():
            continue
        journal = Journal(**json.loads((folder / STATE).read_bytes()))
        if journal.job != job:
            continue
        tensors = load_file(folder / "state.safetensors")
        with torch.no_grad():
            for name, weight in weights.items():
                weight.copy_(tensors[f"weight.{name}"])
                if f"exp_avg.{name}" in tensors:
                    optimizer.state[weight] = {
                        "step": torch.tensor(float(journal.step)),
                        "exp_avg": tensors[f"exp_avg.{name}"].to(weight.device),
                        "exp_avg_sq": tensors[f"exp_avg_sq.{name}"].to(weight.device),
                    }
        return journal
    shutil.rmtree(out / FOLDER, ignore_errors=True)
    return Journal(job)


def discard(out: Path) -> None:
    shutil.rmtree(out / FOLDER, ignore_errors=True)
