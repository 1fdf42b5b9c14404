"""The output head, whose arithmetic is a quarter of a small model's and whose memory traffic can be more.

At a vocabulary of 49,152, the logits of 256 tokens are 50 MB. Written anew for every call, they cost as much again as
the product itself: the system hands out fresh pages, and each step after (maximum, exponential, sum, their gradients)
goes through all of them. Here the vocabulary passes in slices that stay in the processor's cache, with a running
maximum and sum (online softmax: Milakov and Gimelshein 2018, arXiv:1805.02867), and what has to be kept whole, for the
gradient, is kept in one buffer that is used again. The numbers are those of ``log_softmax`` up to rounding.

Logits are float32 whatever the weights are: in bfloat16 they would lie up to an eighth apart. On a CPU a slice of
bfloat16 weights is widened while it is in the cache. The gradient of such a head, and of any on a GPU, is not sliced,
and heads that are more than a product (a bias, an adapter, soft-capped logits) leave theirs to autograd. A head of
another kind (``own``) is the model's forward itself, with the states in place of its decoder's.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import torch

from resources.base_model import decoder_of

if TYPE_CHECKING:
    from torch import Tensor

LOGITS_PER_PASS = {"cpu": 256, "cuda": 4096}  # rows of the output head at a time; each is a vocabulary wide
SLICE = 4096  # of the vocabulary


class Head:
    """The head of ``causal``, a transformers model. States are [n, hidden], targets [n] token ids."""

    def __init__(self, causal: Any) -> None:
        self._causal = causal
        config = causal.config.get_text_config()
        self._scale = getattr(config, "logit_scale", None) or 1.0  # Cohere
        self._scale /= getattr(config, "logits_scaling", None) or 1.0  # Granite
        self._cap = getattr(config, "final_logit_softcapping", None)  # Gemma
        self._buffer: Tensor | None = None
        self.own = False
        self.rows = LOGITS_PER_PASS.get(causal.device.type, LOGITS_PER_PASS["cpu"])

    def logits(self, states: "Tensor") -> "Tensor":
        """float32 [n, vocabulary], not rounded to the weights' type where the head is a plain product."""
        if self.own:
            return self._by_own_forward(states)
        weight = self._product()
        logits: Tensor
        if weight is None or weight.dtype == torch.float32:
            logits = self._causal.get_output_embeddings()(states).float()
        elif states.requires_grad:
            logits = states.float() @ weight.float().T
        elif weight.is_cuda:
            logits = torch.mm(states, weight.T, out_dtype=torch.float32)
        else:
            logits = torch.empty(len(states), len(weight))
            for start, part in self._slices(states, weight):
                logits[:, start : start + part.shape[1]] = part
        if self._scale != 1.0:
            logits = logits * self._scale
        if self._cap:
            logits = self._cap * (logits / self._cap).tanh()
        return logits

    def first(self, states: "Tensor") -> "Tensor":
        """The likeliest next token of each state: int64 [n]."""
        weight = self._sliced()
        if weight is None:
            return self.logits(states).argmax(dim=1)
        rounded = states @ weight.T
        most = rounded.amax(dim=1, keepdim=True)
        # Of the tokens within a rounding of the largest logit, the one that is largest unrounded.
        rows, tokens = (rounded >= most - most.abs() * torch.finfo(rounded.dtype).eps).nonzero(as_tuple=True)
        exact = (states[rows].float() * weight[tokens].float()).sum(dim=1)
        best = torch.full((len(states),), -torch.inf).scatter_reduce_(0, rows, exact, "amax")
        chosen = (exact == best[rows]).nonzero()[:, 0]
        return torch.zeros(len(states), dtype=torch.int64).index_put_((rows[chosen],), tokens[chosen])

    def scores(self, states: "Tensor", targets: "Tensor") -> "tuple[Tensor, Tensor]":
        """The targets' natural log-probabilities, float32 [n], and whether each is the likeliest token, bool [n]."""
        picked, most, mass = (
            torch.cat(parts)
            for parts in zip(
                *(
                    self._sums(part, wanted)
                    for part, wanted in zip(
                        torch.split(states, 2 * self.rows), torch.split(targets, 2 * self.rows), strict=True
                    )
                ),
                strict=True,
            )
        )
        return picked - most - mass.log(), picked == most

    def peaks(self, states: "Tensor") -> "Tensor":
        """The likeliest token's natural log-probability, float32 [n]."""
        parts = torch.split(states, 2 * self.rows)
        nobody = torch.zeros(len(states), dtype=torch.int64, device=states.device)
        masses = [self._sums(part, nobody[: len(part)])[2] for part in parts]
        return -torch.cat(masses).log()

    def gradient(self, states: "Tensor", targets: "Tensor", weights: "Tensor") -> "tuple[Tensor, Tensor]":
        """Each target's negative log-likelihood, [n], and the gradient of their sum times ``weights`` [n], [n, hidden].

        No graph is needed: the gradient of a logit is its token's probability, less 1 for the target.
        """
        sliced, product = self._sliced(), self._product()
        lost, gradient = torch.empty(len(states), device=states.device), torch.empty_like(states)
        for start in range(0, len(states), self.rows):
            part = slice(start, start + self.rows)
            with torch.no_grad():
                if sliced is not None and sliced.dtype == torch.float32:
                    lost[part], gradient[part] = self._by_hand(states[part], targets[part], weights[part], sliced)
                elif product is not None:
                    lost[part], gradient[part] = self._whole(states[part], targets[part], weights[part], product)
                else:
                    lost[part], gradient[part] = self._by_graph(states[part], targets[part], weights[part])
        return lost, gradient

    def _by_own_forward(self, states: "Tensor") -> "Tensor":
        from transformers.modeling_outputs import BaseModelOutput

        class Output(BaseModelOutput):  # type: ignore[misc]
            def __getattr__(self, name: str) -> None:
                """Whatever else a decoder may return (a cache, router logits) was not asked for."""
                if name.startswith("_"):
                    raise AttributeError(name)

        decoder = vars(decoder_of(self._causal))
        decoder["forward"] = lambda *_, **__: Output(last_hidden_state=states[None])
        try:
            ids = torch.zeros(1, len(states), dtype=torch.int64, device=states.device)
            logits: Tensor = self._causal(input_ids=ids, use_cache=False).logits[0].float()
        finally:
            del decoder["forward"]
        return logits

    def _whole(
        self, states: "Tensor", targets: "Tensor", weights: "Tensor", weight: "Tensor"
    ) -> "tuple[Tensor, Tensor]":
        """The same with all logits at once, for the types and devices whose products are not to be cut.

        On a CPU they are rounded: a third of the time, and the gradient is rounded anyway.
        """
        logits = self.logits(states) if weight.is_cuda else (states @ weight.T).float() * self._scale
        log_mass = logits.logsumexp(dim=1)
        lost = log_mass - logits.gather(1, targets[:, None])[:, 0]
        shares = logits.sub_(log_mass[:, None]).exp_().to(weight.dtype)
        gradient = (shares @ weight).sub_(weight[targets])
        return lost, gradient.mul_((weights * self._scale)[:, None])

    def _by_graph(self, states: "Tensor", targets: "Tensor", weights: "Tensor") -> "tuple[Tensor, Tensor]":
        chunk = states.detach().requires_grad_()
        with torch.enable_grad():
            lost = -self.logits(chunk).log_softmax(dim=1).gather(1, targets[:, None])[:, 0]
            (gradient,) = torch.autograd.grad((lost * weights).sum(), chunk)
        return lost.detach(), gradient

    def _by_hand(
        self, states: "Tensor", targets: "Tensor", weights: "Tensor", weight: "Tensor"
    ) -> "tuple[Tensor, Tensor]":
        logits = self._room(len(states), len(weight))
        picked, most, mass = self._sums(states, targets, keep=logits)
        log_mass = most + mass.log()
        gradient = weight[targets].neg_()
        for start in range(0, len(weight), SLICE):
            part = logits[:, start : start + SLICE]
            part.sub_(log_mass[:, None]).exp_()
            gradient.addmm_(part, weight[start : start + SLICE])
        return log_mass - picked, gradient.mul_(weights[:, None] * self._scale)

    def _sums(
        self, states: "Tensor", targets: "Tensor", keep: "Tensor | None" = None
    ) -> "tuple[Tensor, Tensor, Tensor]":
        """Targets' logits, largest logits, sums of exponentials relative to them; ``keep`` gets all the logits."""
        weight = self._sliced()
        if weight is None:
            logits = self.logits(states)
            most = logits.amax(dim=1)
            return logits.gather(1, targets[:, None])[:, 0], most, (logits - most[:, None]).exp_().sum(dim=1)
        n = len(states)
        scaled = states.float() * self._scale if self._scale != 1.0 else states
        picked, most, mass = torch.empty(n), torch.full((n,), -torch.inf), torch.zeros(n)
        for start, logits in self._slices(scaled, weight, keep):
            here = ((targets >= start) & (targets < start + logits.shape[1])).nonzero()[:, 0]
            picked[here] = logits[here, targets[here] - start]
            higher = torch.maximum(most, logits.amax(dim=1))
            exponents = logits.sub_(higher[:, None]) if keep is None else logits - higher[:, None]
            mass = mass.mul_((most - higher).exp_()).add_(exponents.exp_().sum(dim=1))
            most = higher
        return picked, most, mass

    def _slices(
        self, states: "Tensor", weight: "Tensor", keep: "Tensor | None" = None
    ) -> "Iterator[tuple[int, Tensor]]":
        """``(first token, float32 logits [n, at most SLICE])`` in ``keep``, or in a buffer that the next overwrites."""
        states = states.float()
        room = self._room(len(states), SLICE) if keep is None else None
        for start in range(0, len(weight), SLICE):
            rows = weight[start : start + SLICE].float()
            logits = room[:, : len(rows)] if room is not None else keep[:, start : start + len(rows)]  # type: ignore[index]
            yield start, torch.mm(states, rows.T, out=logits)

    def _product(self) -> "Tensor | None":
        """[vocabulary, hidden] where the head is nothing but a product."""
        layer = self._causal.get_output_embeddings()
        if self.own or type(layer) is not torch.nn.Linear or layer.bias is not None or self._cap:
            return None
        weight: Tensor = layer.weight
        return weight.detach()

    def _sliced(self) -> "Tensor | None":
        """The same where it passes in slices: on a CPU."""
        weight = self._product()
        return weight if weight is not None and weight.device.type == "cpu" else None

    def _room(self, rows: int, width: int) -> "Tensor":
        """A buffer [rows, width] that the next call overwrites."""
        if self._buffer is None or len(self._buffer) < rows * width:
            with torch.inference_mode(False):
                self._buffer = torch.empty(rows * width)
        return self._buffer[: rows * width].view(rows, width)
