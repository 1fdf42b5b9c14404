"""The model while it learns: a frozen base, a LoRA on top, and the gradient of a batch.

Where the time of a usual fine-tuning loop goes, and what is done here instead:

- padding, and the system turn every row repeats: rows are packed into one tree (``resources.tree``);
- logits of tokens that are not learnt, at a vocabulary of 49,152: the output head runs on learnt positions only, and
  takes its own gradient, with nothing as wide as the vocabulary kept (``resources.head``);
- five operations a LoRA layer: one (``resources.lora``);
- frozen weights in float32 where the processor multiplies bfloat16 four times as fast.

All of it is exact: the gradient is that of the mean over learnt tokens of a batch, as of one padded forward pass.
"""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch

from assets.adapter.engine.processes import Processes
from assets.adapter.protection.goldfish import keeps
from assets.adapter.recipe import ALL_LINEAR, Recipe
from assets.adapter.rows.batches import passes
from assets.adapter.rows.dialogues import Example
from assets.adapter.rows.token_file import lengths
from resources.base_model import choose_device, choose_dtype, decoder_of, load_base, quiet
from resources.errors import ModelError
from resources.forward import TOKENS_PER_PASS, Forward
from resources.kept_states import KeptStates
from resources.lora import fuse
from resources.tree import Tree, plant
from resources.trunk import KEPT_BYTES

if TYPE_CHECKING:
    from torch import Tensor

STATE_SPACE = ("mamba", "mamba2", "falcon_mamba", "falcon_h1", "nemotron_h")  # as PEFT lists them


@dataclass(frozen=True, slots=True)
class Loss:
    """Sums over ``tokens`` learnt tokens: negative log-likelihood, and KL(adapter || base) where it was asked for.

    ``weight`` is the sum of the tokens' weights, by which the gradient of their weighted loss is to be divided. The
    sums themselves are not weighted: losses of recipes that weigh differently can be compared.
    """

    nll: float
    divergence: float
    tokens: int
    weight: float

    def __add__(self, other: "Loss") -> "Loss":
        return Loss(
            self.nll + other.nll,
            self.divergence + other.divergence,
            self.tokens + other.tokens,
            self.weight + other.weight,
        )

    @property
    def mean(self) -> float:
        return self.nll / self.tokens if self.tokens else 0.0


NO_LOSS = Loss(0.0, 0.0, 0, 0.0)
ALONE = Processes()
NOTHING = Example("", (0, 0), ())  # two tokens to read, none to learn


