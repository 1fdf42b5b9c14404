"""The LoRA weights as one flat vector, and AdamW on it.

Hundreds of small matrices become one tensor that the model's parameters are views of: clipping, noise, the sum over
processes, the optimiser and a checkpoint are then one operation each.
"""

from collections.abc import Sequence

import torch


class FlatAdamW:
    """AdamW (arXiv:1711.05101) over ``parameters``, whose ``data`` and ``grad`` become views of two flat vectors."""

    def __init__(self, parameters: Sequence[torch.nn.Parameter], *, weight_decay: float) -> None:
        self.weights = torch.cat([parameter.detach().flatten() for parameter in parameters]).float()
        self.gradient = torch.zeros_like(self.weights)
        place = 0
        for parameter in parameters:
            part = slice(place, place + parameter.numel())
            parameter.data = self.weights[part].view_as(parameter)
            parameter.grad = self.gradient[part].view_as(parameter)
            place += parameter.numel()
        self.weights.grad = self.gradient
        self._adamw = torch.optim.AdamW([self.weights], lr=0.0, weight_decay=weight_decay)

    def step(self, rate: float, clip: float) -> float:
        """Clip the gradient to norm ``clip`` (0: not at all), move the weights; returns the norm before clipping."""
        norm = float(self.gradient.norm())
        if clip and norm > clip:
            self.gradient.mul_(clip / norm)
        self._adamw.param_groups[0]["lr"] = rate
        self._adamw.step()
        return norm

    def state(self) -> dict[str, torch.Tensor]:
        """Weights and moments, for a checkpoint."""
        moments = self._adamw.state[self.weights]
        zero = torch.zeros_like(self.weights)
        return {
            "weights": self.weights,
            "exp_avg": moments.get("exp_avg", zero),
            "exp_avg_sq": moments.get("exp_avg_sq", zero),
        }

    def load(self, tensors: dict[str, torch.Tensor], steps: int) -> None:
        """Take up weights and moments after ``steps`` steps."""
        self.weights.copy_(tensors["weights"])
        self._adamw.state[self.weights] = {
            "step": torch.tensor(float(steps)),
            "exp_avg": tensors["exp_avg"].to(self.weights.device, copy=True),
            "exp_avg_sq": tensors["exp_avg_sq"].to(self.weights.device, copy=True),
        }
