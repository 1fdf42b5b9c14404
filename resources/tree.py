"""Many token sequences as one packed row in which shared prefixes occur once.

Chat prompts begin alike (the template's system turn), and the options of a multiple-choice item share their whole
question. A causal model gives a shared prefix the same hidden states in every sequence, so computing it once is exact,
in training too: its gradient is the sum over the sequences that use it. Packing also spares the linear layers every
padding token. Attention alone sees padding, level by level::

    level 0    the prefix all sequences share                  one node
    level 1    what each group adds (a prompt, a training row)  one node a group, attends to level 0
    level 2    the alternatives of a group (answer options)     attends to its group and level 0

No token attends to another sequence's tokens: that is what the masks say and what the tests prove.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

# (batch, head, query position, key position) -> whether it is seen; tensors of positions give tensors of bool.
Sees = Callable[[Any, Any, "torch.Tensor", "torch.Tensor"], "torch.Tensor"]

ROUND = 64  # the packed row's length is a multiple of this: few shapes, so that kernels made for a shape are used again
SHORTEST_SHARED = 4  # a shorter common prefix is not worth a level of its own


@dataclass(frozen=True, slots=True)
class Level:
    """Attention of one level: ``query`` [B*L] and ``key`` [B*K] index the row; ``mask`` [B,1,L,K] is additive."""

    nodes: int
    query: "torch.Tensor"
    key: "torch.Tensor"
    mask: "torch.Tensor"


@dataclass(frozen=True, slots=True)
class Tree:
    """``ids`` and ``positions`` are [1, T]; ``paths[i][k]`` is where token k of sequence i stands in the packed row.

    ``inverse`` [T] finds each token's attention output among the levels' outputs, laid end to end.
    """

    ids: "torch.Tensor"
    positions: "torch.Tensor"
    levels: tuple[Level, ...]
    inverse: "torch.Tensor"
    paths: tuple[np.ndarray, ...]

    @property
    def inputs(self) -> "dict[str, torch.Tensor]":
        """What a decoder is called with. A mask of ones says that the positions are no packing of transformers' own."""
        return {"input_ids": self.ids, "position_ids": self.positions, "attention_mask": torch.ones_like(self.ids)}

    def masks(self, sees: "Sees") -> "tuple[torch.Tensor, ...]":
        """Each level's mask, less the pairs of positions that ``sees`` leaves out: those out of a window, say."""
        masks = []
        for level in self.levels:
            query = self.positions[0, level.query].view(level.nodes, -1, 1)
            key = self.positions[0, level.key].view(level.nodes, 1, -1)
            unseen = ~sees(0, 0, query, key).unsqueeze(1)
            masks.append(level.mask.masked_fill(unseen, torch.finfo(level.mask.dtype).min))
        return tuple(masks)


@dataclass(slots=True)
class _Node:
    start: int  # where its tokens begin in the packed row
    length: int
    ancestors: np.ndarray  # positions in the packed row of all tokens before it


def plant(groups: Sequence[tuple[Sequence[int], Sequence[Sequence[int]]]], *, device: Any, dtype: Any) -> Tree:
    """Pack groups ``(prefix, continuations)`` into a tree; ``paths`` come in order, group by group.

    A group with one continuation is one node; with several, they share the node of their prefix.
    """
    shared = common_prefix([prefix for prefix, _ in groups]) if len(groups) > 1 else 0
    shared = shared if shared >= SHORTEST_SHARED else 0
    row: list[int] = []
    positions: list[int] = []
    levels: list[list[_Node]] = [[], [], []]
    paths: list[np.ndarray] = []

    def grow(depth: int, tokens: Sequence[int], ancestors: np.ndarray) -> np.ndarray:
        if not len(tokens):
            return ancestors
        levels[depth].append(_Node(len(row), len(tokens), ancestors))
        path = np.concatenate([ancestors, np.arange(len(row), len(row) + len(tokens))])
        row.extend(tokens)
        positions.extend(range(len(ancestors), len(path)))
        return path

    root = grow(0, groups[0][0][:shared], np.empty(0, np.int64))
    for prefix, continuations in groups:
        own = list(prefix[shared:])
        if len(continuations) == 1:
            paths.append(grow(1, own + list(continuations[0]), root))
            continue
        stem = grow(1, own, root)
        paths.extend(grow(2, continuation, stem) for continuation in continuations)

    padded = -(-len(row) // ROUND) * ROUND
    inverse = np.zeros(padded, np.int64)
    built, offset = [], 0
    for nodes in levels:
        if nodes:
            width = max(node.length for node in nodes)
            for index, node in enumerate(nodes):
                first = offset + index * width
                inverse[node.start : node.start + node.length] = np.arange(first, first + node.length)
            offset += len(nodes) * width
            built.append(_level(nodes, width, device, dtype))
    filler = padded - len(row)
    return Tree(
        torch.tensor([row + [0] * filler], device=device),
        torch.tensor([positions + [0] * filler], device=device),
        tuple(built),
        torch.from_numpy(inverse).to(device),
        tuple(paths),
    )


def _level(nodes: list[_Node], width: int, device: Any, dtype: Any) -> Level:
    before = max(len(node.ancestors) for node in nodes)
    query = np.zeros((len(nodes), width), np.int64)
    key = np.zeros((len(nodes), before + width), np.int64)
    seen = np.zeros((len(nodes), width, before + width), bool)
    causal = np.tril(np.ones((width, width), bool))
    for index, node in enumerate(nodes):
        own = np.arange(node.start, node.start + node.length)
        query[index, : node.length] = own
        key[index, : len(node.ancestors)] = node.ancestors
        key[index, before : before + node.length] = own
        seen[index, :, : len(node.ancestors)] = True
        seen[index, :, before:] = causal  # a filler query sees filler keys: finite, and read by nobody
    mask = torch.zeros(seen.shape, dtype=dtype, device=device)
    mask.masked_fill_(torch.from_numpy(~seen).to(device), torch.finfo(dtype).min)
    return Level(
        len(nodes),
        torch.from_numpy(query.ravel()).to(device),
        torch.from_numpy(key.ravel()).to(device),
        mask.unsqueeze(1),
    )


def common_prefix(sequences: Sequence[Sequence[int]]) -> int:
    """Length of the prefix that all sequences share."""
    return len(os.path.commonprefix([list(sequence) for sequence in sequences]))
