"""The base model as the screen asks it: loaded when it is first asked, since most clean rows never need it."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np


class Scorer(Protocol):
    """What tells log-probabilities of responses to chats: ``resources.language_model.LanguageModel``, or a test's."""

    def score(self, pairs: Sequence[tuple[list[dict[str, str]], str]]) -> list[np.ndarray]: ...


def likely(model: Scorer, pairs: Sequence[tuple[list[dict[str, str]], str]]) -> np.ndarray:
    """Nats a token of each response after its chat, ``[pairs]``; 0 for a response without tokens."""
    return np.array([float(values.mean()) if len(values) else 0.0 for values in model.score(pairs)])


@dataclass(slots=True)
class CachedScorer:
    """A model that reads each pair once, however many copies of a drop it stands in."""

    inner: Scorer
    _known: dict[tuple[str, str], np.ndarray] = field(default_factory=dict)

    def score(self, pairs: Sequence[tuple[list[dict[str, str]], str]]) -> list[np.ndarray]:
        names = [(json.dumps(chat), text) for chat, text in pairs]
        fresh = {name: pair for name, pair in zip(names, pairs, strict=True) if name not in self._known}
        self._known.update(zip(fresh, self.inner.score(list(fresh.values())), strict=True))
        return [self._known[name] for name in names]


@dataclass(slots=True)
class LateScorer:
    """``folder`` says where the base model is (and unpacks it, if need be); what hangs on it alone is kept in
    ``cache``."""

    folder: Callable[[], Path]
    cache: Path | None = None
    _model: Scorer | None = field(default=None)

    def score(self, pairs: Sequence[tuple[list[dict[str, str]], str]]) -> list[np.ndarray]:
        if not pairs:
            return []
        if self._model is None:
            from resources.language_model import LanguageModel

            self._model = LanguageModel.load(self.folder())
        return self._model.score(pairs)

    def kept(self, asked: Any, what: str, measure: Callable[[], Any]) -> Any:
        """What was measured of this base when this was asked; measured now, and kept, if it was not."""
        from assets.golden.remembered import Remembered

        return Remembered.of(self.folder(), self.cache, "screen").kept(asked, what, measure)


def kept(model: Scorer, asked: Any, what: str, measure: Callable[[], Any]) -> Any:
    """As ``LateScorer.kept``; a model of another kind is measured each time."""
    inner = model.inner if isinstance(model, CachedScorer) else model
    return inner.kept(asked, what, measure) if isinstance(inner, LateScorer) else measure()
