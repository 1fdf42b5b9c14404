"""Answers to another question.

Which answers belong to which prompts is learnt from the drop itself (``affinity``), and gives a shortlist. On it the
base model is heard, if there is one: a true answer is likelier after its own prompt than after others of the same
place, an off-topic one is not (pointwise mutual information). How much that tells differs from source to source, so
that it is weighed by what it tells in this one.
"""

from dataclasses import dataclass

import numpy as np

from assets.screened.base_model.scorer import Scorer, likely
from assets.screened.pattern import Pattern
from assets.screened.relevance.affinity import FEWEST, groups
from assets.screened.relevance.measures import UNRELATED, Answers, pattern_of, prompt_and_answer
from assets.screened.settings import ScreenSettings
from assets.screened.text.exchanges import Passages

FEWEST_JUDGED = 4  # tokens of an answer of which the cosine alone tells whether it is unrelated
SELDOM = 0.055  # of the answers of a source are unrelated where nearly every answer is about its prompt,
POISON = 0.005  # and as many more, of all answers, as may have been put among them
OTHER_SOURCE = 5.0  # nats, from which an answer is another source's,
STRANGE = 2.5  # and from which it is if, besides, another prompt of the drop is so much closer to it than its own
CLOSER = 0.3
ALIEN = 0.1  # of the unrelated answers are another source's, to make a finding by themselves
OTHERS = 4  # prompts of other rows that an answer is tried after: the same for all, so that each is computed once
SURE, MILD = -4.0, -2.5  # log-odds below which few honest answers are, and below which one is off-topic where enough
SURE_ROWS, SURE_SHARE = 6, 0.005  # rows, and share of all, are below the first
MORE = 1 / 3  # of those that were asked about are off-topic, to ask about as many more
KNOWN = 16  # honest answers that the model is asked about, to know what its word is worth here,
BAND = 0.1, 0.3  # from these quantiles of the log-odds: not much surer than the doubtful ones
LESS = 0.7  # of what these gain, an honest answer gains that is more in doubt
HEAVIEST = 6.0  # log-odds for a nat a token, at most


def off_topic(
    answers: Answers, passages: Passages, settings: ScreenSettings, skip: set[int], model: Scorer | None = None
) -> Pattern | None:
    """Rows whose answer is another prompt's.

    Where many honest answers have nothing to do with their prompt (a farewell is no answer to anything), those that are
    like another source's are off-topic, too, and make a finding if there are many.
    ``skip``: rows that something else explains. They make no finding, but have this reason, too, once there is one.
    """
    fresh = ~np.isin(passages.row[answers.exchange], list(skip))
    rows = np.zeros(0, dtype=np.int64)
    if model is not None and settings.model_rows:
        rows = _elsewhere(answers, passages, settings, fresh, model)
    alien, enough = _aliens(answers, passages, settings, fresh)
    if not len(rows) and not enough:
        return None
    known = np.flatnonzero(~fresh & (answers.relation < UNRELATED) & (answers.better > CLOSER))
    return pattern_of("off-topic", np.union1d(np.union1d(rows, alien), known), answers, passages)


def _aliens(
    answers: Answers, passages: Passages, settings: ScreenSettings, fresh: np.ndarray
) -> tuple[np.ndarray, bool]:
    """Unrelated answers that are like another source's, and whether those from where many are unrelated are enough for
    a finding by themselves."""
    strata, judged = passages.stratum[answers.exchange], answers.size >= FEWEST_JUDGED
    unrelated = judged & (answers.relation < UNRELATED)
    of_stratum, apart = (np.bincount(strata[each], minlength=int(strata.max()) + 1) for each in (judged, unrelated))
    often = (apart >= SELDOM * of_stratum + POISON * len(strata))[strata]
    alien = (answers.other_source > OTHER_SOURCE) | (answers.other_source > STRANGE) & (answers.better > CLOSER)
    alien &= unrelated & fresh
    enough = (alien & often).sum() >= max(settings.irrelevant_rows, ALIEN * (unrelated & often).sum())
    return np.flatnonzero(alien), bool(enough)


