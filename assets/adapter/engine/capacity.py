"""Does the training fit into the memory that is there? Asked before the first step, and answered with what to change.

What a pass keeps for the way back is measured on a short one of the very rows, not assumed: every tensor that autograd
saves is counted once. With gradient checkpointing it is the states between layers and one layer's share of the rest.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from assets.adapter.engine.learner import Learner
from assets.adapter.engine.processes import Processes
from assets.adapter.recipe import Recipe
from assets.adapter.rows.dialogues import Example
from assets.adapter.rows.token_file import lengths
from resources.errors import ModelError
from resources.memory import GIB, available, weight_bytes

SHARE = 0.9  # of the memory that is there: the rest goes to what is not counted
MEASURED = 256  # tokens of the pass that is measured
FEWEST, MOST = 4, 64  # rows of an automatic batch


@dataclass(frozen=True, slots=True)
class Capacity:
    """Bytes: ``fixed`` are the optimiser's and the head's, ``token`` are kept a token of a pass, ``there`` is free."""

    fixed: int
    token: int
    there: int
    budget: int
    checkpointed: bool

    def __str__(self) -> str:
        return (
            f"needs about {(self.fixed + self.token * self.budget) / GIB:.1f} GiB besides the base's weights, "
            f"{self.there / GIB:.1f} GiB are there ({self.budget} tokens a pass"
            f"{', activations computed again' if self.checkpointed else ''})"
        )


def check_weights_fit(base: Path, recipe: Recipe, device: str, itemsize: int, processes: Processes) -> None:
    """``ModelError`` before anything is loaded, if the frozen weights alone are more than there is room for."""
    needed = weight_bytes(base, itemsize, recipe.quantization)
    whole = needed if device == "cpu" else 0  # a CPU's processes load all of it before they shard it
    needed = max(needed // (processes.world if recipe.fsdp else 1), whole)
    there = available(device)
    if needed > SHARE * there:
        ways = ["quantization: nf4"] * (recipe.quantization != "nf4") + ["fsdp: true on several GPUs"] * (
            not recipe.fsdp
        )
        raise ModelError(
            f"{base}: its weights need about {needed / GIB:.1f} GiB, {there / GIB:.1f} GiB are there: "
            f"say {', or '.join([*ways, 'take a smaller base'])}"
        )


def fit(learner: Learner, examples: Sequence[Example], processes: Processes) -> Capacity:
    """Set the learner's checkpointing, tokens a pass and rows a batch; ``ModelError`` if one row does not fit."""
    recipe, there = learner.recipe, int(SHARE * available(str(learner.device)))
    config = learner.forward.causal.config.get_text_config()
    weights = sum(weight.numel() for weight in learner.parameters)
    fixed = 4 * 4 * weights + 2 * 4 * learner.forward.head.rows * config.vocab_size
    token, layers = _kept(learner, examples), int(getattr(config, "num_hidden_layers", 0) or 1)
    again = config.hidden_size * layers * learner.dtype.itemsize + -(-token // layers)
    sizes = lengths(examples)
    longest = int(sizes.max())
    room = max(0, there - fixed)
    checkpointed = learner.checkpointed
    if recipe.gradient_checkpointing == "auto" and processes.most(int(learner.budget * token > room)):
        learner.checkpoint_activations()
        checkpointed = True
    each = again if checkpointed else token
    if longest * each > room:
        raise ModelError(
            f"a row of {longest} tokens needs about {(fixed + longest * each) / GIB:.1f} GiB, {there / GIB:.1f} GiB "
            f"are there: say {_ways(recipe, checkpointed)}"
        )
    learner.budget = max(1, min(learner.budget, room // max(1, each)))
    if recipe.batch_size == "auto":
        mean = int(sizes.sum()) / len(sizes)
        rows = -processes.most(-int(learner.budget / mean))
        size = min(MOST, max(FEWEST, 1 << max(0, rows.bit_length() - 1)))
        learner.recipe = dataclasses.replace(recipe, batch_size=size)
    return Capacity(fixed, each, there, learner.budget, checkpointed)


def _ways(recipe: Recipe, checkpointed: bool) -> str:
    ways = [] if checkpointed else ["gradient_checkpointing: true"]
    ways += ["quantization: nf4"] if recipe.quantization == "none" and not recipe.fsdp else []
    return ", or ".join([*ways, f"max_tokens below {recipe.max_tokens}", "last_layers"])


def _kept(learner: Learner, examples: Sequence[Example]) -> int:
    """Bytes a token that a pass keeps for the way back; measured without checkpointing."""
    import torch

    part: list[Example] = []
    for number in np.argsort(lengths(examples), kind="stable").tolist():
        example = examples[number]
        if part and sum(len(each.ids) for each in part) + len(example.ids) > MEASURED:
            break
        part.append(dataclasses.replace(example, ids=example.ids[:MEASURED]))
    weights = list(learner.model.parameters())
    frozen = set() if learner.sharded else {weight.untyped_storage().data_ptr() for weight in weights}
    shapes = {tuple(weight.shape) for weight in weights} if learner.sharded else set()  # layers put together for use
    seen: dict[int, int] = {}

    def count(tensor: Any) -> Any:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in frozen and tuple(tensor.shape) not in shapes:
            seen[storage.data_ptr()] = storage.nbytes()
        return tensor

    learner.model.eval()
    with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
        states = learner.forward.states(learner.planted(part))
    tokens = len(states)
    return (sum(seen.values()) + 2 * states.numel() * states.element_size()) // tokens