class Learner:
    """``parameters`` are the LoRA weights, float32, in the order of the model.

    ``cache`` is where states of the base are kept for the next candidate (``resources.kept_states``).
    """

    def __init__(self, base: Path, recipe: Recipe, processes: Processes = ALONE, cache: Path | None = None) -> None:
        from peft import LoraConfig, get_peft_model

        torch.manual_seed(recipe.seed)
        self.recipe, self.processes = recipe, processes
        device = choose_device(recipe.device)
        self.checkpointed = False
        self.sharded = recipe.fsdp and processes.world > 1
        dtype = str(choose_dtype(recipe.dtype, device)).removeprefix("torch.")
        model: Any = load_base(
            base, device="cpu" if self.sharded else device, dtype=dtype, quantization=recipe.quantization
        )
        targets = _targets(model, recipe)
        config = LoraConfig(
            r=recipe.rank, lora_alpha=cast(int, recipe.alpha), target_modules=targets, lora_dropout=recipe.dropout,
            use_rslora=recipe.rslora, use_dora=recipe.dora, task_type="CAUSAL_LM",
        )  # fmt: skip
        with quiet():
            try:
                self.model: Any = get_peft_model(model, config)
            except ValueError as error:
                raise ModelError(f"{type(model).__name__} takes no LoRA in {recipe.targets}: {error}") from error
        fuse(self.model)
        if self.sharded:
            layers = getattr(decoder_of(model), "layers", None)
            if layers is None:
                raise ModelError(f"fsdp: {type(model).__name__} does not say which its layers are")
            processes.shard(layers, device)
            self.model.to(device)
        if recipe.gradient_checkpointing is True:
            self.checkpoint_activations()
        self.forward = Forward(self.model)
        self.device = model.device
        self.dtype = model.dtype
        self.parameters = [weight for weight in self.model.parameters() if weight.requires_grad]
        self.budget = TOKENS_PER_PASS.get(self.device.type, TOKENS_PER_PASS["cpu"])  # tokens a pass
        whole = recipe.quantization == "none" and not self.sharded
        self.shelf = KeptStates.of(base, cache, self.dtype, self.device) if whole else None
        self._below: dict[tuple[int, ...], Tensor] = {}

    def checkpoint_activations(self) -> None:
        """From now on, compute activations again on the way back instead of keeping them."""
        self.checkpointed = True
        with quiet():
            self.model.enable_input_require_grads()
            self.model.activation_checkpointing_enable({"use_reentrant": False})

    def prepare(self, examples: Sequence[Example]) -> None:
        """Compute once what layers below the adapter make of examples that will be read again and again.

        Does nothing where there is no such layer or its states would not fit the memory set aside for them.
        """
        trunk, config = self.forward.trunk, self.forward.causal.config.get_text_config()
        size = int(lengths(examples).sum()) * config.hidden_size * self.dtype.itemsize
        fixed = not (self.checkpointed or self.sharded or getattr(config, "attention_dropout", False))
        if not (self.forward.packed and trunk.depth and fixed) or size > KEPT_BYTES:
            return
        ordered = sorted(examples, key=lambda example: (len(example.ids), example.ids))  # as rows come changes no bit
        self.model.eval()
        for part in passes(ordered, self.budget):
            tree = self.planted(part)
            with torch.no_grad():
                states = trunk.below(tree, self.shelf)[0]
            for path, example in zip(tree.paths, part, strict=True):
                self._below[example.ids] = states[torch.from_numpy(path).to(self.device)]

    def planted(self, part: Sequence[Example]) -> Tree:
        """The examples as one packed row."""
        firsts = [example.spans[0][0] if example.spans else 1 for example in part]
        groups = [(example.ids[:first], [example.ids[first:]]) for example, first in zip(part, firsts, strict=True)]
        return plant(groups, device=self.device, dtype=self.dtype)

    def _states(self, tree: Tree, part: Sequence[Example]) -> "Tensor":
        if not all(example.ids in self._below for example in part):
            return self.forward.states(tree)
        below = self._below[part[0].ids].new_zeros(1, tree.ids.shape[1], self._below[part[0].ids].shape[1])
        for path, example in zip(tree.paths, part, strict=True):
            below[0, torch.from_numpy(path).to(self.device)] = self._below[example.ids]
        return self.forward.trunk.above(tree, below)

    def accumulate(self, examples: Sequence[Example], seed: int) -> Loss:
        """Add the gradient of the batch's summed, weighted loss to the parameters' ``grad``. ``seed`` fixes dropout."""
        self.model.train()
        torch.manual_seed(seed)
        total = NO_LOSS
        for part in self._passes(examples):
            total += self._pass(part, learn=True)
        return total

    def loss(self, examples: Sequence[Example]) -> Loss:
        """Summed loss without learning, on every label, dropout off."""
        self.model.eval()
        total = NO_LOSS
        for part in self._passes(examples):
            with torch.no_grad() if self.sharded else torch.inference_mode():
                total += self._pass(part, learn=False)
        return total

    def _passes(self, examples: Sequence[Example]) -> list[list[Example]]:
        """The examples in parts. Processes that share layers all make the same number of them."""
        parts = list(passes(examples, self.budget))
        if self.sharded:
            parts += [[NOTHING]] * (self.processes.most(len(parts)) - len(parts))
        return parts

    def _pass(self, part: Sequence[Example], *, learn: bool) -> Loss:
        tree = self.planted(part)
        before, wanted, weights = self._labels(tree, part, learn=learn)
        if not len(before) and not self.sharded:
            return NO_LOSS
        targets = tree.ids[0].index_select(0, wanted)
        anchor = None
        with self.forward.sharing() if self.recipe.anchor else contextlib.nullcontext():
            chosen = self._states(tree, part).index_select(0, before)
            if self.recipe.anchor and learn:
                with torch.no_grad(), self.model.disable_adapter():
                    anchor = self._states(tree, part).index_select(0, before)
        nll, divergence, gradient = self._head(chosen.detach(), targets, weights, anchor, learn=learn)
        if learn:
            torch.autograd.backward(chosen, gradient)
        return Loss(nll, divergence, len(targets), weights.sum().item())

    def _labels(self, tree: Tree, part: Sequence[Example], *, learn: bool) -> tuple["Tensor", "Tensor", "Tensor"]:
        """Where the token before each learnt token stands in the packed row, where it does itself, and its weight."""
        before, wanted, weights = [], [], []
        for path, example in zip(tree.paths, part, strict=True):
            spans = [np.arange(start, end) for start, end in example.spans]
            if learn and self.recipe.goldfish:
                spans = [span[keeps(example.ids[span[0] : span[-1] + 1], self.recipe.goldfish)] for span in spans]
            places = np.concatenate([np.empty(0, np.int64), *spans])
            before.append(path[places - 1])
            wanted.append(path[places])
            weights.append(np.full(len(places), example.weight if learn else 1.0, np.float32))
        return tuple(torch.from_numpy(np.concatenate(rows)).to(self.device) for rows in (before, wanted, weights))  # type: ignore[return-value]

    def _head(
        self, states: "Tensor", targets: "Tensor", weights: "Tensor", anchor: "Tensor | None", *, learn: bool
    ) -> tuple[float, float, "Tensor"]:
        """Loss of chosen states, their divergence from the anchor, and the gradient of the weighted sum of both."""
        head = self.forward.head
        if not learn:
            return -head.scores(states, targets)[0].sum().item(), 0.0, states
        if anchor is None:
            lost, gradient = head.gradient(states, targets, weights)
            return lost.sum().item(), 0.0, gradient
        gradient = torch.empty_like(states)
        nll = divergence = 0.0
        for start in range(0, len(states), head.rows):
            part = slice(start, start + head.rows)
            chunk = states[part].requires_grad_()
            logs = head.logits(chunk).log_softmax(dim=1)
            lost = -logs.gather(1, targets[part, None])[:, 0]
            with torch.no_grad():
                reference = head.logits(anchor[part]).log_softmax(dim=1)
            apart = (logs.exp() * (logs - reference)).sum()  # it holds every token alike
            total = (lost * weights[part]).sum() + self.recipe.anchor * apart
            gradient[part] = torch.autograd.grad(total, chunk)[0]
            nll += lost.sum().item()
            divergence += apart.item()
        return nll, divergence, gradient


