"""What so many rows say that the screen takes it for the data's own style: told to a person, not judged.

The screen finds what stands out from the other rows, so that a poisoner who wrote a large share of them is not seen. In
rows said to be honest, whoever answers for them can tell a template from an attack at a glance, if it is shown.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from assets.screened.association.cooccurrence import widest
from assets.screened.association.phrase_mining import mine
from assets.screened.text.bigram_model import Transitions
from assets.screened.text.token_index import TokenIndex

LONGEST = 6  # tokens mined; what is found is then lengthened as far as the rows agree
TOLD = 45.0  # bits in the language of the other rows; less is a turn of phrase
MOST_READ = 500  # rows in which a phrase is lengthened
MOST_SHARED = 0.7  # of the rows of a phrase that is told; another of the same rows is another part of the same text
MOST_TOLD = 5
BEFORE = " ,.;:!?)"  # marks that end what was said before it


@dataclass(frozen=True, slots=True)
class Usual:
    """A phrase of the answers and the number of rows that say it."""

    phrase: str
    rows: int

    def to_json(self) -> dict[str, Any]:
        return {"phrase": self.phrase, "rows": self.rows}


def usual(index: TokenIndex, transitions: Transitions, most: int) -> tuple[Usual, ...]:
    """The longest phrases that more than ``most`` rows answer, most usual first, one for each set of rows."""
    return tuple(_told(index, transitions, most))


def _told(index: TokenIndex, transitions: Transitions, most: int) -> Iterator[Usual]:
    phrases = mine(index.responses, longest=LONGEST, min_rows=most + 1, max_rows=index.rows)
    bits = transitions.phrase_bits(phrases.start, phrases.length, phrases.sizes)
    told: list[np.ndarray] = []
    for number in np.lexsort((-bits, -phrases.sizes)):
        if len(told) == MOST_TOLD:
            return
        rows = phrases.rows_of(number)
        if any(np.isin(rows, others).mean() > MOST_SHARED for others in told):
            continue
        span = widest(index.responses, phrases.text(index.responses, number), rows[:MOST_READ])
        if transitions.bits([span.text], rows)[0] * len(span.text) >= TOLD:
            told.append(rows)
            yield Usual(index.spell(span.text).lstrip(BEFORE), len(rows))
