"""DP-SGD: each row's gradient clipped, noise added, and what that promises.

Abadi et al. 2016, arXiv:1607.00133. Rows are sampled independently (Poisson), as the accountant assumes. The accountant
is Renyi differential privacy of the subsampled Gaussian mechanism (Mironov, Talwar, Zhang 2019, arXiv:1908.10530), for
integer orders, turned into (epsilon, delta) by Balle et al. 2020, arXiv:1905.09982, theorem 21. Neighbouring data sets
differ in one row added or removed. The random numbers are a PCG64 stream from a secret 128-bit seed.
"""

import math
from collections.abc import Sequence

import numpy as np

from assets.adapter.engine.learner import NO_LOSS, Learner, Loss
from assets.adapter.engine.optimizer import FlatAdamW
from assets.adapter.rows.dialogues import Example

ORDERS = (*range(2, 64), *range(64, 256, 8), *range(256, 1025, 64))


def private_gradient(
    learner: Learner,
    optimizer: FlatAdamW,
    rows: Sequence[Sequence[Example]],
    expected: float,
    random: np.random.Generator,
) -> Loss:
    """Fill the gradient with the clipped, noised mean of the rows' gradients; a row is all examples of one record.

    ``expected`` is the mean number of rows a step: dividing by the number drawn would leak it.
    """
    import torch

    recipe = learner.recipe
    total, mean = NO_LOSS, torch.zeros_like(optimizer.gradient)
    for row in rows:
        optimizer.gradient.zero_()
        loss = learner.accumulate(row, seed=int(random.integers(1 << 31)))
        total += loss
        optimizer.gradient.div_(max(1, loss.tokens))
        norm = float(optimizer.gradient.norm())
        mean.add_(optimizer.gradient, alpha=min(1.0, recipe.dp_clip / max(norm, 1e-12)))
    noise = torch.from_numpy(random.standard_normal(mean.numel(), dtype=np.float32)).to(mean.device)
    mean.add_(noise, alpha=recipe.dp_noise * recipe.dp_clip)
    optimizer.gradient.copy_(mean.div_(expected))
    return total


def epsilon(noise: float, rate: float, steps: int, delta: float) -> float:
    """The epsilon that ``steps`` steps with this noise multiplier and sampling rate keep at ``delta``."""
    if not noise:
        return math.inf
    spent: float = min(
        steps * _renyi(noise, rate, order) + math.log1p(-1 / order) - math.log(delta * order) / (order - 1)
        for order in ORDERS
    )
    return spent


def _renyi(noise: float, rate: float, order: int) -> float:
    """Renyi divergence of one step at an integer order (Mironov et al., equation 3.3, summed in log space)."""
    if rate >= 1:
        return order / (2 * noise * noise)
    terms = [
        math.lgamma(order + 1) - math.lgamma(k + 1) - math.lgamma(order - k + 1)
        + k * math.log(rate) + (order - k) * math.log1p(-rate) + k * (k - 1) / (2 * noise * noise)
        for k in range(order + 1)
    ]  # fmt: skip
    top = max(terms)
    divergence: float = (top + math.log(sum(math.exp(term - top) for term in terms))) / (order - 1)
    return divergence
