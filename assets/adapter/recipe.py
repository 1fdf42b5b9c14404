"""The recipe: everything that decides what an adapter becomes, besides its data and its base."""

import contextlib
import dataclasses
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from resources.digests import digest_json
from resources.errors import InputError

ALL_LINEAR = "all-linear"
HEAVIEST = 16.0  # of a correction: more, and a handful of rows decides what a batch teaches


@dataclass(frozen=True, slots=True)
class Recipe:
    """How an adapter is trained, validated on construction. The defaults train the sample corpus in minutes."""

    # The adapter (LoRA, arXiv:2106.09685).
    rank: int = 8
    alpha: float = 16.0
    targets: str | tuple[str, ...] = ALL_LINEAR
    """``all-linear`` (every linear layer but the output head) or names of modules."""
    last_layers: int = 0
    """LoRA in at most this many of the last layers; 0: in all. The gradient goes no further down: where a third of the
    layers learn, training is half as fast again and takes less memory."""
    dropout: float = 0.0
    rslora: bool = False
    """Scale by alpha / sqrt(rank) (arXiv:2312.03732)."""
    dora: bool = False
    """Weight-decomposed LoRA (arXiv:2402.09353); slower, its layers are PEFT's own."""

    # The optimisation.
    epochs: int = 2
    max_steps: int = 0
    """Stop after this many optimiser steps; 0: after the epochs."""
    batch_size: int | Literal["auto"] = 8
    """Rows a batch. A batch too long for the memory is computed in parts; its gradient is the same. ``auto``: as many
    as fit at once, 4 to 64; ``training.json`` says how many it was."""
    accumulation: int = 1
    """Batches an optimiser step."""
    learning_rate: float = 4e-4
    """At 1e-3 an adapter drifts from the base about twice as far (``tests/benchmarks/evaluate_forgetting.py``)."""
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    warmup: float = 0.05
    """Share of the steps over which the learning rate rises."""
    weight_decay: float = 0.0
    clip: float = 1.0
    """Largest gradient norm; 0: no clipping."""
    max_tokens: int = 1024
    """A longer row is cut at its end."""
    seed: int = 0
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """Of the frozen weights; ``auto`` is bfloat16 where the processor computes in it, else float32. LoRA is float32."""
    device: str = "auto"
    quantization: Literal["none", "nf4", "int8"] = "none"
    """Keep the frozen weights in 4 bits (QLoRA, arXiv:2305.14314) or 8 while training. The adapter is one of the
    full-precision base, by whose digest it is released and on which it is tried."""
    gradient_checkpointing: bool | Literal["auto"] = False
    """Recompute activations on the way back: a third more time, a fraction of the memory. ``auto``: where they would
    not fit into the memory that is there."""
    fsdp: bool = False
    """Under ``torchrun``, each process keeps a share of the frozen layers only; the losses are those of one process."""

    # What people corrected.
    correction_weight: float = 2.0
    """How much a token of a correction (a row of a drop of kind ``feedback`` whose reviewer is named) counts in the
    loss against one of any other row; 1: the same, 0: not learnt. Under DP-SGD ``dp_clip`` bounds it like any row."""

    # The watch kept while it trains.
    evaluations_per_epoch: int = 1
    patience: int = 0
    """Stop after this many evaluations without a better held-out loss, and keep the best weights; 0: never."""
    checkpoint_every: int = 25
    """Steps between checkpoints, from which a killed run goes on."""

    # What lowers the risk of the adapter giving its training data away.
    deduplicate: bool = False
    """Train once on rows that say nearly the same: repetition is what models memorise (arXiv:2107.06499)."""
    goldfish: int = 0
    """Leave every n-th token out of the loss, chosen by its context (goldfish loss, arXiv:2406.10209); 0: none."""
    anchor: float = 0.0
    """Weight of KL(adapter || base) on the answers: stay near the base."""
    memorization_stop: float = 0.0
    """Stop when this share of sampled training answers comes out word for word where the base's does not; 0: never."""
    dp_noise: float = 0.0
    """Noise multiplier of DP-SGD (arXiv:1607.00133); 0: no differential privacy."""
    dp_clip: float = 1.0
    """Largest norm of one row's gradient under DP-SGD."""
    dp_delta: float = 1e-5

    def __post_init__(self) -> None:
        if isinstance(self.targets, list):  # as YAML and JSON give it
            object.__setattr__(self, "targets", tuple(self.targets))
        hints = {field.name: field.type for field in dataclasses.fields(self)}
        for name, hint in hints.items():
            _check_type(name, getattr(self, name), hint)
        at_least = {
            "rank": 1, "last_layers": 0, "epochs": 1, "max_steps": 0, "batch_size": 1, "accumulation": 1,
            "weight_decay": 0, "clip": 0, "max_tokens": 8, "seed": 0, "evaluations_per_epoch": 0, "patience": 0,
            "checkpoint_every": 1, "anchor": 0, "dp_noise": 0, "correction_weight": 0,
        }  # fmt: skip
        for name, least in at_least.items():
            value = getattr(self, name)
            _require(value == "auto" or value >= least, name, f"must be at least {least}")
        for name in ("alpha", "learning_rate", "dp_clip"):
            _require(getattr(self, name) > 0, name, "must be above 0")
        for name in ("dropout", "warmup", "memorization_stop"):
            _require(0 <= getattr(self, name) < 1, name, "must be in [0, 1)")
        _require(0 < self.dp_delta < 1, "dp_delta", "must be in (0, 1)")
        _require(self.correction_weight <= HEAVIEST, "correction_weight", f"must be at most {HEAVIEST:g}")
        _require(self.goldfish == 0 or self.goldfish >= 2, "goldfish", "must be 0 or at least 2")
        _require(bool(self.targets), "targets", "must name a module")
        _require(not (self.dp_noise and self.anchor), "anchor", "cannot be combined with dp_noise")
        _require(not (self.fsdp and self.quantization != "none"), "fsdp", "cannot be combined with quantization")
        _require(not (self.fsdp and self.memorization_stop), "fsdp", "cannot be combined with memorization_stop")
        _require(
            not (self.dp_noise and self.batch_size == "auto"), "batch_size", "decides what dp_noise promises: say it"
        )

    @classmethod
    def from_yaml(cls, path: Path) -> "Recipe":
        """Read a recipe file; ``InputError`` names what is wrong in it."""
        try:
            body = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise InputError(str(error), object_key=str(path), rule="recipe-readable") from error
        return cls.from_json(body or {}, str(path))

    @classmethod
    def from_json(cls, body: Any, where: str = "recipe") -> "Recipe":
        """A recipe from a mapping; ``InputError`` on an unknown field or a value outside its range."""
        if not isinstance(body, dict):
            raise InputError("a recipe is a mapping of field to value", object_key=where, rule="recipe-valid")
        unknown = sorted(set(body) - {field.name for field in dataclasses.fields(cls)})
        if unknown:
            raise InputError(f"unknown field {unknown[0]}", object_key=where, rule="recipe-valid")
        try:
            return cls(**{name: _number(name, value) for name, value in body.items()})
        except ValueError as error:
            raise InputError(str(error), object_key=where, rule="recipe-valid") from error

    def to_json(self) -> dict[str, Any]:
        body = dataclasses.asdict(self)
        body["targets"] = list(self.targets) if isinstance(self.targets, tuple) else self.targets
        return body

    @property
    def digest(self) -> str:
        return digest_json(self.to_json())

    def rate(self, step: int, steps: int) -> float:
        """Learning rate of optimiser step ``step`` (from 0) of ``steps``."""
        rising = math.ceil(self.warmup * steps)
        if step < rising:
            return self.learning_rate * (step + 1) / (rising + 1)
        done = (step - rising) / max(1, steps - rising)
        falling = {"constant": 1.0, "linear": 1 - done, "cosine": (1 + math.cos(math.pi * done)) / 2}
        return self.learning_rate * falling[self.schedule]


