"""The layers below an adapter: the same with the adapter on and off, so a paired reading passes them once.

LoRA is often put into the last layers only (``last_layers`` of a recipe). Below the first of them base and adapter
compute the same states. While ``Trunk.sharing`` is open, the states of every packed row at that layer are kept, and a
second reading of the same row begins there. The first reading costs nothing more, the second only the upper layers.
Whoever reads a row many times, as training does, asks for them with ``below`` and goes on with ``above``.

What is read again for the next candidate is kept on disk (``resources.kept_states``), where the reader gives a place:
those states, and the last ones with the adapter off.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from resources.kept_states import KeptStates
from resources.tree import Tree
from resources.tree_attention import reading

if TYPE_CHECKING:
    import torch

KEPT_BYTES = 256 * 2**20  # of states; rows beyond are read twice from the bottom


class _Reached(Exception):
    """The first adapted layer was reached: nothing above it is wanted."""


class Trunk:
    """``decoder`` is a transformers decoder with LoRA in some of its layers; ``depth`` layers lie below all of them."""

    def __init__(self, decoder: Any) -> None:
        self._decoder = decoder
        self.depth = _untouched(decoder)
        self._kept: dict[bytes, torch.Tensor] | None = None
        self._room = 0
        self._shelf: KeptStates | None = None
        self._plain = False  # the adapter is off

    @contextlib.contextmanager
    def sharing(self, shelf: KeptStates | None = None) -> Iterator[None]:
        """Keep states until the outermost ``with`` ends, and on its ``shelf`` for longer."""
        if self._kept is not None or not (self.depth or shelf):
            yield
            return
        self._kept, self._room, self._shelf = {}, KEPT_BYTES, shelf
        try:
            yield
        finally:
            self._kept = self._shelf = None

    @contextlib.contextmanager
    def plain(self) -> Iterator[None]:
        """While it is open, the adapter is off: what is computed is the base's."""
        before, self._plain = self._plain, True
        try:
            yield
        finally:
            self._plain = before

    def states(self, tree: Tree) -> "torch.Tensor":
        """Last hidden states of the packed row, [T, hidden]."""
        if self._kept is None:
            return self._run(tree)
        name, shelf = _name(tree), self._shelf
        if shelf is None or not self._plain:
            return self._shared(tree, name)
        known = shelf.get(b"last" + name)
        if known is None:
            known = self._shared(tree, name)
            shelf.put(b"last" + name, known)
        return known

    def _shared(self, tree: Tree, name: bytes) -> "torch.Tensor":
        if not self.depth or self._kept is None:
            return self._run(tree)
        known, shelf = self._kept.get(name), self._shelf
        if known is None and shelf is not None:
            known = shelf.get(self._at_depth(name))
            if known is not None:
                self._keep(name, known)
        if known is not None:
            return self.above(tree, known)

        def keep(states: "torch.Tensor") -> None:
            self._keep(name, states)
            if shelf is not None:
                shelf.put(self._at_depth(name), states)

        with self._passing(keep):
            return self._run(tree)

    def _keep(self, name: bytes, states: "torch.Tensor") -> None:
        size = states.numel() * states.element_size()
        if self._kept is not None and size <= self._room:
            self._room -= size
            self._kept[name] = states

    def _at_depth(self, name: bytes) -> bytes:
        return f"below {self.depth}".encode() + name

    def below(self, tree: Tree, shelf: KeptStates | None = None) -> "torch.Tensor":
        """States of the packed row before the first adapted layer, [1, T, hidden], from the shelf where it has them."""
        name = self._at_depth(_name(tree)) if shelf else b""
        if shelf and (known := shelf.get(name)) is not None:
            return known
        reached: list[torch.Tensor] = []

        def stop(states: "torch.Tensor") -> None:
            reached.append(states)
            raise _Reached

        with self._passing(stop), contextlib.suppress(_Reached):
            self._run(tree)
        if shelf:
            shelf.put(name, reached[0])
        return reached[0]

    @contextlib.contextmanager
    def _passing(self, listen: "Callable[[torch.Tensor], None]") -> Iterator[None]:
        """``listen`` gets the states that reach the first adapted layer."""

        def heard(_: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            listen((args[0] if args else kwargs["hidden_states"]).detach())

        handle = self._decoder.layers[self.depth].register_forward_pre_hook(heard, with_kwargs=True)
        try:
            yield
        finally:
            handle.remove()

    def above(self, tree: Tree, states: "torch.Tensor") -> "torch.Tensor":
        """Last hidden states [T, hidden], given those before the first adapted layer."""
        decoder = self._decoder
        layers = decoder.layers
        decoder.layers = layers[self.depth :]
        try:
            return self._run(tree, input_ids=None, inputs_embeds=states)
        finally:
            decoder.layers = layers

    def _run(self, tree: Tree, **instead: Any) -> "torch.Tensor":
        with reading(tree):
            states: torch.Tensor = self._decoder(**{**tree.inputs, **instead}, use_cache=False).last_hidden_state
        return states[0]


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


def _name(tree: Tree) -> bytes:
    """What row it is and how it is a tree: the tokens, and where each sequence finds its own."""
    paths = b"|".join(path.tobytes() for path in tree.paths)
    return tree.ids.cpu().numpy().tobytes() + b"||" + paths
