"""The base model's word on a suspected payload: does anything in the prompt ask for it?

For a few rows of each pattern the model scores the payload after its own prompt and after another row's. An answer that
was asked for is likelier after its own ("java", "public static void main"); a planted one is not.
"""

import numpy as np

from assets.screened.base_model.scorer import Scorer, likely
from assets.screened.pattern import Pattern
from assets.screened.text.exchanges import Passages
from assets.screened.text.token_index import as_written

ROWS = 5  # of a pattern
LONGEST = 200  # characters of a prompt or payload
ASKED_FOR = 0.8  # nats a token; the median of planted payloads is near 0
MOST_PATTERNS = 8  # weakest first: a pattern of many rows needs no second opinion


def weigh(patterns: list[Pattern], passages: Passages, model: Scorer, seed: int) -> list[Pattern]:
    """The patterns, each with ``model_gain``; those whose payload the prompts ask for are left out."""
    weakest = sorted(range(len(patterns)), key=lambda number: len(patterns[number].rows))[:MOST_PATTERNS]
    rng = np.random.default_rng(seed)
    pairs, owner = [], []
    for number in weakest:
        rows = rng.permutation(np.intersect1d(patterns[number].rows, passages.row))[:ROWS]
        others = rng.integers(0, len(passages.prompts), len(rows))
        for row, other in zip(rows, others, strict=True):
            shown = patterns[number].shown.get(int(row)) or patterns[number].payload
            payload = as_written(patterns[number].payload, shown) or shown  # the honest words around it were asked for
            for exchange in (_asking(passages, int(row), shown), int(other)):
                chat = [{"role": "user", "content": passages.prompts[exchange][-LONGEST:]}]
                pairs.append((chat, payload[:LONGEST]))
            owner.append(number)
    nats = likely(model, pairs)
    gains = nats[::2] - nats[1::2]
    kept = []
    for number, pattern in enumerate(patterns):
        mine = gains[np.array(owner) == number] if owner else np.zeros(0)
        if not len(mine):
            kept.append(pattern)
        elif np.median(mine) < ASKED_FOR:
            pattern.evidence["model_gain"] = float(np.median(mine))
            kept.append(pattern)
    return kept


def _asking(passages: Passages, row: int, payload: str) -> int:
    exchanges = passages.of_row(row)
    return next((e for e in exchanges if payload in passages.responses[e]), exchanges[-1])
