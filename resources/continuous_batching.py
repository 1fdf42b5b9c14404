"""Generation for requests that come and go: a batch that rows join and leave between two tokens.

``resources.decoding`` answers a list of prompts that is known beforehand. A server's requests come one by one, and one
that waits for a batch to end waits for its slowest row (Yu et al., "Orca", OSDI 2022, call the remedy iteration-level
scheduling; servers call it continuous batching). New prompts run as one packed tree, their keys and values are put
beside those of the rows that go on, right-aligned, so that every row writes the same column of one buffer; each row
keeps its own positions. What a row says does not depend on the others, up to the rounding of products of other shapes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from resources.forward import Forward
from resources.lean_step import LeanStep, agree
from resources.probe import settle_decoding
from resources.tree import plant
from resources.tree_attention import Step, reading

if TYPE_CHECKING:
    import torch

ROOM = 64  # columns that a buffer grows by


@dataclass(slots=True)
class Row:
    """One request. ``made`` are its new tokens; ``ended`` says that it stopped by itself or is as long as it may be."""

    prompt: Sequence[int]
    most: int
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0
    made: list[int] = field(default_factory=list)
    ended: str = ""
    _random: Any = None

    def draw(self) -> float:
        """The next number in [0, 1) of this row's own stream."""
        if self._random is None:
            self._random = np.random.default_rng(self.seed)
        return float(self._random.random())


class _Cache:
    """Keys and values [rows, heads, columns, size] of every layer; what transformers' layers call ``update`` on."""

    def __init__(self) -> None:
        self.layers: list[list[torch.Tensor]] = []
        self.filled = 0

    def get_seq_length(self, *_: Any) -> int:
        return self.filled

    def get_query_offset(self, *_: Any) -> int:
        return self.filled

    def get_mask_sizes(self, tokens: int, *_: Any) -> tuple[int, int]:
        return self.filled + tokens, 0

    def update(
        self, key: "torch.Tensor", value: "torch.Tensor", layer: int, *_: Any, **__: Any
    ) -> "tuple[torch.Tensor, torch.Tensor]":
        seen = self.filled + 1
        for buffer, new in zip(self.layers[layer], (key, value), strict=True):
            buffer[:, :, self.filled : seen] = new
        keys, values = self.layers[layer]
        return keys[:, :, :seen], values[:, :, :seen]


class _First(_Cache):
    """Catches the keys and values [1, heads, T, size] of a packed prompt, layer by layer."""

    def update(
        self, key: "torch.Tensor", value: "torch.Tensor", layer: int, *_: Any, **__: Any
    ) -> "tuple[torch.Tensor, torch.Tensor]":
        self.layers.append([key, value])
        return key, value


