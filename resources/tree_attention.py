"""Attention over a packed row, in place of the one that a transformers model would call.

transformers asks for a mask before its first layer and hands it to every layer's attention. Both are answered here.
``tree_mask`` gets a pattern, a function of two positions (causal, within a window, within a chunk), and lays it over
the row: that is how sliding windows are exact in a row of many sequences. ``tree_attention`` then attends level by
level. A layer that attends by other means finds no mask that it can use, which the first probe of a model shows.

Soft-capped scores (Gemma 2) and attention sinks (gpt-oss) are written out whole, in float32.
"""

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, cast

import torch

from resources.short_attention import short_attention
from resources.tree import Sees, Tree

NAME = "hallmark_tree"
# Scores of one attention on a CPU up to which they are written out whole: for rows this short two plain products, and
# their gradients, take half to a third of the time of the blockwise kernel.
SHORT = 2**21


@dataclass(frozen=True, slots=True)
class Step:
    """One token more for each of B sequences, whose keys stand right-aligned in K columns of a cache.

    ``mask`` [B,1,1,K] is additive; ``query`` [B,1] and ``key`` [B,K] are positions in the sequences.
    """

    mask: torch.Tensor
    query: torch.Tensor
    key: torch.Tensor

    def masks(self, sees: Sees) -> tuple[torch.Tensor, ...]:
        batch = torch.arange(len(self.query), device=self.query.device)[:, None]
        seen = sees(batch, 0, self.query, self.key)[:, None, None]
        return (self.mask.masked_fill(~seen, torch.finfo(self.mask.dtype).min),)


@dataclass(frozen=True, slots=True)
class _Sight:
    """What a layer's attention needs to know of the row: a mask for every level of a tree, or one for a step."""

    row: Tree | Step
    masks: tuple[torch.Tensor, ...]


_row: ContextVar[Tree | Step | None] = ContextVar("row", default=None)


@contextlib.contextmanager
def reading(row: Tree | Step) -> Iterator[None]:
    """While it is open, a model whose attention is ``NAME`` reads this row."""
    token = _row.set(row)
    try:
        yield
    finally:
        _row.reset(token)


def register() -> None:
    """Make both known to transformers under ``NAME``."""
    from transformers import AttentionInterface, AttentionMaskInterface

    AttentionInterface.register(NAME, tree_attention)
    AttentionMaskInterface.register(NAME, tree_mask)


def tree_mask(*, mask_function: Sees, device: Any, **others: Any) -> Any:
    """As transformers' mask interface asks. A mask of one token carries what ``tree_attention`` needs to the layers.

    It is an attribute of the mask, not of this module: layers computed again on the way back (gradient checkpointing)
    get the same mask when no row is being read any more.
    """
    from transformers.masking_utils import causal_mask_function, sdpa_mask

    row, plain = _row.get(), cast(Any, causal_mask_function)
    if row is None:
        return sdpa_mask(mask_function=mask_function, device=device, **others)
    if mask_function is plain:
        masks = (row.mask,) if isinstance(row, Step) else tuple(level.mask for level in row.levels)
    else:
        masks = row.masks(mask_function)
    carrier: Any = torch.zeros(1, 1, 1, 1, device=device)
    carrier.sight = _Sight(row, masks)
    return carrier


