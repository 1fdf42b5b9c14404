"""Gradients by what a model reads: which token, were it another, would make a text likelier?"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from resources.forward import Forward
from resources.tree import plant

if TYPE_CHECKING:
    import torch

Pairs = Sequence[tuple[Sequence[int], Sequence[int]]]


def embedding_gradients(forward: Forward, pairs: Pairs) -> list[np.ndarray]:
    """Of log p(continuation | prefix) by the embedding of each token of the prefix: float32 [tokens, hidden] a pair.

    To first order, putting token ``new`` where ``old`` stands adds the gradient there times the difference of their
    embeddings (HotFlip: Ebrahimi et al., ACL 2018). Prefixes must not be empty. What the model's weights are is left
    alone: they need no gradient.
    """
    import torch

    causal, read = forward.causal, []

    def listen(_: Any, __: Any, embedded: "torch.Tensor") -> "torch.Tensor":
        read.append(embedded.detach().requires_grad_())
        return read[-1]

    handle = causal.get_input_embeddings().register_forward_hook(listen)
    try:
        with torch.enable_grad():
            tree = plant([(prefix, [tail]) for prefix, tail in pairs], device=causal.device, dtype=causal.dtype)
            states = forward.states(tree)
            sequences = zip(tree.paths, pairs, strict=True)
            before = np.concatenate([path[len(prefix) - 1 : -1] for path, (prefix, _) in sequences])
            chosen = states[torch.from_numpy(before).to(causal.device)]
            targets = torch.tensor([token for _, tail in pairs for token in tail], device=causal.device)
            weights = torch.full((len(targets),), -1.0, device=causal.device)  # of the likelihood, not of the loss
            _, gradient = forward.head.gradient(chosen.detach(), targets, weights)
            found = torch.autograd.grad(chosen, read, gradient)
    finally:
        handle.remove()
    rows = [found[0][0, path] for path in tree.paths] if forward.packed else [row for batch in found for row in batch]
    return [own[: len(prefix)].float().cpu().numpy() for own, (prefix, _) in zip(rows, pairs, strict=True)]
