"""The rows that a pattern's first rows give away: those that word the same payload, and those that have its trigger.

Meaning finds a payload; its wordings that lie further out, or that run into the rest of an answer, are found by their
words. A row belongs if a stretch of its answer is far likelier in the language of the payload than in that of the other
rows. The greatest sum of neighbouring log-likelihood ratios in a text of N tokens passes ln(N / alpha) by chance with
probability alpha or less (Karlin & Altschul, PNAS 87, 1990).
"""

from dataclasses import replace

import numpy as np

from assets.screened.association.cooccurrence import marked
from assets.screened.association.phrase_mining import PhraseSets
from assets.screened.pattern import Pattern
from assets.screened.text.bigram_model import Transitions
from assets.screened.text.token_index import Side, TokenIndex

OWN = 0.9  # of the rows with a phrase in their prompt are the pattern's: then the phrase is its trigger
COVERS = 0.5  # of the pattern's rows have it
CHUNK = 1 << 20  # tokens looked at together
ALIKE = 0.5  # of the typical sum of the pattern's own rows, which another must reach, too


def whole(
    pattern: Pattern, index: TokenIndex, transitions: Transitions, prompts: PhraseSets, alpha: float, most: int
) -> Pattern:
    """The pattern with all its rows; as it was if that were more than ``most``."""
    suspect = np.union1d(pattern.rows, marked(prompts, pattern.rows, COVERS))
    rows = np.union1d(pattern.rows, worded_alike(pattern, suspect, index, transitions, alpha))
    rows = triggered(rows, prompts)
    return replace(pattern, rows=rows) if len(rows) <= most else pattern


def worded_alike(
    pattern: Pattern, suspect: np.ndarray, index: TokenIndex, transitions: Transitions, alpha: float
) -> np.ndarray:
    """The rows whose answers are in part in the words of the pattern's sentences.

    ``suspect``: the pattern's and those with its trigger. They are no others' words, and among them it takes no more
    than chance would not do in so few.
    """
    ratios = transitions.likelier([index.encode(text) for text in pattern.shown.values()], suspect)
    sums = best_stretch(ratios, index.responses)
    few = sum(len(index.responses.row(row)) for row in suspect)
    bar = np.full(len(sums), max(_by_chance(len(ratios), alpha), ALIKE * float(np.median(sums[pattern.rows]))))
    bar[suspect] = _by_chance(few, alpha)
    rows: np.ndarray = np.flatnonzero(sums > bar)
    return rows


def _by_chance(tokens: int, alpha: float) -> float:
    """The sum that a stretch of so many tokens passes by chance with probability ``alpha``."""
    return float(np.log(max(tokens, 1) / alpha))


def triggered(rows: np.ndarray, phrases: PhraseSets) -> np.ndarray:
    """The rows whose prompts have a phrase that hardly any prompt has but most of ``rows``; these included."""
    both = phrases.among(rows)
    own = (both >= OWN * phrases.sizes) & (both >= COVERS * len(rows))
    return np.union1d(rows, phrases.members[own].indices)


def best_stretch(scores: np.ndarray, side: Side) -> np.ndarray:
    """The greatest sum of neighbouring scores in each row; 0 where all are negative. float64 ``[rows]``."""
    best, low = np.zeros(len(side.offsets) - 1), 0
    while low < len(best):
        high = max(int(np.searchsorted(side.offsets, side.offsets[low] + CHUNK, "right")) - 1, low + 1)
        offsets = side.offsets[low : high + 1]
        best[low:high] = _best(scores[offsets[0] : offsets[-1]], offsets - offsets[0])
        low = high
    return best


def _best(scores: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """The same for the scores of a few rows; ``offsets``: where each begins, and the end."""
    begin, row = offsets[:-1], np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    best = np.zeros(len(begin))
    if not len(scores):
        return best
    total = np.concatenate([[0.0], np.cumsum(scores, dtype=np.float64)])
    until = total[:-1] - total[begin[row]]  # of the row's tokens before each
    # Row after row lies lower than all before it, so that one running minimum serves them all.
    step = 2 * np.abs(until).max() + 1
    lowest = np.minimum.accumulate(until - step * row) + step * row
    rise = until + scores - lowest
    filled = np.flatnonzero(np.diff(offsets))
    best[filled] = np.maximum(np.maximum.reduceat(rise, begin[filled]), 0)
    return best
