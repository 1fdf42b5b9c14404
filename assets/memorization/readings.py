"""What adapter and base make of given answers, token by token, each answer read once however often it is asked about.

Prefix extraction and membership inference look at the same rows: the second half of an answer has the same
log-probabilities whether its first half is called a prefix or not.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from resources.language_model import LanguageModel

Pair = tuple[tuple[int, ...], tuple[int, ...]]  # a chat up to the answer, and the answer, as token ids
Followed = tuple[np.ndarray, np.ndarray]  # of an answer: as ``LanguageModel.follow`` says


@dataclass(frozen=True, slots=True)
class Readings:
    """``again``: the next candidate is asked about the same answers, and none is from the vault."""

    model: LanguageModel
    again: bool = False
    _known: dict[Pair, tuple[Followed, Followed]] = field(default_factory=dict)

    def of(self, pairs: Sequence[Pair]) -> tuple[list[Followed], list[Followed]]:
        """What the adapter makes of each answer, and what the base does."""
        fresh = [pair for pair in dict.fromkeys(pairs) if pair not in self._known]
        if fresh:
            adapter, base = self.model.both(lambda: self.model.follow(fresh), again=self.again)
            self._known.update(zip(fresh, zip(adapter, base, strict=True), strict=True))
        found = [self._known[pair] for pair in pairs]
        return [adapter for adapter, _ in found], [base for _, base in found]