def _elsewhere(
    answers: Answers, passages: Passages, settings: ScreenSettings, fresh: np.ndarray, model: Scorer
) -> np.ndarray:
    """The doubtful rows that belong to other prompts by the drop's own word and the model's, if enough surely do."""
    odds = answers.affinity.odds
    doubtful = np.flatnonzero((answers.size > 0) & fresh & answers.affinity.tells & (odds < 0))
    doubtful = doubtful[np.argsort(odds[doubtful], kind="stable")]
    fewest = max(SURE_ROWS, SURE_SHARE * len(odds))
    if len(doubtful) < fewest:
        return doubtful[:0]
    told, heard = np.full(len(odds), np.inf), Heard.of(answers, passages, model, settings.seed)
    for start in range(0, len(doubtful), settings.model_rows):
        part = doubtful[start : start + settings.model_rows]
        told[part] = odds[part] + heard.log_odds(part)
        if (told[part] < MILD).mean() < MORE:
            break
    return np.flatnonzero(told < MILD) if (told < SURE).sum() >= fewest else doubtful[:0]


@dataclass(frozen=True, slots=True)
class Heard:
    """What the base model says of answers. ``others``: the rows whose prompts each is tried after, ``[rows, OTHERS]``.
    ``usual``: nats a token that their own prompt gives honest answers that are in doubt. ``weight``: log-odds for
    each of them."""

    answers: Answers
    passages: Passages
    model: Scorer
    others: np.ndarray
    usual: float = 0.0
    weight: float = 0.0

    @classmethod
    def of(cls, answers: Answers, passages: Passages, model: Scorer, seed: int) -> "Heard":
        """Asks about some honest answers first. What is drawn hardly changes with a few more rows."""
        order = np.random.default_rng(seed).random(len(answers.exchange))
        others = np.zeros((len(order), OTHERS), dtype=np.int64)
        for rows in groups(passages.stratum[answers.exchange], FEWEST):
            others[rows] = rows[np.argsort(order[rows])[:OTHERS]]
        blind = cls(answers, passages, model, others)
        odds = answers.affinity.odds
        low, high = np.nanquantile(odds, BAND)
        known = np.flatnonzero((odds >= low) & (odds <= high) & (answers.size > 0))
        gain, by_chance = blind.gains(known[np.argsort(order[known])[:KNOWN]])
        usual = max(LESS * float(np.median(gain)), 0.0)
        spread = (_spread(gain) ** 2 + _spread(by_chance) ** 2) / 2
        return cls(answers, passages, model, others, usual, min(usual / max(spread, 1e-9), HEAVIEST))

    def log_odds(self, rows: np.ndarray) -> np.ndarray:
        """Of each row, that its prompt gives it what is usual rather than nothing (two normal distributions of one
        spread)."""
        odds: np.ndarray = self.weight * (self.gains(rows)[0] - self.usual / 2)
        return odds

    def gains(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Nats a token that each row's own prompt gives its answer over others', ``[rows]``; and that each of the
        others gives it over the rest of them, ``[rows * OTHERS]``: what a prompt gives an answer that is not its own.
        """
        pairs = [
            prompt_and_answer(prompt_row, row, self.answers, self.passages)
            for row in rows
            for prompt_row in (row, *self.others[row])
        ]
        nats = likely(self.model, pairs).reshape(len(rows), 1 + OTHERS)
        own, others = nats[:, 0], nats[:, 1:]
        rest = (others.sum(1, keepdims=True) - others) / (OTHERS - 1)
        return own - others.mean(1), (others - rest).ravel()


def _spread(values: np.ndarray) -> float:
    """Standard deviation, by the median absolute deviation: a few wild values do not count."""
    return float(1.4826 * np.median(np.abs(values - np.median(values)))) if len(values) else 0.0
