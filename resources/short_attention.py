"""Attention over short rows as plain matrix products, and its gradient by hand.

For rows of some hundred tokens, as chats are, writing the scores out whole takes half to a third of the time that a
CPU's blockwise kernel takes, most of all on the way back. All of it is float32, whatever the model's type: scores
rounded to bfloat16 move some tokens' states by as much as their own length.
"""

from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from torch import Tensor


class _ShortAttention(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, q: "Tensor", k: "Tensor", v: "Tensor", mask: "Tensor", scale: float) -> "Tensor":
        ctx.scale, ctx.dtype = scale, q.dtype
        q, k, v = (each.to(torch.float32, memory_format=torch.contiguous_format) for each in (q, k, v))
        shares = torch.softmax(torch.matmul(q * scale, k.transpose(-1, -2)).add_(mask), dim=-1)
        ctx.save_for_backward(q, k, v, shares)
        return (shares @ v).to(ctx.dtype)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> "tuple[Tensor | None, ...]":
        q, k, v, shares = ctx.saved_tensors
        d_seen = grads[0].to(torch.float32, memory_format=torch.contiguous_format)
        d_shares = d_seen @ v.transpose(-1, -2)
        d_scores = torch._softmax_backward_data(d_shares, shares, -1, shares.dtype).mul_(ctx.scale)
        d_q, d_k, d_v = d_scores @ k, d_scores.transpose(-1, -2) @ q, shares.transpose(-1, -2) @ d_seen
        return d_q.to(ctx.dtype), d_k.to(ctx.dtype), d_v.to(ctx.dtype), None, None


def short_attention(q: "Tensor", k: "Tensor", v: "Tensor", mask: "Tensor", scale: float) -> "Tensor":
    """softmax(q k' scale + mask) v: q [n, heads, L, D], k and v [n, heads, K, D], mask [n, 1, L, K] or of one L."""
    seen: Tensor = _ShortAttention.apply(q, k, v, mask, scale)  # type: ignore[no-untyped-call]
    return seen