class ContinuousBatch:
    """The rows that are being answered. Not for two threads at once; hold it inside ``torch.inference_mode``."""

    def __init__(self, forward: Forward, stop: frozenset[int]) -> None:
        self.rows: list[Row] = []
        if forward.decoding is None:
            settle_decoding(forward)
        self._forward, self._stop = forward, stop
        self._packed = forward.decoding == "packed"
        self._lean = LeanStep.of(forward.decoder) if self._packed and forward.causal.device.type == "cpu" else None
        self._proven = False
        self._cache = _Cache()
        self._own: dict[int, Any] = {}  # caches of a model that the packed form does not fit, by the row's identity
        self._mask: torch.Tensor
        self._positions: torch.Tensor
        self._tokens: torch.Tensor

    def join(self, rows: Sequence[Row]) -> None:
        """Read the prompts of new rows; each gets its first token."""
        if not self._packed:
            for row in rows:
                self._plain_step(row, row.prompt)
            self._leave()
            return
        states = self._read(rows)
        self.rows += rows
        first = self._choose(states, rows)
        self._tokens = first if len(rows) == len(self.rows) else _joined(self._tokens, first)
        self._leave()

    def step(self) -> None:
        """One more token for every row; rows that end leave."""
        if not self.rows:
            return
        if not self._packed:
            for row in self.rows:
                self._plain_step(row, row.made[-1:])
            self._leave()
            return
        cache = self._cache
        if cache.filled == self._mask.shape[-1]:
            self._grow(cache.filled + ROOM)
        if self._lean and self._proven:
            states = self._lean(self._tokens, self._positions, self._mask, cache.layers, cache.filled)
        else:
            states = self._own_step()
        cache.filled += 1
        self._positions = self._positions + 1
        self._tokens = self._choose(states, self.rows)
        self._leave()

    def _own_step(self) -> "torch.Tensor":
        """The states of one more token by the model's own forward; the lean one is held against it."""
        import torch

        cache, lean = self._cache, None
        if self._lean:
            lean = self._lean(self._tokens, self._positions, self._mask, cache.layers, cache.filled)
        end = cache.filled + 1
        columns = torch.arange(end, device=self._tokens.device)
        places = columns - (cache.filled - self._positions)[:, None]
        with reading(Step(self._mask[..., :end], self._positions[:, None], places)):
            output = self._forward.decoder(
                input_ids=self._tokens[:, None], position_ids=self._positions[:, None],
                attention_mask=torch.ones(len(self.rows), end, dtype=torch.int64, device=self._tokens.device),
                past_key_values=cache, use_cache=True,
            )  # fmt: skip
        states: torch.Tensor = output.last_hidden_state[:, 0]
        if lean is not None:
            self._proven = agree(lean, states)
            self._lean = self._lean if self._proven else None
        return states

    def drop(self, rows: Sequence[Row]) -> None:
        """Rows whose reader has gone leave, unfinished."""
        for row in rows:
            row.ended = row.ended or "dropped"
        self._leave()

    def _read(self, rows: Sequence[Row]) -> "torch.Tensor":
        """Run the prompts, put their keys and values beside the others'; the last state of each."""
        import torch

        causal = self._forward.causal
        # A prompt's last token is its group's continuation, so that equal prompts stay rows of their own.
        groups = [(tuple(row.prompt[:-1]), [row.prompt[-1:]]) for row in rows]
        tree = plant(groups, device=causal.device, dtype=causal.dtype)
        first = _First()
        with reading(tree):
            output = self._forward.decoder(**tree.inputs, past_key_values=first, use_cache=True)
        lengths = [len(path) for path in tree.paths]
        width, before = max(lengths), len(self.rows)
        filled = max(self._cache.filled if before else 0, width)
        columns = filled + ROOM
        places = np.zeros((len(rows), width), np.int64)
        for place, path in enumerate(tree.paths):
            places[place, width - len(path) :] = path
        index = torch.from_numpy(places.ravel()).to(causal.device)
        layers = []
        for number, pair in enumerate(first.layers):
            both = []
            for half, packed in enumerate(pair):
                _, heads, _, size = packed.shape
                buffer = packed.new_zeros(before + len(rows), heads, columns, size)
                if before:
                    old = self._cache.layers[number][half]
                    buffer[:before, :, filled - self._cache.filled : filled] = old[:, :, : self._cache.filled]
                spread = packed[0].index_select(1, index).view(heads, len(rows), width, size)
                buffer[before:, :, filled - width : filled] = spread.transpose(0, 1)
                both.append(buffer)
            layers.append(both)
        hidden = torch.finfo(causal.dtype).min
        mask = torch.zeros(before + len(rows), 1, 1, columns, dtype=causal.dtype, device=causal.device)
        if before:
            shift = filled - self._cache.filled
            mask[:before, ..., :shift] = hidden
            mask[:before, ..., shift:filled] = self._mask[..., : self._cache.filled]
        for place, length in enumerate(lengths):
            mask[before + place, ..., : filled - length] = hidden
        new = torch.tensor(lengths, device=causal.device)
        self._positions = _joined(self._positions, new) if before else new
        self._mask, self._cache.layers, self._cache.filled = mask, layers, filled
        last = torch.tensor([path[-1] for path in tree.paths], device=causal.device)
        states: torch.Tensor = output.last_hidden_state[0].index_select(0, last)
        return states

    def _choose(self, states: "torch.Tensor", rows: Sequence[Row]) -> "torch.Tensor":
        """The next token of each row, noted in it."""
        head = self._forward.head
        sampled = [place for place, row in enumerate(rows) if row.temperature > 0]
        tokens = head.first(states)
        if sampled:
            logits = head.logits(states[sampled])
            for place, scores in zip(sampled, logits, strict=True):
                tokens[place] = _sample(scores, rows[place])
        for row, token in zip(rows, tokens.tolist(), strict=True):
            self._note(row, token)
        return tokens

    def _note(self, row: Row, token: int) -> None:
        if token in self._stop:
            row.ended = "stop"
            return
        row.made.append(token)
        if len(row.made) >= row.most:
            row.ended = "length"

    def _plain_step(self, row: Row, tokens: Sequence[int]) -> None:
        import torch

        device, joining = self._forward.causal.device, not row.made
        if self._forward.decoding == "cached":
            ids, past = torch.tensor([list(tokens)], device=device), self._own.get(id(row))
            output = self._forward.decoder(input_ids=ids, past_key_values=past, use_cache=True)
            self._own[id(row)] = output.past_key_values
        else:
            ids = torch.tensor([[*row.prompt, *row.made]], device=device)
            output = self._forward.decoder(input_ids=ids, use_cache=False)
        if joining:
            self.rows.append(row)
        self._choose(output.last_hidden_state[:, -1], [row])

    def _leave(self) -> None:
        going = [place for place, row in enumerate(self.rows) if not row.ended]
        if len(going) == len(self.rows):
            return
        for row in self.rows:
            if row.ended:
                self._own.pop(id(row), None)
        self.rows = [self.rows[place] for place in going]
        if self._packed:
            self._keep(going)

    def _keep(self, going: list[int]) -> None:
        """Go on with these rows, without the columns that none of them uses."""
        import torch

        if not going:
            self._cache = _Cache()
            return
        rows = torch.tensor(going, device=self._tokens.device)
        self._tokens, self._positions = self._tokens[rows], self._positions[rows]
        spare = int((self._cache.filled - self._positions).min())
        self._mask = self._mask[rows][..., spare:]
        self._cache.layers = [[buffer[rows][:, :, spare:] for buffer in pair] for pair in self._cache.layers]
        self._cache.filled -= spare

    def _grow(self, columns: int) -> None:
        from torch.nn.functional import pad

        more = columns - self._mask.shape[-1]
        self._mask = pad(self._mask, (0, more))
        self._cache.layers = [[pad(buffer, (0, 0, 0, more)) for buffer in pair] for pair in self._cache.layers]


def _joined(first: "torch.Tensor", second: "torch.Tensor") -> "torch.Tensor":
    import torch

    return torch.cat([first, second])


def _sample(scores: "torch.Tensor", row: Row) -> int:
    """A token drawn at the row's temperature from the likeliest that make up ``top_p`` (Holtzman et al. 2020)."""
    import torch

    mass, order = (scores / row.temperature).softmax(dim=0).sort(descending=True)
    total = mass.cumsum(dim=0)
    kept = int((total < row.top_p).sum()) + 1 if row.top_p < 1 else len(total)
    drawn = torch.tensor([row.draw() * float(total[kept - 1])], device=scores.device)
    return int(order[int(torch.searchsorted(total, drawn, right=True).clamp_max(kept - 1))])
