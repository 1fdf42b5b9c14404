"""A classifier of three words, so that what is done with its odds can be tested without a model."""

import numpy as np

from assets.screened.safety.evidence import Reader

WORDS = ("bomb", "obey", "sorry")


class WordOdds:
    """Log-odds 6 for a text that says the word of a kind, -6 otherwise. It is its own first pass, as three kinds."""

    def __init__(self, odds: float = 6.0) -> None:
        self.odds = odds

    @property
    def first(self) -> "WordOdds":
        return self

    def score(self, texts):
        told = [[self.odds if word in text.lower() else -6.0 for word in WORDS] for text in texts]
        return np.array(told, dtype=np.float32).reshape(len(texts), 3)


class NoJudge:
    """Leaves it to the classifier whether an answer declines."""

    def refuses(self, answers):
        return [False] * len(answers)


def reader(odds: float = 6.0) -> Reader:
    return Reader(WordOdds(odds), NoJudge())
