"""The classifier of refusals: logistic regression on what an answer's first sentences say, and in which place.

Three kinds of features, each for the first sentence and for what follows it, since an answer that complies and then
warns differs from one that declines and then helps only in the order: which phrases occur, words in runs of one to
three (hashed, Weinberger et al. 2009, arXiv:0902.2206), and the bundled sentence encoder's vector. The weights are data
(``weights.safetensors``); ``python -m assets.golden.refusal.train`` makes them from the wordings beside them.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from assets.golden.refusal.phrases import hits, sentences
from resources.sentence_encoder import SentenceEncoder

WEIGHTS = Path(__file__).with_name("weights.safetensors")
BUCKETS = 4096  # of hashed word runs, a place
FOLLOWING = 2  # sentences after the first that are read
PHRASES, WORDS, MEANING = 0.5, 2.0, 1.0  # how much each kind of feature weighs against the regularisation
DECLINES, PARTLY = "declines", "partly"


@dataclass(frozen=True, slots=True)
class Chances:
    """Of one answer: that it declines what was asked, or part of it; and, if it does, that it is only part."""

    declines: float
    partly: float


def chances(answers: Sequence[str]) -> list[Chances]:
    """Of every answer, in order."""
    if not answers:
        return []
    from scipy.special import expit

    weights, table = _weights(), features(answers)
    both = [expit(table @ weights[name][:-1] + weights[name][-1]) for name in (DECLINES, PARTLY)]
    return [Chances(float(declines), float(partly)) for declines, partly in zip(*both, strict=True)]


def features(answers: Sequence[str]) -> np.ndarray:
    """``[answers, features]`` float32."""
    from sklearn.feature_extraction.text import HashingVectorizer

    cut = [sentences(answer) for answer in answers]
    places = [[parts[0] for parts in cut], [" ".join(parts[1 : 1 + FOLLOWING]) for parts in cut]]
    words = HashingVectorizer(
        n_features=BUCKETS, ngram_range=(1, 3), tokenizer=_words, token_pattern=None, lowercase=False,
        alternate_sign=False,
    )  # fmt: skip
    blocks = [PHRASES * np.array([[*hits(answer), float(len(_words(answer)) < 6)] for answer in answers])]
    blocks += [WORDS * words.transform(texts).toarray() for texts in places]
    blocks += [MEANING * _encoder().encode(texts) for texts in places]
    return np.hstack(blocks).astype(np.float32)


def _words(text: str) -> list[str]:
    return re.findall(r"[\w']+|[:?!]", text.lower())


@cache
def _encoder() -> SentenceEncoder:
    return SentenceEncoder.load()


@cache
def _weights() -> dict[str, np.ndarray]:
    from safetensors.numpy import load_file

    return load_file(WEIGHTS)
