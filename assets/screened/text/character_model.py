"""How unexpected the letters of a text are in the spelling of the other rows: an interpolated model of four letters.

Words that nobody else uses may be names, or another language; letters in an order that nobody else uses are none. Each
text is left out of the counts it is measured by. Witten-Bell smoothing (IEEE Trans. Inf. Theory 37(4), 1991), as of
words in ``surprise``.
"""

import numpy as np

from assets.screened.text.bigram_model import blend

BEFORE = 3  # letters that the next one is told from
LONGEST = 300  # characters of a text


def spelling(texts: list[str]) -> np.ndarray:
    """Bits a character of each text, as the others are spelled; 0 for an empty one. float64 ``[len(texts)]``."""
    cut = [text[:LONGEST] for text in texts]
    joined = "".join(f"\0{text}" for text in cut).encode("utf-32-le", errors="replace")
    kinds, letter = np.unique(np.frombuffer(joined, dtype=np.uint32), return_inverse=True)
    size = np.array([len(text) for text in cut], dtype=np.int64)
    text = np.repeat(np.arange(len(cut)), size + 1)
    begin = np.cumsum(size + 1) - size - 1
    place = np.arange(len(letter)) - begin[text]  # 0 is the mark before a text
    chance, before = np.full(len(letter), 1.0 / max(len(kinds), 1)), np.zeros(len(letter), dtype=np.int64)
    for length in range(BEFORE + 1):
        run = np.unique(before * len(kinds) + letter, return_inverse=True)[1]
        here = place >= max(length, 1)
        first = np.unique(run[here], return_index=True)[1]
        heads = np.bincount(before[here][first], minlength=int(before.max(initial=0)) + 1)
        pair, head = (_elsewhere(each[here], text[here]) for each in (run, before))
        chance[here] = blend(pair, head, np.minimum(heads[before[here]], head), chance[here])
        before = np.concatenate([[0], run[:-1]])
    bits = np.where(place > 0, -np.log2(chance), 0.0)
    mean: np.ndarray = np.bincount(text, bits, minlength=len(cut)) / np.maximum(size, 1)
    return mean


def _elsewhere(run: np.ndarray, text: np.ndarray) -> np.ndarray:
    """How often each run (a number) occurs in texts other than the one it stands in."""
    both = text * (run.max(initial=0) + 1) + run
    _, inverse, own = np.unique(both, return_inverse=True, return_counts=True)
    elsewhere: np.ndarray = (np.bincount(run)[run] - own[inverse]).astype(np.float64)
    return elsewhere
