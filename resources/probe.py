"""Which form of a model gives its own numbers: found out on a few tokens, before anything is computed in earnest.

The probe is longer than any window of the model's attention: windows are shortened while it runs, in the model and so
in every form of it. A model of thousands of tokens' window is tried on nine.
"""

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from resources.errors import ModelError
from resources.tree import Tree, plant
from resources.tree_attention import NAME

if TYPE_CHECKING:
    import torch

    from resources.forward import Decoding, Form, Forward

WINDOWS = (
    "sliding_window",
    "sliding_window_size",
    "attention_chunk_size",
    "floor_scale",
)  # in a config or a layer: lengths in tokens
SHORT_WINDOW = 4
# What a model raises that was written for other inputs than a packed row or another cache.
ODD = (NotImplementedError, TypeError, ValueError, RuntimeError, AttributeError, IndexError, KeyError, AssertionError)
Paths = list[tuple[int, ...]]


# What was found out in this process, by what a model is made of: a lineage loads its base a dozen times.
_found: dict[tuple[Any, ...], "tuple[Form, bool, int]"] = {}
_found_decoding: dict[tuple[Any, ...], "Decoding | None"] = {}


def settle(forward: "Forward") -> None:
    """Set ``form``, the head's kind and the trunk's depth of a model just loaded; ``ModelError`` if nothing fits it."""
    made_of = _made_of(forward)
    if made_of not in _found:
        _find_out(forward)
        _found[made_of] = forward.form, forward.head.own, forward.trunk.depth
        return
    forward.form, forward.head.own, forward.trunk.depth = _found[made_of]
    if forward.packed:
        forward.causal.set_attn_implementation(NAME)


def _made_of(forward: "Forward") -> tuple[Any, ...]:
    causal = forward.causal
    modules = tuple((name, type(module)) for name, module in forward.model.named_modules())
    return causal.config.to_json_string(use_diff=False), causal.dtype, causal.device.type, forward.form, modules


def _find_out(forward: "Forward") -> None:
    import torch

    causal = forward.causal
    usual = causal.config._attn_implementation
    tree, paths = _probe(forward)
    with torch.no_grad(), _short_windows(causal):
        forward.form = "single"
        alone = _own(forward, tree)
        _must_be_causal(forward, paths, alone)
        _settle_head(forward, tree, alone)
        forward.form = "padded"
        if not close(_own(forward, tree), alone, causal):
            forward.form = "single"
        with contextlib.suppress(*ODD):
            causal.set_attn_implementation(NAME)
            if close(_used(forward.trunk.states(tree), tree), alone, causal):
                forward.form = "packed"
        if forward.packed:
            _settle_depth(forward, tree, alone)
        else:
            causal.set_attn_implementation(usual)


def settle_decoding(forward: "Forward") -> None:
    """Set ``decoding``: the fastest way of generating that follows the model's own numbers."""
    made_of = _made_of(forward)
    if made_of not in _found_decoding:
        _find_out_decoding(forward)
        _found_decoding[made_of] = forward.decoding
    forward.decoding = _found_decoding[made_of]


def _find_out_decoding(forward: "Forward") -> None:
    import torch

    from resources.decoding import WAYS, Dictation

    _, paths = _probe(forward)
    spoken = [path[-3:] for path in paths]
    prompts = [path[:-3] for path in paths]
    with torch.no_grad(), _short_windows(forward.causal):
        wanted = torch.cat([_alone(forward, path)[-4:-1] for path in paths])
        for name, way in WAYS.items():
            if name == "packed" and not forward.packed:
                continue
            dictation = Dictation(spoken)
            with contextlib.suppress(*ODD):
                way(forward, prompts, frozenset(), 3, dictation)
                if close(dictation.states, wanted, forward.causal):
                    forward.decoding = name
                    return
    raise ModelError(f"{_name(forward)} does not generate what its own forward says")


