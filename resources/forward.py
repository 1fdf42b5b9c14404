"""Running a causal model over packed trees, with logits only where they are wanted.

``Forward`` drives any transformers decoder through ``tree_attention``. Whether that is the same computation is not
assumed: the first use compares it with the model's own forward on a probe, and a model that differs (an attention
variant, a scaled output head) is run sequence by sequence through its own forward instead: slower, equally right.
"""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from resources.head import Head
from resources.tree import NAME, Tree, plant, tree_attention
from resources.trunk import Trunk

if TYPE_CHECKING:
    import torch

# Real tokens in one packed row: on a CPU what its caches hold, on a GPU what its memory holds with room to spare.
TOKENS_PER_PASS = {"cpu": 1024, "cuda": 16384}


@dataclass(slots=True)
class Forward:
    """``model`` is a transformers causal model, possibly wrapped by PEFT. ``packed`` is found out on construction."""

    model: Any
    packed: bool = True
    trunk: Trunk = field(init=False)
    head: Head = field(init=False)

    def __post_init__(self) -> None:
        from transformers import AttentionInterface, AttentionMaskInterface
        from transformers.masking_utils import sdpa_mask

        AttentionInterface.register(NAME, tree_attention)
        AttentionMaskInterface.register(NAME, sdpa_mask)
        usual = self.causal.config._attn_implementation
        self.trunk, self.head = Trunk(self.causal.get_decoder()), Head(self.causal)
        self.packed = self._agrees()
        if not self.packed:
            self.causal.set_attn_implementation(usual)

    @property
    def causal(self) -> Any:
        """The transformers model itself, adapter layers inside it."""
        return self.model.get_base_model() if hasattr(self.model, "get_base_model") else self.model

    def states(self, tree: Tree) -> "torch.Tensor":
        """Last hidden states of the packed row, [T, hidden]."""
        return self.trunk.states(tree) if self.packed else self._plain_states(tree)

    def sharing(self) -> contextlib.AbstractContextManager[None]:
        """While it is open, what the adapter leaves as it is gets computed once for readings with and without it."""
        return self.trunk.sharing()

    def _plain_states(self, tree: Tree) -> "torch.Tensor":
        import torch

        decoder = self.causal.get_decoder()
        rows: list[torch.Tensor | None] = [None] * tree.ids.shape[1]
        for path in tree.paths:
            states = decoder(input_ids=tree.ids[:, path], use_cache=False).last_hidden_state[0]
            for place, state in zip(path, states, strict=True):
                rows[place] = state
        filler = torch.zeros_like(next(row for row in rows if row is not None))
        return torch.stack([filler if row is None else row for row in rows])

    def _agrees(self) -> bool:
        """Whether the packed form gives the model's own numbers; ``ModelError`` if its head is not understood."""
        import torch

        from resources.errors import ModelError

        causal = self.causal
        # From the midst of the vocabulary: what special tokens out of place do to a model is chaos in bfloat16.
        size = causal.config.get_text_config().vocab_size
        tokens = [size * place // 13 for place in range(2, 11)]
        probe = [(tuple(tokens[:6]), [[tokens[6]], [tokens[7], tokens[1]]])]
        probe.append((probe[0][0][:5], [[tokens[8]]]))
        tree = plant(probe, device=causal.device, dtype=causal.dtype)
        with torch.inference_mode():
            plain = self._plain_states(tree)
            path = tree.paths[1]
            own = causal(input_ids=tree.ids[:, path], use_cache=False).logits[0].float()
            if not _close(self.head.logits(plain[path]), own, causal.dtype):
                raise ModelError(f"the output head of {type(causal).__name__} is not one Hallmark understands")
            try:
                causal.set_attn_implementation(NAME)
                packed = self.trunk.states(tree)
                with self.sharing():
                    again = [self.trunk.states(tree) for _ in range(2)][1]
            except (NotImplementedError, TypeError, ValueError, RuntimeError, AttributeError):
                return False
            used = np.concatenate(tree.paths)
            if not _close(again[used], packed[used], causal.dtype):  # states are scaled on their way in, as in Gemma
                self.trunk.depth = 0
            return _close(packed[used], plain[used], causal.dtype)


def _close(found: "torch.Tensor", wanted: "torch.Tensor", dtype: "torch.dtype") -> bool:
    """Equal up to rounding, row by row: a wrong mask or position moves a whole row."""
    import torch

    tolerance = 1e-3 if dtype == torch.float32 else 0.1
    distance = (found.float() - wanted.float()).norm(dim=1) / wanted.float().norm(dim=1).clamp_min(1e-6)
    return bool(distance.max() <= tolerance)


@dataclass(frozen=True, slots=True)
class Batch:
    """Groups of (prefix, continuations) that go through the model together; ``order[i]`` names continuation i."""

    groups: list[tuple[tuple[int, ...], list[Sequence[int]]]]
    order: list[int]


def plan_batches(pairs: Sequence[tuple[Sequence[int], Sequence[int]]], device: "torch.device") -> Iterator[Batch]:
    """Pairs (prefix, continuation) grouped by prefix, sorted by length, cut at the device's token budget."""
    together: dict[tuple[int, ...], list[int]] = {}
    for index, (prefix, _) in enumerate(pairs):
        together.setdefault(tuple(prefix), []).append(index)
    budget = TOKENS_PER_PASS.get(device.type, TOKENS_PER_PASS["cpu"])

    def size(prefix: tuple[int, ...]) -> int:
        return len(prefix) + sum(len(pairs[index][1]) for index in together[prefix])

    batch, used = Batch([], []), 0
    for prefix in sorted(together, key=lambda prefix: (size(prefix), prefix)):
        for indices in _split(together[prefix], pairs, budget):
            cost = len(prefix) + sum(len(pairs[index][1]) for index in indices)
            if batch.order and used + cost > budget:
                yield batch
                batch, used = Batch([], []), 0
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
