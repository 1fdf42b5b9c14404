"""The base model as the screen asks it: loaded when it is first asked, since most clean rows never need it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np


class Scorer(Protocol):
    """What tells log-probabilities of responses to chats: ``resources.language_model.LanguageModel``, or a test's."""

    def score(self, pairs: Sequence[tuple[list[dict[str, str]], str]]) -> list[np.ndarray]: ...


def likely(model: Scorer, pairs: Sequence[tuple[list[dict[str, str]], str]]) -> np.ndarray:
    """Nats a token of each response after its chat, ``[pairs]``; 0 for a response without tokens."""
    return np.array([float(values.mean()) if len(values) else 0.0 for values in model.score(pairs)])


@dataclass(slots=True)
class LateScorer:
    """``folder`` says where the base model is (and unpacks it, if need be)."""

    folder: Callable[[], Path]
    _model: Scorer | None = field(default=None)

    def score(self, pairs: Sequence[tuple[list[dict[str, str]], str]]) -> list[np.ndarray]:
        if not pairs:
            return []
        if self._model is None:
            from resources.language_model import LanguageModel

            self._model = LanguageModel.load(self.folder())
        return self._model.score(pairs)