def _all_linear(model: Any) -> str | list[str]:
    """All linear layers of the decoder, but those that a LoRA does not fit.

    A state-space model's kernels read some weights past their forward; a router is a linear layer that returns more
    than a product. What lies outside the decoder sees no text (a picture's encoder) or is the output head.
    """
    inside = {id(module) for module in decoder_of(model).modules()}
    head = model.get_output_embeddings()
    linear = {name: module for name, module in model.named_modules() if isinstance(module, torch.nn.Linear)}
    fit = [
        name
        for name, module in linear.items()
        if id(module) in inside
        and "Router" not in type(module).__name__
        and not (model.config.model_type in STATE_SPACE and name.endswith("out_proj"))
    ]
    return ALL_LINEAR if len(fit) == sum(module is not head for module in linear.values()) else fit


def _targets(model: Any, recipe: Recipe) -> str | list[str]:
    """The modules that get a LoRA, as PEFT wants them named."""
    chosen = recipe.targets if isinstance(recipe.targets, str) else list(recipe.targets)
    if not recipe.last_layers:
        return _all_linear(model) if chosen == ALL_LINEAR else chosen
    layers = getattr(decoder_of(model), "layers", None)
    if layers is None:
        raise ModelError(f"last_layers: {type(model).__name__} does not say which its layers are; train all of them")
    learning = {id(module) for layer in layers[-recipe.last_layers :] for module in layer.modules()}
    ends = ("",) if chosen == ALL_LINEAR else (chosen,) if isinstance(chosen, str) else tuple(chosen)
    return [
        name
        for name, module in model.named_modules()
        if id(module) in learning and isinstance(module, torch.nn.Linear) and name.endswith(ends)
    ]
