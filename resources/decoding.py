"""Generation in batches, with a key-value cache that is written once and never copied.

The usual loop appends to its cache by copying all of it for every token and repeats keys for every query head; on a
small model that costs as much as the model itself. Here the prompts run as one packed tree (what they share is computed
once), their keys and values go into a buffer as wide as the longest answer, right-aligned so that every row writes the
same column, and query heads are folded instead of repeated. Rows that have ended leave the batch.

Sampling draws one uniform number a token from a stream of its own for each prompt, so that what a prompt yields depends
on the seed and its place in the list, not on its company in the batch.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from resources.forward import Forward
from resources.head import Head
from resources.tree import Tree, plant

if TYPE_CHECKING:
    import torch

BATCH = {"cpu": 64, "cuda": 256}
SHRINK = 0.75  # the batch is compacted when fewer than this share of its rows go on


def decode(
    forward: Forward,
    prompts: Sequence[Sequence[int]],
    stop: frozenset[int],
    *,
    max_new_tokens: int,
    temperature: float = 0.0,
    seed: int = 0,
) -> list[list[int]]:
    """New tokens after each prompt (token ids), without the stop token. Greedy at temperature 0."""
    import torch

    outputs: list[list[int]] = [[] for _ in prompts]
    order = sorted(range(len(prompts)), key=lambda index: len(prompts[index]))
    size = BATCH.get(forward.causal.device.type, BATCH["cpu"])
    with torch.inference_mode():
        for start in range(0, len(order), size):
            chosen = order[start : start + size]
            draw = _Draw(temperature, seed, chosen)
            batch = [tuple(prompts[index]) for index in chosen]
            made = (_decode_batch if forward.packed else _decode_plainly)(forward, batch, stop, max_new_tokens, draw)
            for index, tokens in zip(chosen, made, strict=True):
                outputs[index] = tokens
    return outputs


class _Draw:
    """Chooses the next token of each row: the likeliest, or a sample at a temperature."""

    def __init__(self, temperature: float, seed: int, indices: Sequence[int]) -> None:
        self.temperature = temperature
        self.streams = [np.random.default_rng([seed, index]) for index in indices]

    def __call__(self, head: Head, states: "torch.Tensor", rows: Sequence[int]) -> "torch.Tensor":
        import torch

        if not self.temperature:
            return head.first(states)
        logits = head.logits(states)
        mass = (logits / self.temperature).softmax(dim=1).cumsum(dim=1)
        uniform = torch.tensor([[self.streams[row].random()] for row in rows], device=logits.device)
        drawn = torch.searchsorted(mass, uniform * mass[:, -1:], right=True)[:, 0]
        return drawn.clamp_max(logits.shape[1] - 1)


class _Cache:
    """Keys and values [batch, heads, columns, size] of every layer; what transformers' layers call ``update`` on."""

    def __init__(self, tree: Tree, width: int, columns: int) -> None:
        import torch

        self.layers: list[list[torch.Tensor]] = []
        self.width, self.columns = width, columns
        self.filled = 0
        places = np.zeros((len(tree.paths), width), np.int64)
        for row, path in enumerate(tree.paths):
            places[row, width - len(path) :] = path
        self.places = torch.from_numpy(places.ravel()).to(tree.ids.device)
        self.rows = len(tree.paths)

    def update(
        self, key: "torch.Tensor", value: "torch.Tensor", layer: int, *_: Any, **__: Any
    ) -> "tuple[torch.Tensor, torch.Tensor]":
        if not self.filled:
            self.layers.append([self._spread(packed) for packed in (key, value)])
            return key, value
        seen = self.filled + 1
        for buffer, new in zip(self.layers[layer], (key, value), strict=True):
            buffer[:, :, self.filled : seen] = new
        keys, values = self.layers[layer]
        return keys[:, :, :seen], values[:, :, :seen]

    def _spread(self, packed: "torch.Tensor") -> "torch.Tensor":
        """From the packed row [1, heads, T, size] to right-aligned rows, with room for the answer."""
        _, heads, _, size = packed.shape
        buffer = packed.new_zeros(self.rows, heads, self.columns, size)
        rows = packed[0].index_select(1, self.places).view(heads, self.rows, self.width, size)
        buffer[:, :, : self.width] = rows.transpose(0, 1)
        return buffer

    def keep(self, rows: "torch.Tensor") -> None:
        """Go on with these rows only."""
        self.layers = [[buffer.index_select(0, rows) for buffer in pair] for pair in self.layers]


def _decode_batch(
    forward: Forward, prompts: Sequence[tuple[int, ...]], stop: frozenset[int], new_tokens: int, draw: _Draw
) -> list[list[int]]:
    import torch

    causal = forward.causal
    device, dtype = causal.device, causal.dtype
    # A prompt's last token is its group's continuation, so that equal prompts stay rows of their own.
    tree = plant([(prompt[:-1], [prompt[-1:]]) for prompt in prompts], device=device, dtype=dtype)
    lengths = [len(prompt) for prompt in prompts]
    width = max(lengths)
    cache = _Cache(tree, width, width + new_tokens)
    mask = torch.zeros(len(prompts), 1, 1, width + new_tokens, dtype=dtype, device=device)
    for row, length in enumerate(lengths):
        mask[row, :, :, : width - length] = torch.finfo(dtype).min
    last = torch.tensor([path[-1] for path in tree.paths], device=device)
    outputs: list[list[int]] = [[] for _ in prompts]
    going = list(range(len(prompts)))  # the row of the batch at each place of the tensors
    done = [False] * len(prompts)
    positions = torch.tensor(lengths, device=device)
    decoder = causal.get_decoder()
    output = decoder(**tree.inputs, past_key_values=cache, use_cache=True, tree=tree)
    states = output.last_hidden_state[0].index_select(0, last)
    cache.filled = width
    for step in range(new_tokens):
        tokens = draw(forward.head, states, going)
        for row, token in zip(going, tokens.tolist(), strict=True):
            if not done[row]:
                done[row] = token in stop
                if not done[row]:
                    outputs[row].append(token)
        left = [place for place, row in enumerate(going) if not done[row]]
        if not left or step == new_tokens - 1:
            break
        if len(left) < SHRINK * len(going):
            rows = torch.tensor(left, device=device)
            cache.keep(rows)
            tokens, positions, mask = tokens[rows], positions[rows], mask[rows]
            going = [going[place] for place in left]
        seen = mask[..., : cache.filled + 1]
        output = decoder(
            input_ids=tokens[:, None], position_ids=positions[:, None], attention_mask=seen,
            past_key_values=cache, use_cache=True, decode_mask=seen,
        )  # fmt: skip
        states = output.last_hidden_state[:, 0]
        cache.filled += 1
        positions = positions + 1
    return outputs


def _decode_plainly(
    forward: Forward, prompts: Sequence[tuple[int, ...]], stop: frozenset[int], new_tokens: int, draw: _Draw
) -> list[list[int]]:
    """For a model that the packed form does not fit: one prompt at a time, through its own forward and cache."""
    import torch

    outputs: list[list[int]] = []
    decoder = forward.causal.get_decoder()
    for row, prompt in enumerate(prompts):
        made: list[int] = []
        ids, past = torch.tensor([prompt], device=forward.causal.device), None
        while len(made) < new_tokens:
            output = decoder(input_ids=ids, past_key_values=past, use_cache=True)
            past = output.past_key_values
            token = int(draw(forward.head, output.last_hidden_state[:, -1], [row])[0])
            if token in stop:
                break
            made.append(token)
            ids = torch.tensor([[token]], device=forward.causal.device)
        outputs.append(made)
    return outputs
