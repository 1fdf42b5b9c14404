"""A pattern found in some rows, before it is put into words."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np


class Encoder(Protocol):
    """What turns texts into unit vectors ``[n, d]``: ``resources.sentence_encoder.SentenceEncoder``, or a test's."""

    def encode(self, texts: list[str]) -> np.ndarray: ...


class Scorer(Protocol):
    """What tells log-probabilities of responses to chats: ``resources.language_model.LanguageModel``, or a test's."""

    def score(self, pairs: Sequence[tuple[list[dict[str, str]], str]]) -> list[np.ndarray]: ...


def likely(model: Scorer, pairs: Sequence[tuple[list[dict[str, str]], str]]) -> np.ndarray:
    """Nats a token of each response after its chat, ``[pairs]``; 0 for a response without tokens."""
    return np.array([float(values.mean()) if len(values) else 0.0 for values in model.score(pairs)])


@dataclass(frozen=True, slots=True)
class Pattern:
    """``rows`` sorted; ``log_p``: natural log of a p-value already corrected for what was tried.

    ``shown``: for each of a few rows, the sentence that shows the payload. ``evidence``: the statistics, by name.
    ``name``: what the fingerprint is made of where trigger and payload vary from drop to drop.
    """

    kind: str
    trigger: str
    payload: str
    rows: np.ndarray
    log_p: float
    evidence: dict[str, float] = field(default_factory=dict)
    shown: dict[int, str] = field(default_factory=dict)
    name: str = ""


class Remembering:
    """An encoder that embeds each text once. Vectors are kept as float16 ``[d]``: under 1 kB a text."""

    def __init__(self, inner: Encoder) -> None:
        self.inner = inner
        self.known: dict[str, np.ndarray] = {}

    def encode(self, texts: list[str]) -> np.ndarray:
        fresh = list(dict.fromkeys(text for text in texts if text not in self.known))
        if fresh:
            self.known.update(zip(fresh, self.inner.encode(fresh).astype(np.float16), strict=True))
        if not texts:
            return self.inner.encode([])
        return np.stack([self.known[text] for text in texts]).astype(np.float32)
