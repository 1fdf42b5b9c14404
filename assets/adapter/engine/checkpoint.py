"""Checkpoints: what a killed run needs to end with the weights of an uninterrupted one.

Batches, learning rate and dropout are functions of seed and step, so a checkpoint is the flat weights, the optimiser's
two moments, the best weights so far where they are kept, and what was logged. It is written beside the last one and
counts once its ``state.json`` is there; it is safetensors and JSON, no pickle. A checkpoint of another job (recipe,
data, base, device) is not taken up.
"""

import dataclasses
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
TENSORS = "state.safetensors"


@dataclass(slots=True)
class Journal:
    """What has been logged so far. ``job`` is the digest of everything the weights depend on.

    ``secret`` seeds the sampling and the noise of DP-SGD, which must not follow from a published recipe; it is drawn
    once a job, lives in the checkpoints only and goes with them.
    """

    job: str
    step: int = 0
    seconds: float = 0.0
    tokens: int = 0
    losses: list[float] = field(default_factory=list)
    divergences: list[float] = field(default_factory=list)
    base_loss: float | None = None
    evaluations: list[dict[str, Any]] = field(default_factory=list)
    best_loss: float | None = None
    best_step: int = 0
    waited: int = 0
    stopped: str = ""
    secret: int = 0


def save(out: Path, journal: Journal, tensors: "dict[str, torch.Tensor]") -> None:
    """Write a checkpoint, then drop the one before it."""
    from safetensors.torch import save_file

    home = out / FOLDER
    folder = home / f"step-{journal.step:07d}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    save_file({name: tensor.detach().cpu() for name, tensor in tensors.items()}, folder / TENSORS)
    write_whole(folder / STATE, json.dumps(dataclasses.asdict(journal)).encode())
    for old in home.glob("step-*"):
        if old != folder:
            shutil.rmtree(old, ignore_errors=True)


def restore(out: Path, job: str) -> "tuple[Journal, dict[str, torch.Tensor]] | None":
    """The last whole checkpoint of this very job, if there is one; any other is removed."""
    from safetensors.torch import load_file

    for folder in sorted((out / FOLDER).glob("step-*"), reverse=True):
        if (folder / STATE).is_file():
            journal = Journal(**json.loads((folder / STATE).read_bytes()))
            if journal.job == job:
                return journal, load_file(folder / TENSORS)
    discard(out)
    return None


def discard(out: Path) -> None:
    """Remove the checkpoints, and with them the secret."""
    shutil.rmtree(out / FOLDER, ignore_errors=True)
