"""The base model as the screen asks it: loaded when it is first asked, since most clean rows never need it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from assets.screened.pattern import Scorer


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
