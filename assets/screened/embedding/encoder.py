"""The sentence encoder as the screen uses it: every text is embedded once."""

from typing import Protocol

import numpy as np


class Encoder(Protocol):
    """What turns texts into unit vectors ``[n, d]``: ``resources.sentence_encoder.SentenceEncoder``, or a test's."""

    def encode(self, texts: list[str]) -> np.ndarray: ...


class CachedEncoder:
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
