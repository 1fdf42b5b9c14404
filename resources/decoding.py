"""Generation in batches, with a key-value cache that is written once and never copied.

The usual loop appends to its cache by copying all of it for every token and repeats keys for every query head; on a
small model that costs as much as the model itself. Here the prompts run as one packed tree (what they share is computed
once), their keys and values go into a buffer as wide as the longest answer, right-aligned so that every row writes the
same column, and query heads are folded instead of repeated. Rows that have ended leave the batch.

Where a model does not follow itself that way (``resources.probe`` tries it), prompts of one length go through its own
``generate``, and where its own cache does not hold either, every token is computed from the whole sequence.

Sampling draws one uniform number a token from a stream of its own for each prompt, so that what a prompt yields depends
on the seed and its place in the list, not on its company in the batch.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from resources.forward import Decoding, Forward
from resources.head import Head
from resources.probe import settle_decoding
from resources.tree import Tree, plant
from resources.tree_attention import Step, reading

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

    if forward.decoding is None:
        settle_decoding(forward)
    way = WAYS[forward.decoding or "whole"]
    outputs: list[list[int]] = [[] for _ in prompts]
    order = sorted(range(len(prompts)), key=lambda index: len(prompts[index]))
    size = BATCH.get(forward.causal.device.type, BATCH["cpu"])
    with torch.inference_mode():
        for start in range(0, len(order), size):
            chosen = order[start : start + size]
            draw = _Draw(temperature, seed, chosen)
            made = way(forward, [tuple(prompts[index]) for index in chosen], stop, max_new_tokens, draw)
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


class Dictation:
    """In place of a draw: says given tokens, and hears the states that each of them was drawn from."""

    def __init__(self, spoken: Sequence[Sequence[int]]) -> None:
        self.spoken = spoken
        self.heard: list[list[torch.Tensor]] = [[] for _ in spoken]

    def __call__(self, head: Head, states: "torch.Tensor", rows: Sequence[int]) -> "torch.Tensor":
        import torch

        said = [self.spoken[row][len(self.heard[row])] for row in rows]
        for row, state in zip(rows, states, strict=True):
            self.heard[row].append(state)
        return torch.tensor(said, device=states.device)

    @property
    def states(self) -> "torch.Tensor":
        """[rows x tokens, hidden], row by row."""
        import torch

        return torch.stack([state for row in self.heard for state in row])


Draw = _Draw | Dictation


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

    def get_seq_length(self, *_: Any) -> int:
        return self.filled

    def get_query_offset(self, *_: Any) -> int:
        return self.filled

    def get_mask_sizes(self, tokens: int, *_: Any) -> tuple[int, int]:
        return self.filled + tokens, 0

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
    forward: Forward, prompts: Sequence[tuple[int, ...]], stop: frozenset[int], new_tokens: int, draw: Draw
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
    columns = torch.arange(width + new_tokens, device=device)
    decoder = forward.decoder
    with reading(tree):
        output = decoder(**tree.inputs, past_key_values=cache, use_cache=True)
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
        end = cache.filled + 1
        step_row = Step(mask[..., :end], positions[:, None], columns[:end] - (cache.filled - positions)[:, None])
        with reading(step_row):
            output = decoder(
                input_ids=tokens[:, None], position_ids=positions[:, None],
                attention_mask=torch.ones(len(tokens), end, dtype=torch.int64, device=device),
                past_key_values=cache, use_cache=True,
            )  # fmt: skip
        states = output.last_hidden_state[:, 0]
        cache.filled += 1
        positions = positions + 1
    return outputs


def _decode_cached(
    forward: Forward, prompts: Sequence[tuple[int, ...]], stop: frozenset[int], new_tokens: int, draw: Draw
) -> list[list[int]]:
    """By the model's own ``generate`` and whatever cache it keeps, prompts of one length together: without padding."""
    import torch
    from transformers import GenerationConfig, LogitsProcessorList

    causal, device = forward.causal, forward.causal.device
    outputs: list[list[int]] = [[] for _ in prompts]
    settings: Any = GenerationConfig
    config = settings(
        max_new_tokens=new_tokens, do_sample=False, use_cache=True, eos_token_id=sorted(stop) or None, pad_token_id=0
    )
    own = causal.generation_config
    causal.generation_config = settings()  # a penalty or a beam of the model's own would be mixed in
    try:
        for rows in _of_one_length(prompts):
            ids = torch.tensor([prompts[row] for row in rows], device=device)
            with _Drawing(forward, rows, draw) as drawing:
                made = causal.generate(
                    input_ids=ids, attention_mask=torch.ones_like(ids), generation_config=config,
                    logits_processor=LogitsProcessorList([drawing]),
                )  # fmt: skip
            for row, tokens in zip(rows, made[:, ids.shape[1] :].tolist(), strict=True):
                ends = [place for place, token in enumerate(tokens) if token in stop]
                outputs[row] = tokens[: ends[0]] if ends else tokens
    finally:
        causal.generation_config = own
    return outputs


class _Drawing:
    """A logits processor that leaves one token to choose: the one drawn from the decoder's last states."""

    def __init__(self, forward: Forward, rows: Sequence[int], draw: Draw) -> None:
        self.forward, self.rows, self.draw = forward, rows, draw
        self.states: torch.Tensor | None = None

    def __enter__(self) -> "_Drawing":
        def hear(_: Any, __: Any, output: Any) -> None:
            self.states = output[0][:, -1]

        self.handle = self.forward.decoder.register_forward_hook(hear)
        return self

    def __exit__(self, *_: object) -> None:
        self.handle.remove()

    def __call__(self, ids: "torch.Tensor", scores: "torch.Tensor") -> "torch.Tensor":
        import torch

        assert self.states is not None
        tokens = self.draw(self.forward.head, self.states, self.rows)
        return torch.full_like(scores, -torch.inf).scatter_(1, tokens[:, None].to(scores.device), 0.0)


def _decode_whole(
    forward: Forward, prompts: Sequence[tuple[int, ...]], stop: frozenset[int], new_tokens: int, draw: Draw
) -> list[list[int]]:
    """Without a cache."""
    import torch

    outputs: list[list[int]] = [[] for _ in prompts]
    device = forward.causal.device
    for together in _of_one_length(prompts):
        rows, ids = together, torch.tensor([prompts[row] for row in together], device=device)
        for _ in range(new_tokens):
            states = forward.decoder(input_ids=ids, use_cache=False).last_hidden_state[:, -1]
            tokens = draw(forward.head, states, rows)
            for row, token in zip(rows, tokens.tolist(), strict=True):
                outputs[row].append(token)
            ids = torch.cat([ids, tokens[:, None]], dim=1)
            left = [place for place, row in enumerate(rows) if outputs[row][-1] not in stop]
            if not left:
                break
            ids, rows = ids[left], [rows[place] for place in left]
    return [tokens[:-1] if tokens and tokens[-1] in stop else tokens for tokens in outputs]


def _of_one_length(prompts: Sequence[tuple[int, ...]]) -> Iterator[list[int]]:
    """Places of the prompts, those of one length together."""
    by_length: dict[int, list[int]] = {}
    for place, prompt in enumerate(prompts):
        by_length.setdefault(len(prompt), []).append(place)
    yield from by_length.values()


Way = Callable[[Forward, Sequence[tuple[int, ...]], frozenset[int], int, Draw], list[list[int]]]
# The fastest first.
WAYS: dict[Decoding, Way] = {"packed": _decode_batch, "cached": _decode_cached, "whole": _decode_whole}