def close(found: "torch.Tensor", wanted: "torch.Tensor", causal: Any, tolerance: float = 0.1) -> bool:
    """Equal up to rounding, row by row: a wrong mask or position moves a whole row.

    ``tolerance`` is that of half precision and of quantized weights.
    """
    import torch

    if causal.dtype == torch.float32 and not getattr(causal, "is_quantized", False):
        tolerance = 1e-3
    distance = (found.float() - wanted.float()).norm(dim=1) / wanted.float().norm(dim=1).clamp_min(1e-6)
    return bool(distance.max() <= tolerance)


def _probe(forward: "Forward") -> tuple[Tree, Paths]:
    """A tree of three levels, and its sequences."""
    causal = forward.causal
    # From the midst of the vocabulary: what special tokens out of place do to a model is chaos in bfloat16.
    size = causal.config.get_text_config().vocab_size
    tokens = [size * place // 13 for place in range(2, 11)]
    groups = [(tuple(tokens[:6]), [[tokens[6]], [tokens[7], tokens[1]]]), (tuple(tokens[:5]), [[tokens[8], tokens[2]]])]
    tree = plant(groups, device=causal.device, dtype=causal.dtype)
    ids = tree.ids[0].tolist()
    return tree, [tuple(ids[place] for place in path) for path in tree.paths]


def _used(states: "torch.Tensor", tree: Tree) -> "torch.Tensor":
    return states[np.concatenate(tree.paths)]


def _own(forward: "Forward", tree: Tree) -> "torch.Tensor":
    try:
        return _used(forward.own_states(tree), tree)
    except ODD as error:
        raise ModelError(f"{_name(forward)} cannot be run on text alone: {_first_line(error)}") from error


def _alone(forward: "Forward", path: tuple[int, ...]) -> "torch.Tensor":
    """Last hidden states of one sequence by the model's own forward."""
    import torch

    ids = torch.tensor([path], device=forward.causal.device)
    states: torch.Tensor = forward.decoder(input_ids=ids, use_cache=False).last_hidden_state[0]
    return states


def _settle_head(forward: "Forward", tree: Tree, states: "torch.Tensor") -> None:
    """A head that is not the usual product, scaled and capped in the usual ways, is run as the model runs it."""
    causal = forward.causal
    path = tree.paths[-1]
    own = causal(input_ids=tree.ids[:, path], use_cache=False).logits[0].float()
    for forward.head.own in (False, True):
        with contextlib.suppress(*ODD):
            if close(forward.head.logits(states[-len(path) :]), own, causal):
                return
    raise ModelError(f"the output head of {_name(forward)} is not one Hallmark understands")


def _must_be_causal(forward: "Forward", paths: Paths, alone: "torch.Tensor") -> None:
    """The states of a sequence's beginning are those of the beginning by itself."""
    begun = _alone(forward, paths[0][:4])
    if not close(begun, alone[:4], forward.causal, tolerance=0.3):
        raise ModelError(f"{_name(forward)} is no causal language model: later tokens change what it makes of a token")


def _settle_depth(forward: "Forward", tree: Tree, alone: "torch.Tensor") -> None:
    """States cannot be taken up below the adapter where they are scaled on their way in, as in Gemma."""
    with contextlib.suppress(*ODD), forward.sharing():
        again = [forward.trunk.states(tree) for _ in range(2)][1]
        if close(_used(again, tree), alone, forward.causal):
            return
    forward.trunk.depth = 0


@contextlib.contextmanager
def _short_windows(causal: Any) -> Iterator[None]:
    """Every window of the model's attention is ``SHORT_WINDOW`` tokens."""
    owners = {id(owner): owner for owner in (causal.config, causal.config.get_text_config())}
    owners |= {id(module): module for module in causal.modules()}
    owners |= {id(module.config): module.config for module in causal.modules() if hasattr(module, "config")}
    lengths = [
        (owner, name, value)
        for owner in owners.values()
        for name in WINDOWS
        if isinstance(value := getattr(owner, name, None), int) and value > SHORT_WINDOW
    ]
    try:
        for owner, name, _ in lengths:
            setattr(owner, name, SHORT_WINDOW)
        yield
    finally:
        for owner, name, value in lengths:
            setattr(owner, name, value)


def _name(forward: "Forward") -> str:
    return type(forward.causal).__name__


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
