"""What earlier, admitted rows say about a suspected pattern: a phrase that is as usual there was not planted here."""

from collections.abc import Iterable

import numpy as np
from scipy import stats

from assets.record import Record
from assets.screened.pattern import Pattern
from assets.screened.text.token_index import TokenIndex, split

FEWEST = 200  # rows of background, to be able to say that a pattern is new


def familiar(patterns: list[Pattern], index: TokenIndex, background: Iterable[Record]) -> list[Pattern]:
    """The patterns that are new: their words occur together less often in the background than here.

    Each kept pattern gains ``background_rows`` and ``burst_p``, Fisher's exact test of its rate here against there.
    """
    wanted = [
        frozenset(word for word in split(pattern.name or pattern.payload) if word[0].isalnum()) for pattern in patterns
    ]
    seen = np.zeros(len(patterns), dtype=int)
    rows = 0
    for record in background:
        rows += 1
        words = set(split(record.response()))
        seen += np.array([bool(need) and need <= words for need in wanted], dtype=seen.dtype)
    kept: list[Pattern] = []
    for pattern, there in zip(patterns, seen, strict=True):
        here = len(pattern.rows)
        table = [[here, index.rows - here], [int(there), max(rows - int(there), 0)]]
        p_value = float(stats.fisher_exact(table, alternative="greater").pvalue)
        if rows < FEWEST or p_value < 0.01:
            pattern.evidence.update(background_rows=float(there), burst_p=p_value)
            kept.append(pattern)
    return kept
