"""One token more for every row of a batch, without what a general model's forward does around its products.

For a few rows and a small model, a third of the time of a step goes into some hundred short operations a layer and the
calls around them. A decoder of the commonest shape (Llama's: root-mean-square norms before attention and before a gated
SiLU, rotary positions, no bias on the scores) needs a fifth of them. ``LeanStep.of`` recognises that shape by its
parts, and ``agree`` holds its first step against the model's own: one that only looks like it goes on in its own way.

Products are asked of the layers themselves, with what an adapter or packed weights (``resources.packed_weights``) add.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch.nn.functional import embedding, rms_norm, scaled_dot_product_attention, silu

if TYPE_CHECKING:
    from torch import Tensor

Product = Callable[["Tensor"], "Tensor"]
CLOSE = 0.03  # of the length of a state: about four roundings of bfloat16


@dataclass(frozen=True, slots=True)
class _Layer:
    query: Product
    key: Product
    value: Product
    out: Product
    gate: Product
    up: Product
    down: Product
    before: "Tensor"  # weights of the norms
    between: "Tensor"


class LeanStep:
    """The decoder of a transformers model, for one token a row."""

    def __init__(self, decoder: Any, layers: list[_Layer]) -> None:
        self._layers, self._rotary = layers, decoder.rotary_emb
        self._embedding, self._norm = decoder.embed_tokens.weight, decoder.norm.weight
        self._eps = decoder.norm.variance_epsilon
        self._size = decoder.layers[0].self_attn.head_dim

    @classmethod
    def of(cls, decoder: Any) -> "LeanStep | None":
        """The lean form of a decoder; None where it has not this shape."""
        try:
            layers = [_read(layer, decoder.norm) for layer in decoder.layers]
            plain = type(decoder.embed_tokens) is torch.nn.Embedding and hasattr(decoder, "rotary_emb")
            return cls(decoder, layers) if plain and layers else None
        except (AttributeError, _OtherShape):
            return None

    def __call__(
        self, tokens: "Tensor", positions: "Tensor", mask: "Tensor", caches: list[list["Tensor"]], filled: int
    ) -> "Tensor":
        """States [B, hidden] of B new tokens, whose keys and values are written into column ``filled`` of the caches.

        ``mask`` [B,1,1,columns] is additive; a cache is [B, key heads, columns, size].
        """
        x = embedding(tokens, self._embedding)
        rows, size, end = len(tokens), self._size, filled + 1
        cos, sin = (each for each in self._rotary(x[:, None], positions[:, None]))
        sin = torch.cat([-sin[..., : size // 2], sin[..., size // 2 :]], dim=-1)  # signs of the rotated half
        seen = mask[..., :end]
        hidden, eps = (x.shape[1],), self._eps
        for layer, (keys, values) in zip(self._layers, caches, strict=True):
            h = rms_norm(x, hidden, layer.before, eps)
            heads = keys.shape[1]
            both = torch.cat([layer.query(h), layer.key(h)], dim=1).view(rows, -1, size)
            both = both * cos + both.roll(size // 2, -1) * sin
            keys[:, :, filled] = both[:, -heads:]
            values[:, :, filled] = layer.value(h).view(rows, heads, size)
            query = both[:, :-heads].view(rows, heads, -1, size)  # those of a key head follow each other
            read = scaled_dot_product_attention(query, keys[:, :, :end], values[:, :, :end], seen)
            x = x + layer.out(read.reshape(rows, -1))
            h = rms_norm(x, hidden, layer.between, eps)
            x = x + layer.down(silu(layer.gate(h)) * layer.up(h))
        return rms_norm(x, hidden, self._norm, eps)


class _OtherShape(Exception):
    pass


def _read(layer: Any, norm: Any) -> _Layer:
    attention, mlp = layer.self_attn, layer.mlp
    parts = {name for name, _ in layer.named_children()}
    inner = {name for name, _ in attention.named_children()}
    before, between = layer.input_layernorm, layer.post_attention_layernorm
    if (
        parts != {"self_attn", "mlp", "input_layernorm", "post_attention_layernorm"}
        or inner != {"q_proj", "k_proj", "v_proj", "o_proj"}
        or {name for name, _ in mlp.named_children()} != {"gate_proj", "up_proj", "down_proj", "act_fn"}
        or type(mlp.act_fn).__name__ not in ("SiLU", "SiLUActivation")
        or any(type(each) is not type(norm) for each in (before, between))
        or {before.variance_epsilon, between.variance_epsilon} != {norm.variance_epsilon}
        or getattr(attention, "sliding_window", None)
        or abs(attention.scaling - attention.head_dim**-0.5) > 1e-9
    ):
        raise _OtherShape
    found = (attention.q_proj, attention.k_proj, attention.v_proj, attention.o_proj)
    query, key, value, out = map(_product, found)
    gate, up, down = map(_product, (mlp.gate_proj, mlp.up_proj, mlp.down_proj))
    return _Layer(query, key, value, out, gate, up, down, before.weight, between.weight)


def _product(layer: Any) -> Product:
    """A layer's forward itself, without the hooks that a call looks for."""
    if layer._forward_hooks or layer._forward_pre_hooks:
        raise _OtherShape
    forward: Product = layer.forward
    return forward


def agree(one: "Tensor", other: "Tensor") -> bool:
    """Whether two forms of a step gave the same states, up to rounding."""
    difference = (one.float() - other.float()).norm(dim=-1) / other.float().norm(dim=-1)
    return bool((difference < CLOSE).all())
