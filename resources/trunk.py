"""The layers below an adapter: the same with the adapter on and off, so a paired reading passes them once.

LoRA is often put into the last layers only (``last_layers`` of a recipe). Below the first of them base and adapter
compute the same states. While ``Trunk.sharing`` is open, the states of every packed row at that layer are kept, and a
second reading of the same row begins there. The first reading costs nothing more, the second only the upper layers.
"""

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from resources.tree import Tree

if TYPE_CHECKING:
    import torch

KEPT_BYTES = 256 * 2**20  # of states; rows beyond are read twice from the bottom


class Trunk:
    """``decoder`` is a transformers decoder with LoRA in some of its layers; ``depth`` layers lie below all of them."""

    def __init__(self, decoder: Any) -> None:
        self._decoder = decoder
        self.depth = _untouched(decoder)
        self._kept: dict[bytes, torch.Tensor] | None = None
        self._room = 0

    @contextlib.contextmanager
    def sharing(self) -> Iterator[None]:
        """Keep states until the outermost ``with`` ends."""
        if not self.depth or self._kept is not None:
            yield
            return
        self._kept, self._room = {}, KEPT_BYTES
        try:
            yield
        finally:
            self._kept = None

    def states(self, tree: Tree) -> "torch.Tensor":
        """Last hidden states of the packed row, [T, hidden]."""
        if self._kept is None:
            return _last(self._decoder(**tree.inputs, use_cache=False, tree=tree))
        name = _name(tree)
        known = self._kept.get(name)
        if known is not None:
            return self._above(tree, known)
        layers = self._decoder.layers

        def keep(_: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            states = (args[0] if args else kwargs["hidden_states"]).detach()
            size = states.numel() * states.element_size()
            if self._kept is not None and size <= self._room:
                self._room -= size
                self._kept[name] = states

        handle = layers[self.depth].register_forward_pre_hook(keep, with_kwargs=True)
        try:
            return _last(self._decoder(**tree.inputs, use_cache=False, tree=tree))
        finally:
            handle.remove()

    def _above(self, tree: Tree, states: "torch.Tensor") -> "torch.Tensor":
        """The decoder from layer ``depth`` on."""
        decoder = self._decoder
        layers, inputs = decoder.layers, tree.inputs
        del inputs["input_ids"]
        decoder.layers = layers[self.depth :]
        try:
            return _last(decoder(inputs_embeds=states, **inputs, use_cache=False, tree=tree))
        finally:
            decoder.layers = layers


def _untouched(decoder: Any) -> int:
    """How many layers lie below the first that an adapter changes; 0 where that cannot be told or none is changed."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    layers = getattr(decoder, "layers", None)
    if layers is None:
        return 0
    changed = {id(module) for module in decoder.modules() if isinstance(module, BaseTunerLayer)}
    inside = [any(id(module) in changed for module in layer.modules()) for layer in layers]
    elsewhere = changed - {id(module) for layer in layers for module in layer.modules()}
    return inside.index(True) if any(inside) and not elsewhere else 0


def _last(output: Any) -> "torch.Tensor":
    states: torch.Tensor = output.last_hidden_state[0]
    return states


def _name(tree: Tree) -> bytes:
    """What row it is and how it is a tree: the tokens, and where each sequence finds its own."""
    paths = b"|".join(path.tobytes() for path in tree.paths)
    return tree.ids.cpu().numpy().tobytes() + b"||" + paths
