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
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import torch

ROUND = 64  # the packed row's length is a multiple of this: few shapes, so that kernels made for a shape are used again
SHORTEST_SHARED = 4  # a shorter common prefix is not worth a level of its own
NAME = "hallmark_tree"
# Scores of one attention on a CPU up to which they are written out whole: for rows this short two plain products, and
# their gradients, take half to a third of the time of the blockwise kernel.
SHORT = 2**21


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
        """What a decoder is called with. The mask is a token of one: with it transformers makes none of its own."""
        return {"input_ids": self.ids, "position_ids": self.positions, "attention_mask": self.ids.new_ones(1, 1, 1, 1)}

    @property
    def longest(self) -> int:
        return max(len(path) for path in self.paths)


@dataclass(slots=True)
class _Node:
    start: int  # where its tokens begin in the packed row
    length: int
    ancestors: np.ndarray  # positions in the packed row of all tokens before it


def plant(groups: Sequence[tuple[Sequence[int], Sequence[Sequence[int]]]], *, device: Any, dtype: Any) -> Tree:
    """Pack groups ``(prefix, continuations)`` into a tree; ``paths`` come in order, group by group.

    A group with one continuation is one node; with several, they share the node of their prefix.
    """
    import torch

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
    import torch

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


def tree_attention(
    module: Any,
    query: "torch.Tensor",
    key: "torch.Tensor",
    value: "torch.Tensor",
    attention_mask: Any,
    *,
    tree: Tree | None = None,
    decode_mask: "torch.Tensor | None" = None,
    scaling: float | None = None,
    dropout: float = 0.0,
    **others: Any,
) -> tuple["torch.Tensor", None]:
    """Attention over a packed row, as transformers' attention interface asks: q [1,H,T,D], k and v [1,G,T,D].

    With ``decode_mask`` [B,1,1,K] instead of a tree it is one step of generation: q [B,H,1,D], k and v [B,G,K,D]; with
    neither it is transformers' own. Query heads that share a key head are folded into the query axis, so that keys and
    values are not repeated.
    """
    import torch
    from transformers.integrations.sdpa_attention import sdpa_attention_forward

    if tree is None and decode_mask is None:
        usual: tuple[torch.Tensor, None] = sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, **others
        )
        return usual
    heads, key_heads, size = query.shape[1], key.shape[1], query.shape[3]
    window = others.get("sliding_window")
    longest = tree.longest if tree else key.shape[2]
    if others.get("softcap") is not None or others.get("s_aux") is not None or (window and window < longest):
        raise NotImplementedError("an attention variant that the packed form does not know")
    if tree is None:
        assert decode_mask is not None
        q = query.reshape(-1, key_heads, heads // key_heads, size)
        seen = _attend(q, key, value, decode_mask, scaling, 0.0)
        return seen.reshape(-1, 1, heads, size), None
    folded = heads // key_heads
    q_rows = query[0].transpose(0, 1)
    k_rows, v_rows = key[0].transpose(0, 1), value[0].transpose(0, 1)
    outputs = []
    for level in tree.levels:
        n = level.nodes
        q = q_rows.index_select(0, level.query).view(n, -1, key_heads, folded, size)
        q = q.permute(0, 2, 3, 1, 4).reshape(n, key_heads, -1, size)
        k = k_rows.index_select(0, level.key).view(n, -1, key_heads, size).transpose(1, 2)
        v = v_rows.index_select(0, level.key).view(n, -1, key_heads, size).transpose(1, 2)
        mask = level.mask.repeat(1, 1, folded, 1) if folded > 1 else level.mask
        seen = _attend(q, k, v, mask, scaling, dropout)
        seen = seen.view(n, key_heads, folded, -1, size).permute(0, 3, 1, 2, 4)
        outputs.append(seen.reshape(-1, heads, size))
    packed = torch.cat(outputs).index_select(0, tree.inverse)
    return packed.unsqueeze(0), None


def _attend(
    q: "torch.Tensor",
    k: "torch.Tensor",
    v: "torch.Tensor",
    mask: "torch.Tensor",
    scaling: float | None,
    dropout: float,
) -> "torch.Tensor":
    """Softmax attention: q [n, heads, L, D], k and v [n, heads, K, D], ``mask`` is added to the scores."""
    from torch.nn.functional import scaled_dot_product_attention

    from resources.short_attention import short_attention

    scores = q.shape[0] * q.shape[1] * q.shape[2] * k.shape[2]
    if q.device.type != "cpu" or dropout or scores > SHORT:
        return scaled_dot_product_attention(q, k, v, attn_mask=mask, scale=scaling, dropout_p=dropout)
    return short_attention(q, k, v, mask, scaling if scaling is not None else q.shape[3] ** -0.5)
