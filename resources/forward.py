"""Running a causal model over packed trees, with logits only where they are wanted.

``Forward`` drives a transformers model in the fastest form in which it gives its own numbers. Which that is, is not
assumed: ``resources.probe`` compares, before anything is computed in earnest.

    packed    one row with shared prefixes (``resources.tree_attention``): attention alone mixes tokens
    padded    the model's own forward on batches padded at the end: whatever reads from left to right
    single    the same, one sequence at a time
"""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from resources.base_model import decoder_of
from resources.head import Head
from resources.kept_states import KeptStates
from resources.tree import ROUND, SHORTEST_SHARED, Tree, common_prefix, plant
from resources.tree_attention import register
from resources.trunk import Trunk

if TYPE_CHECKING:
    import torch

# Real tokens in one packed row: on a CPU what its caches hold, on a GPU what its memory holds with room to spare.
TOKENS_PER_PASS = {"cpu": 1024, "cuda": 16384}
ALIKE = 128  # tokens that long sequences have in common to be read together
ATTENDED = 8  # times as many may be attended to, where sequences share what they begin with

Form = Literal["packed", "padded", "single"]
Decoding = Literal["packed", "cached", "whole"]


@dataclass(slots=True)
class Forward:
    """``model`` is a transformers causal model, possibly wrapped by PEFT. ``form`` is found out on construction.

    ``decoding`` is how it generates (``resources.decoding``), found out when it first does. ``ModelError`` where it is
    no causal language model.
    """

    model: Any
    form: Form = "packed"
    decoding: Decoding | None = None
    trunk: Trunk = field(init=False)
    head: Head = field(init=False)

    def __post_init__(self) -> None:
        from resources.probe import settle

        register()
        self.trunk, self.head = Trunk(self.decoder), Head(self.causal)
        settle(self)

    @property
    def causal(self) -> Any:
        """The transformers model itself, adapter layers inside it."""
        return self.model.get_base_model() if hasattr(self.model, "get_base_model") else self.model

    @property
    def decoder(self) -> Any:
        return decoder_of(self.causal)

    @property
    def packed(self) -> bool:
        return self.form == "packed"

    def states(self, tree: Tree) -> "torch.Tensor":
        """Last hidden states of the packed row, [T, hidden]."""
        return self.trunk.states(tree) if self.packed else self.own_states(tree)

    def sharing(self, shelf: KeptStates | None = None) -> contextlib.AbstractContextManager[None]:
        """While it is open, what the adapter leaves as it is gets computed once for readings with and without it.

        On the ``shelf`` it is kept for the next candidate.
        """
        return self.trunk.sharing(shelf)

    def own_states(self, tree: Tree) -> "torch.Tensor":
        """The same by the model's own forward, a sequence a row: it never reads what follows a sequence."""
        import torch

        budget = TOKENS_PER_PASS.get(tree.ids.device.type, TOKENS_PER_PASS["cpu"]) if self.form != "single" else 1
        source = np.zeros(tree.ids.shape[1], np.int64)
        batches, begun = [], 0
        for paths in _padded(tree.paths, budget):
            width = max(len(path) for path in paths)
            places = np.zeros((len(paths), width), np.int64)
            for row, path in enumerate(paths):
                places[row, : len(path)] = path
                source[path] = begun + row * width + np.arange(len(path))
            ids = tree.ids[0, torch.from_numpy(places).to(tree.ids.device)]
            batches.append(self.decoder(input_ids=ids, use_cache=False).last_hidden_state.flatten(0, 1))
            begun += len(batches[-1])
        return torch.cat(batches).index_select(0, torch.from_numpy(source).to(tree.ids.device))


def _padded(paths: Sequence[np.ndarray], budget: int) -> Iterator[list[np.ndarray]]:
    """The paths, in order, in batches of at most ``budget`` tokens when padded (or one path)."""
    batch: list[np.ndarray] = []
    width = 0
    for path in paths:
        wider = max(width, len(path))
        if batch and wider * (len(batch) + 1) > budget:
            yield batch
            batch, wider = [], len(path)
        batch.append(path)
        width = wider
    yield batch