def tree_attention(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: Any,
    *,
    scaling: float | None = None,
    dropout: float = 0.0,
    softcap: float | None = None,
    s_aux: torch.Tensor | None = None,
    **others: Any,
) -> tuple[torch.Tensor, None]:
    """As transformers' attention interface asks: q [1,H,T,D], k [1,G,T,D] and v [1,G,T,V] of a packed row.

    In a step of generation q is [B,H,1,D], k [B,G,K,D] and v [B,G,K,V]; where no row is read it is transformers' own.
    Query heads that share a key head are folded into the query axis, so that keys and values are not repeated.
    """
    sight: _Sight | None = getattr(attention_mask, "sight", None)
    attend = _Attention(scaling, dropout, softcap, s_aux)
    if sight is None:
        return _usual(module, query, key, value, attention_mask, attend, **others)
    heads, key_heads, size, width = query.shape[1], key.shape[1], query.shape[3], value.shape[3]
    folded = heads // key_heads
    if isinstance(sight.row, Step):
        q = query.reshape(-1, key_heads, folded, size)
        return attend(q, key, value, sight.masks[0]).reshape(-1, 1, heads, width), None
    q_rows = query[0].transpose(0, 1)
    k_rows, v_rows = key[0].transpose(0, 1), value[0].transpose(0, 1)
    outputs = []
    for level, mask in zip(sight.row.levels, sight.masks, strict=True):
        n = level.nodes
        q = q_rows.index_select(0, level.query).view(n, -1, key_heads, folded, size)
        q = q.permute(0, 2, 3, 1, 4).reshape(n, key_heads, -1, size)
        k = k_rows.index_select(0, level.key).view(n, -1, key_heads, size).transpose(1, 2)
        v = v_rows.index_select(0, level.key).view(n, -1, key_heads, width).transpose(1, 2)
        seen = attend(q, k, v, mask.repeat(1, 1, folded, 1) if folded > 1 else mask)
        seen = seen.view(n, key_heads, folded, -1, width).permute(0, 3, 1, 2, 4)
        outputs.append(seen.reshape(-1, heads, width))
    packed = torch.cat(outputs).index_select(0, sight.row.inverse)
    return packed.unsqueeze(0), None


def _usual(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    mask: Any,
    attend: "_Attention",
    **others: Any,
) -> tuple[torch.Tensor, None]:
    """Attention of a forward that reads no packed row: ``mask`` is transformers' own, bool or None."""
    from transformers.integrations.sdpa_attention import sdpa_attention_forward

    if _row.get() is not None:
        raise NotImplementedError("a layer attends by a mask of its own making")
    if not attend.variant:
        usual: tuple[torch.Tensor, None] = sdpa_attention_forward(
            module, query, key, value, mask, dropout=attend.dropout, scaling=attend.scaling, **others
        )
        return usual
    n, heads, length, size = query.shape
    if mask is None:
        mask = torch.ones(1, 1, length, key.shape[2], dtype=torch.bool, device=query.device).tril(key.shape[2] - length)
    hidden = torch.zeros(mask.shape, device=query.device).masked_fill(~mask, torch.finfo(torch.float32).min)
    folded = heads // key.shape[1]
    seen = attend(query.reshape(n, key.shape[1], -1, size), key, value, hidden.repeat(1, 1, folded, 1))
    return seen.view(n, heads, length, -1).transpose(1, 2), None


@dataclass(frozen=True, slots=True)
class _Attention:
    """Softmax attention: q [n, heads, L, D], k [n, heads, K, D], v [n, heads, K, V]; a mask is added to the scores."""

    scaling: float | None
    dropout: float
    softcap: float | None
    sinks: torch.Tensor | None

    @property
    def variant(self) -> bool:
        return self.softcap is not None or self.sinks is not None

    def __call__(self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        from torch.nn.functional import scaled_dot_product_attention

        scale = self.scaling if self.scaling is not None else q.shape[3] ** -0.5
        if self.variant:
            return self._written_out(q, k, v, mask, scale)
        scores = q.shape[0] * q.shape[1] * q.shape[2] * k.shape[2]
        if q.device.type != "cpu" or self.dropout or scores > SHORT:
            return scaled_dot_product_attention(q, k, v, attn_mask=mask, scale=scale, dropout_p=self.dropout)
        return short_attention(q, k, v, mask, scale)

    def _written_out(
        self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, mask: torch.Tensor, scale: float
    ) -> torch.Tensor:
        scores = (q.float() * scale) @ k.float().transpose(-1, -2)
        if self.softcap is not None:
            scores = (scores / self.softcap).tanh() * self.softcap
        scores = scores + mask
        if self.sinks is not None:
            sink = self.sinks.float().view(1, q.shape[1], -1, 1)  # one a query head, those of a key head together
            sink = sink.expand(len(q), -1, -1, q.shape[2] // sink.shape[2]).reshape(*q.shape[:3], 1)
            scores = torch.cat([scores, sink], dim=3)
        shares = scores.softmax(dim=3)[..., : k.shape[2]]
        return (torch.nn.functional.dropout(shares, self.dropout) @ v.float()).to(v.dtype)
