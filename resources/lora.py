"""LoRA layers in one step each: the same numbers as PEFT's, with fewer passes over memory.

PEFT adds an adapter to a linear layer in five operations, each of which writes an activation and keeps it for the way
back. Here the layer is one operation: ``y = x W' + s (x A') B'``, accumulated in place, which keeps only its input and
the rank-wide ``x A'``. The frozen ``W`` gets no gradient. Hu et al. 2021, arXiv:2106.09685.

Only a plain layer is replaced (one active adapter, no DoRA or other variant, no dropout in force): others keep PEFT's.
"""

from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from torch import Tensor


class LoraLinear(torch.autograd.Function):
    """``x`` [T, in], ``weight`` [out, in], ``down`` (A) [r, in], ``up`` (B) [out, r]; A, B perhaps of a wider type."""

    @staticmethod
    def forward(
        ctx: Any, x: "Tensor", weight: "Tensor", bias: "Tensor | None", down: "Tensor", up: "Tensor", scale: float
    ) -> "Tensor":
        ctx.scale, ctx.dtype = scale, down.dtype
        down, up = down.to(x.dtype), up.to(x.dtype)
        narrow = x @ down.T
        y = torch.nn.functional.linear(x, weight, bias)
        y.addmm_(narrow, up.T, alpha=scale)
        ctx.save_for_backward(x, narrow, weight, down, up)
        return y

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> "tuple[Tensor | None, ...]":
        x, narrow, weight, down, up = ctx.saved_tensors
        dy = grads[0]
        d_narrow = (dy @ up).mul_(ctx.scale)
        d_up = (narrow.T @ dy).T.to(ctx.dtype).mul_(ctx.scale)
        d_down = (d_narrow.T @ x).to(ctx.dtype)
        dx = None
        if ctx.needs_input_grad[0]:
            dx = dy @ weight
            dx.addmm_(d_narrow, down)
        return dx, None, None, d_down, d_up, None


def fuse(model: Any) -> int:
    """Give every plain LoRA layer of a PEFT model the one-step forward; returns how many there were."""
    from peft.tuners.lora import Linear

    layers = [module for module in model.modules() if isinstance(module, Linear) and _plain(module)]
    for layer in layers:
        vars(layer)["forward"] = _Fused(layer)
    return len(layers)


def _plain(layer: Any) -> bool:
    return (
        len(layer.active_adapters) == 1
        and not layer.lora_variant
        and not any(layer.lora_bias.values())
        and not layer.fan_in_fan_out
        and type(layer.base_layer) is torch.nn.Linear
    )


class _Fused:
    """The forward of one layer. It falls back to PEFT's own whenever the layer is not in its plain state."""

    def __init__(self, layer: Any) -> None:
        self.layer = layer

    def __call__(self, x: "Tensor", *args: Any, **kwargs: Any) -> "Tensor":
        layer = self.layer
        if layer.disable_adapters:
            result: Tensor = layer.base_layer(x)
            return result
        name = layer.active_adapters[0]
        dropout = layer.lora_dropout[name]
        if layer.merged or (layer.training and isinstance(dropout, torch.nn.Dropout) and dropout.p > 0):
            usual: Tensor = type(layer).forward(layer, x, *args, **kwargs)
            return usual
        base = layer.base_layer
        down, up = layer.lora_A[name].weight, layer.lora_B[name].weight
        if "forward" in vars(base):  # packed (``resources.packed_weights``): nothing is learnt any more
            rows = x.reshape(-1, x.shape[-1])
            said: Tensor = base(rows).addmm_(rows @ down.T, up.T, alpha=layer.scaling[name])
            return said.view(*x.shape[:-1], -1)
        flat: Tensor = LoraLinear.apply(  # type: ignore[no-untyped-call]
            x.reshape(-1, x.shape[-1]), base.weight, base.bias, down, up, layer.scaling[name]
        )
        return flat.view(*x.shape[:-1], -1)
