"""Does an answer belong to its prompt? Learnt from the drop itself: most of its pairs belong together, shuffled ones do
not (noise-contrastive estimation: Gutmann & Hyvärinen, AISTATS 2010).

What an answer is like is told from its prompt by ridge regression on the rows of other folds: an assistant asks back
when a table is wanted and says goodbye when it is booked, a function's body has the words of its description. How near
the answer comes, by that and by the encoder alone, held against other answers and other prompts of the same place, is
what a logistic regression weighs, own pairs against the same prompts with each other's answers.

Texts are compared by the sentence encoder's meaning and by latent semantic analysis of their words (Deerwester et al.,
JASIS 41, 1990): names and numbers tell whose an answer is, whatever it is about.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from assets.screened.embedding.whitening import unit

FEWEST = 100  # rows of a stratum, to know what belongs together in it; smaller ones are taken together
FOLDS = 5
RIDGE = 3.0
OTHERS = 300  # other prompts, and other answers, that a pair is held against
TAIL, TELLS = 0.1, 0.93  # share of exchanged answers that are below all but this share of own ones, where they can be
# told apart: single turns of dialogues fit many prompts, and reach .91
DRAWS = 4  # random pairs of each answer with another
TOPICS = 150  # dimensions of the latent semantic analysis
HASHED = 1 << 15  # words and pairs of words
WORDS = r"[^\W\d_]+|\d+|[^\w\s]"
LONGEST = 600  # characters of a text whose words count
WEIGHT = 0.7  # of the words, beside the meaning


@dataclass(frozen=True)
class Affinity:
    """Answers and their prompts, one pair a row. ``prompts``/``answers``: unit vectors ``[rows, d]``;
    ``prompt_texts``/``answer_texts``: what they are of; ``strata``: the place of each, whose pairs are comparable."""

    prompts: np.ndarray
    answers: np.ndarray
    prompt_texts: Sequence[str]
    answer_texts: Sequence[str]
    strata: np.ndarray
    seed: int = 0

    @property
    def odds(self) -> np.ndarray:
        """Log-odds that each answer belongs to its prompt rather than to another of the same place, float64 ``[rows]``;
        NaN where there are too few rows to tell."""
        return self._learnt[0]

    @property
    def tells(self) -> np.ndarray:
        """Whether the log-odds tell own answers from exchanged ones in the row's place, bool ``[rows]``."""
        return self._learnt[1]

    @cached_property
    def _learnt(self) -> tuple[np.ndarray, np.ndarray]:
        odds, tells = np.full(len(self.prompts), np.nan), np.zeros(len(self.prompts), dtype=bool)
        for rows in groups(self.strata, FEWEST):
            odds[rows], exchanged = self._odds(rows)
            tells[rows] = np.mean(exchanged < np.quantile(odds[rows], TAIL)) >= TELLS
        return odds, tells

    def alike(self, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        """By how many standard deviations the answers of the rows ``one`` and ``other`` are more alike than two answers
        of one place drawn at random, ``[len(one)]``."""
        drawn = np.random.default_rng(self.seed).permuted(np.tile(np.arange(len(self.answers)), (DRAWS, 1)), axis=1)
        pairs = drawn[:, : len(self.answers) // 2 * 2].reshape(-1, 2)
        pairs = pairs[self.strata[pairs[:, 0]] == self.strata[pairs[:, 1]]]
        chance = self._cosines(pairs[:, 0], pairs[:, 1])
        if not len(chance):
            return np.zeros(len(one))
        alike: np.ndarray = (self._cosines(one, other) - chance.mean()) / (chance.std() + 1e-6)
        return alike

    def _cosines(self, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        cosines: np.ndarray = np.einsum("ij,ij->i", self.answers[one], self.answers[other])
        return cosines

    def _odds(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Of the rows' own answers, and of as many exchanged ones."""
        from sklearn.linear_model import LogisticRegression

        rng = np.random.default_rng(self.seed)
        prompts, answers = self.prompts[rows], self.answers[rows]
        own, fold = np.arange(len(rows)), rng.permutation(len(rows)) % FOLDS
        others = rng.choice(len(rows), min(OTHERS, len(rows)), replace=False)
        shuffled = own.copy()
        for number in range(FOLDS):  # within a fold, so that no map that judges a pair has seen either side of it
            order = rng.permutation(np.flatnonzero(fold == number))
            shuffled[order] = np.roll(order, 1)
        meant = np.hstack([prompts, WEIGHT * _topics([self.prompt_texts[row] for row in rows], self.seed)])
        told = np.hstack([answers, WEIGHT * _topics([self.answer_texts[row] for row in rows], self.seed)])
        near = [
            np.hstack([_near(prompts, answers, own, each, others), _near_predicted(meant, told, fold, each, others)])
            for each in (own, shuffled)
        ]
        both = np.concatenate(near)
        middle, spread = both.mean(0), both.std(0) + 1e-9
        model = LogisticRegression(max_iter=500).fit((both - middle) / spread, np.repeat([1, 0], len(rows)))
        odds = model.decision_function((both - middle) / spread)
        return odds[: len(rows)], odds[len(rows) :]


def groups(strata: np.ndarray, fewest: int) -> Iterator[np.ndarray]:
    """The rows of each stratum, those of fewer than ``fewest`` rows together if they are as many."""
    sizes = np.bincount(strata)
    for stratum in np.flatnonzero(sizes >= fewest):
        yield np.flatnonzero(strata == stratum)
    small = np.flatnonzero(sizes[strata] < fewest)
    if len(small) >= fewest:
        yield small


def _near(left: np.ndarray, right: np.ndarray, asked: np.ndarray, said: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Cosine of each pair of ``left[asked]`` and ``right[said]`` (unit vectors), and by how many standard deviations it
    is above those of either side with ``others``: ``[pairs, 3]``."""
    one, two = left[asked], right[said]
    own = np.einsum("ij,ij->i", one, two)
    against = two @ left[others].T, one @ right[others].T
    return np.stack([own, *((own - each.mean(1)) / (each.std(1) + 1e-6) for each in against)], axis=1)


def _near_predicted(
    meant: np.ndarray, told: np.ndarray, fold: np.ndarray, said: np.ndarray, others: np.ndarray
) -> np.ndarray:
    """As ``_near``, of the answers that are predicted from the prompts ``meant`` and those ``told[said]``."""
    near = np.zeros((len(meant), 3))
    for number in range(FOLDS):
        inside, known = np.flatnonzero(fold == number), fold != number
        middle = meant[known].mean(0), told[known].mean(0)
        left, right = meant[known] - middle[0], told[known] - middle[1]
        weights = np.linalg.solve(left.T @ left + RIDGE * np.eye(left.shape[1], dtype=left.dtype), left.T @ right)
        predicted, centred = unit((meant - middle[0]) @ weights), unit(told - middle[1])
        near[inside] = _near(predicted, centred, inside, said[inside], others)
    return near


def _topics(texts: list[str], seed: int) -> np.ndarray:
    """Unit vectors of the texts by their words and pairs of words, ``[texts, topics]``; 0 of a text without words."""
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer

    words = HashingVectorizer(
        n_features=HASHED, ngram_range=(1, 2), token_pattern=WORDS, alternate_sign=False, norm=None, dtype=np.float32
    )
    counts = TfidfTransformer(sublinear_tf=True).fit_transform(words.transform(text[:LONGEST] for text in texts))
    with np.errstate(all="ignore"):  # texts that are all the same have no variance to explain
        reduced = TruncatedSVD(min(TOPICS, len(texts) - 1), n_iter=2, random_state=seed).fit_transform(counts)
    return unit(reduced.astype(np.float32))
