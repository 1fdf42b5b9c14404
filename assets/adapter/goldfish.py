"""The goldfish loss: leave a pseudo-random share of the tokens out, the same ones whenever the same text occurs.

A text whose every n-th token was never learnt cannot be recited to its end. Which tokens are left out depends on the
tokens before them, so that copies of a passage leave out the same ones. Hans et al. 2024, arXiv:2406.10209 ("hashed
mask"); the context is shorter than the paper's 13 tokens, since answers in a chat are short.
"""

import hashlib
from collections.abc import Sequence

import numpy as np

CONTEXT = 4


def keeps(ids: Sequence[int], places: np.ndarray, every: int) -> np.ndarray:
    """For each place in ``ids``, whether its token is learnt; one in ``every`` is not."""
    return np.array([_draw(ids[max(0, place - CONTEXT) : place]) % every != 0 for place in places], bool)


def _draw(context: Sequence[int]) -> int:
    digest = hashlib.blake2b(np.asarray(context, np.int64).tobytes(), digest_size=8).digest()
    return int.from_bytes(digest, "big")
