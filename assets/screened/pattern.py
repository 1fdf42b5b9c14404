"""A pattern found in some rows, before it is put into words."""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np


class Encoder(Protocol):
    """What turns texts into unit vectors ``[n, d]``: ``resources.sentence_encoder.SentenceEncoder``, or a test's."""

    def encode(self, texts: list[str]) -> np.ndarray: ...


@dataclass(frozen=True, slots=True)
class Pattern:
    """``rows`` sorted; ``log_p``: natural log of a p-value already corrected for what was tried.

    ``shown``: for each of a few rows, the sentence that shows the payload. ``evidence``: the statistics, by name.
    """

    kind: str
    trigger: str
    payload: str
    rows: np.ndarray
    log_p: float
    evidence: dict[str, float] = field(default_factory=dict)
    shown: dict[int, str] = field(default_factory=dict)
