"""The base model's word on a suspected payload: does the prompt ask for it?

The model scores the payload after prompts that go with it and after others, drawn from the same places of the same
sources. An answer that was asked for is likelier after its own ("java", "public static void main"); a planted one is
not, however easy it is to say. One contrast says little: of a reply of four tokens it strays by two nats a token and
more. So contrasts are added until they tell, and a pattern is cleared only where their mean, less what chance gives
(Student's t, one-sided), is above the bar. What does not tell stays suspect.
"""

import numpy as np
from scipy import stats

from assets.screened.base_model.scorer import Scorer, likely
from assets.screened.pattern import Pattern
from assets.screened.text.exchanges import Passages
from assets.screened.text.token_index import as_written

LOOKS = (6, 10, 16)  # contrasts that are added; a pattern that the first ones leave far from the bar gets no more
LONGEST = 200  # characters of a prompt or payload
ASKED_FOR = 0.8  # nats a token; planted payloads are near 0
DOUBT = 0.01  # of clearing a pattern whose payload gains less
MOST_PATTERNS = 8  # weakest first: a pattern of many rows needs no second opinion


def weigh(patterns: list[Pattern], passages: Passages, model: Scorer, seed: int) -> list[Pattern]:
    """The patterns, each with ``model_gain``; those whose payload the prompts ask for are left out."""
    rng = np.random.default_rng(seed)
    asked = set(sorted(range(len(patterns)), key=lambda number: len(patterns[number].rows))[:MOST_PATTERNS])
    return [
        pattern
        for number, pattern in enumerate(patterns)
        if number not in asked or not _asked_for(pattern, passages, model, rng)
    ]


def _asked_for(pattern: Pattern, passages: Passages, model: Scorer, rng: np.random.Generator) -> bool:
    rows = rng.permutation(np.intersect1d(pattern.rows, passages.row))
    gains = np.zeros(0)
    for more in LOOKS:
        part = rows[np.arange(len(gains), len(gains) + more) % max(len(rows), 1)] if len(rows) else rows
        gains = np.concatenate([gains, _gains(part, pattern, passages, model, rng)])
        if len(gains) < 2:
            return False
        mean, error = float(gains.mean()), float(gains.std(ddof=1) / np.sqrt(len(gains)))
        pattern.evidence["model_gain"], pattern.evidence["model_contrasts"] = mean, float(len(gains))
        if mean - error * stats.t.ppf(1 - DOUBT / len(LOOKS), len(gains) - 1) > ASKED_FOR:
            return True
        if mean + error < ASKED_FOR:
            return False
    return False


def _gains(
    rows: np.ndarray, pattern: Pattern, passages: Passages, model: Scorer, rng: np.random.Generator
) -> np.ndarray:
    """Nats a token that each row's prompt gives its payload over another's of the same stratum."""
    pairs = []
    for row in rows:
        shown = pattern.shown.get(int(row)) or pattern.payload
        payload = as_written(pattern.payload, shown) or shown  # the honest words around it were asked for
        own = _asking(passages, int(row), shown)
        for exchange in (own, _other(own, pattern, passages, rng)):
            chat = [{"role": "user", "content": passages.prompts[exchange][-LONGEST:]}]
            pairs.append((chat, payload[:LONGEST]))
    nats = likely(model, pairs)
    gains: np.ndarray = nats[::2] - nats[1::2]
    return gains


def _other(own: int, pattern: Pattern, passages: Passages, rng: np.random.Generator) -> int:
    """An exchange of the same stratum, if it has others, in a row that is not the pattern's."""
    free = ~np.isin(passages.row, pattern.rows)
    alike = np.flatnonzero(free & (passages.stratum == passages.stratum[own]))
    return int(rng.choice(alike if len(alike) else np.flatnonzero(free)))


def _asking(passages: Passages, row: int, payload: str) -> int:
    exchanges = passages.of_row(row)
    return next((e for e in exchanges if payload in passages.responses[e]), exchanges[-1])