@dataclass(frozen=True, slots=True)
class Batch:
    """Groups of (prefix, continuations) that go through the model together; ``order[i]`` names continuation i."""

    groups: list[tuple[tuple[int, ...], list[Sequence[int]]]]
    order: list[int]


def plan_batches(pairs: Sequence[tuple[Sequence[int], Sequence[int]]], forward: Forward) -> Iterator[Batch]:
    """Pairs (prefix, continuation) grouped by prefix, sorted by length, cut at the device's token budget.

    What all prefixes of a batch begin with is in a packed row once, and counts once. Every group attends to it by
    itself, so the sum of their whole lengths has a bound, too.
    """
    together: dict[tuple[int, ...], list[int]] = {}
    for index, (prefix, _) in enumerate(pairs):
        together.setdefault(tuple(prefix), []).append(index)
    budget = TOKENS_PER_PASS.get(forward.causal.device.type, TOKENS_PER_PASS["cpu"])
    longest = budget * (ATTENDED if forward.packed else 1)

    def size(prefix: tuple[int, ...]) -> int:
        return len(prefix) + sum(len(pairs[index][1]) for index in together[prefix])

    batch, used, shared = Batch([], []), 0, 0
    # Long ones that begin alike, with the same tools or the same document, come together.
    for prefix in sorted(
        together, key=lambda prefix: (prefix[:ALIKE] if len(prefix) > ALIKE else (), size(prefix), prefix)
    ):
        for indices in _split(together[prefix], pairs, budget):
            cost = len(prefix) + sum(len(pairs[index][1]) for index in indices)
            common = common_prefix([batch.groups[0][0][:shared], prefix]) if batch.groups else len(prefix)
            spared = len(batch.groups) * common if common >= SHORTEST_SHARED else 0
            lost = (len(batch.groups) - 1) * shared - spared  # what the batch would no longer share
            if batch.order and (used + cost > longest or used + cost - spared > budget or lost > ROUND):
                yield batch
                batch, used, common = Batch([], []), 0, len(prefix)
            shared = common
            batch.groups.append((prefix, [pairs[index][1] for index in indices]))
            batch.order.extend(indices)
            used += cost
    if batch.order:
        yield batch


def _split(
    indices: list[int], pairs: Sequence[tuple[Sequence[int], Sequence[int]]], budget: int
) -> Iterator[list[int]]:
    """One prompt's continuations in chunks of at most ``budget`` tokens (or one continuation)."""
    chunk: list[int] = []
    used = 0
    for index in indices:
        if chunk and used + len(pairs[index][1]) > budget:
            yield chunk
            chunk, used = [], 0
        chunk.append(index)
        used += len(pairs[index][1])
    yield chunk


def log_probabilities(forward: Forward, batch: Batch) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """``(index, log-probabilities, first choices)`` for every continuation of a batch.

    Of its tokens: float32, and bool, whether each is the one that the model finds likeliest there.
    """
    import torch

    causal = forward.causal
    with torch.inference_mode():
        tree = plant(batch.groups, device=causal.device, dtype=causal.dtype)
        states = forward.states(tree)
        tails = [len(continuation) for _, continuations in batch.groups for continuation in continuations]
        paths = list(zip(tree.paths, tails, strict=True))
        before = np.concatenate([path[len(path) - tail - 1 : len(path) - 1] for path, tail in paths])
        wanted = np.concatenate([path[len(path) - tail :] for path, tail in paths])
        targets = tree.ids[0, torch.from_numpy(wanted).to(causal.device)]
        scores, first = forward.head.scores(states[torch.from_numpy(before).to(causal.device)], targets)
        flat, chosen_first = scores.cpu().numpy(), first.cpu().numpy()
    cuts = np.cumsum(tails)[:-1]
    yield from zip(batch.order, np.split(flat, cuts), np.split(chosen_first, cuts), strict=True)