def _require(holds: bool, name: str, why: str) -> None:
    if not holds:
        raise ValueError(f"{name} {why}")


def _number(name: str, value: Any) -> Any:
    """YAML 1.1 reads ``1e-3`` as text; in a field that holds a number it is one."""
    if isinstance(value, str) and Recipe.__dataclass_fields__[name].type is float:
        with contextlib.suppress(ValueError):
            return float(value)
    return value


def _check_type(name: str, value: Any, hint: Any) -> None:
    """Refuse a value of another type, where Python would take ``true`` for 1."""
    choices = getattr(hint, "__args__", ())
    if Literal["auto"] in choices:
        if value == "auto":
            return
        hint, choices = hint.__args__[0], ()
    if choices and all(isinstance(choice, str) for choice in choices):
        _require(value in choices, name, f"must be one of {', '.join(choices)}")
    elif hint is float:
        _require(isinstance(value, int | float) and not isinstance(value, bool), name, "must be a number")
        _require(math.isfinite(value), name, "must be finite")
    elif hint is int:
        _require(isinstance(value, int) and not isinstance(value, bool), name, "must be a whole number")
    elif hint is bool:
        _require(isinstance(value, bool), name, "must be true or false")
    elif hint is str:
        _require(isinstance(value, str) and bool(value), name, "must be text")
    else:
        names = (value,) if isinstance(value, str) else value
        _require(
            isinstance(names, tuple) and all(isinstance(item, str) and item for item in names), name, "must be names"
        )
