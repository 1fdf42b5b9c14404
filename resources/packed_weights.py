"""Weights laid out once as the processor's matrix unit reads them, for a model that only answers.

A product of few rows, as each token of a small batch is, costs what reading the weights costs. oneDNN reads them in
blocks of its own; given an ordinary matrix it lays it out anew at every call, which takes as long again. Here each
linear layer of a decoder keeps the laid-out form and gives the ordinary one back to the system, so that nothing but
answering can be done with the model afterwards. The numbers are those of the same product, up to rounding.

Only a plain layer on a CPU with oneDNN is packed, and only where it then says what it said before.
"""

from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from torch import Tensor

ROWS = 8  # of the products that the layout is chosen for
LEAST = 64  # features a side of a layer that is worth it


class _Packed:
    """The forward of one layer."""

    def __init__(self, layer: torch.nn.Linear) -> None:
        self._weight = torch.ops.mkldnn._reorder_linear_weight(layer.weight.detach(), ROWS)
        self._bias = layer.bias

    def __call__(self, x: "Tensor") -> "Tensor":
        said: Tensor = torch.ops.mkldnn._linear_pointwise(x, self._weight, self._bias, "none", [], "")
        return said


@torch.inference_mode()
def pack(decoder: Any) -> int:
    """Pack the linear layers of a decoder in place; how many there were."""
    if not hasattr(torch.ops.mkldnn, "_reorder_linear_weight"):
        return 0
    packed = 0
    for name, layer in decoder.named_modules():
        if type(layer) is not torch.nn.Linear or "forward" in vars(layer) or not _plain(decoder, name, layer):
            continue
        x = torch.linspace(-1, 1, ROWS * layer.in_features).view(ROWS, -1).to(layer.weight.dtype)
        forward, before = _Packed(layer), layer(x)
        if not torch.allclose(forward(x).float(), before.float(), rtol=0.02, atol=0.02 * float(before.abs().max())):
            continue
        vars(layer)["forward"] = forward
        layer.weight.data = layer.weight.data.new_empty(0)
        packed += 1
    return packed


def _plain(decoder: Any, name: str, layer: torch.nn.Linear) -> bool:
    """Whether nothing but the layer's own forward reads its weight."""
    weight = layer.weight
    if weight.device.type != "cpu" or weight.dtype not in (torch.bfloat16, torch.float32) or min(weight.shape) < LEAST:
        return False
    if "lora_" in name or "modules_to_save" in name:
        return False
    owner = decoder.get_submodule(name.rpartition(".")[0])
    # Below an adapter's layer it is read by that layer, but for the one-step forward, which asks it.
    return not name.endswith(".base_layer") or "forward" in vars(owner)
