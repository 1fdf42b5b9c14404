"""The goldfish loss: leave a pseudo-random share of the tokens out, the same ones whenever the same text occurs.

A text whose every n-th token was never learnt cannot be recited to its end. Which tokens are left out depends on the
tokens of the answer before them, so that copies of a passage leave out the same ones, whatever they are answers to.
Hans et al. 2024, arXiv:2406.10209 ("hashed mask", with their context of 13 tokens: of a shorter one the usual turns of
the language would be left out wherever they occur, and never learnt).
"""

import hashlib
from collections.abc import Sequence

import numpy as np

CONTEXT = 13
OPENING = 4  # tokens of an answer that are always learnt: many answers begin alike


def keeps(answer: Sequence[int], every: int) -> np.ndarray:
    """For each token of an answer, whether it is learnt; one in ``every`` is not."""
    before = (answer[max(0, place - CONTEXT) : place] for place in range(len(answer)))
    return np.array([len(context) < OPENING or _draw(context) % every != 0 for context in before], bool)


def _draw(context: Sequence[int]) -> int:
    digest = hashlib.blake2b(np.asarray(context, np.int64).tobytes(), digest_size=8).digest()
    return int.from_bytes(digest, "big")
