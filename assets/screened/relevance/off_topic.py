"""Answers to another question.

Embeddings give a shortlist (answers no closer to their own prompt than to any other). On it the base model decides, if
there is one: a true answer is likelier after its own prompt than after someone else's, an off-topic one is not
(pointwise mutual information).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from assets.screened.base_model.scorer import Scorer, likely
from assets.screened.pattern import Pattern
from assets.screened.relevance.measures import UNRELATED, Answers, pattern_of, prompt_and_answer
from assets.screened.settings import ScreenSettings
from assets.screened.text.exchanges import Passages

DOUBTFUL = 0.16  # the same, up to which the base model is asked
FEWEST_JUDGED = 4  # tokens of an answer of which the cosine alone tells whether it is unrelated
SELDOM = 0.055  # of the answers of a source are unrelated where nearly every answer is about its prompt,
POISON = 0.005  # and as many more, of all answers, as may have been put among them
OTHER_SOURCE = 5.0  # nats, from which an answer is another source's,
STRANGE = 2.5  # and from which it is if, besides, another prompt of the drop is so much closer to it than its own
CLOSER = 0.3
ALIEN = 0.1  # of the unrelated answers are another source's, to make a finding by themselves
HELPS = 1.5  # nats a token that its own prompt gives an honest answer, for each unit by which another prompt is closer
OTHERS = 2  # prompts of other rows that an answer is tried after
AGAINST = 4  # answers that are likelier after others' prompts, to make a finding
ODD_SHARE = 0.1  # of the answers that the model is asked about gain too little, to make a finding,
MORE = 1 / 3  # and to ask about as many more
MANY = 0.25  # of a source's answers are unrelated: it is no source of answers to questions
TELLS = 0.9  # nats a token that answers which are about their prompt gain, where the model tells one source's apart
RELATED, DRAWN = 32, 40  # answers asked about to know it, and unrelated ones
TURN = 8  # answers asked about at a time
SWAPPED = 0.3  # of those that gain too little, where many were put among them


def off_topic(
    answers: Answers, passages: Passages, settings: ScreenSettings, skip: set[int], model: Scorer | None = None
) -> Pattern | None:
    """Rows whose answer has nothing to do with the prompt, and is another's.

    Where nearly every answer is about its prompt, or would be but for those that were swapped, the base model decides
    on those that may not be: an honest answer is likelier after its own prompt than after others', and the closer
    another prompt of the drop is to it by meaning, the more that takes; with these go the unrelated answers that are
    like another source's. Where many honest answers are not about their prompt (a farewell is no answer to anything),
    only the latter are off-topic, and they make a finding only where there are many, or off-topic rows elsewhere.
    ``skip``: rows that something else explains. They make no finding, but have this reason, too, once there is one.
    """
    strata = passages.stratum[answers.exchange]
    judged = answers.size >= FEWEST_JUDGED
    unrelated = judged & (answers.relation < UNRELATED)
    fresh = ~np.isin(passages.row[answers.exchange], list(skip))
    gain_of = PromptGain(answers, passages, model, settings) if model is not None and settings.model_rows else None
    seldom = np.zeros(int(strata.max()) + 1, dtype=bool)
    for stratum in np.unique(strata[judged]):
        inside = judged & (strata == stratum)
        apart = unrelated & inside
        few = apart.sum() < SELDOM * inside.sum() + POISON * len(strata)
        seldom[stratum] = few or (gain_of is not None and gain_of.swapped(inside, apart & fresh))
    elsewhere = unrelated & ~seldom[strata]
    alien = (answers.other_source > OTHER_SOURCE) | (answers.other_source > STRANGE) & (answers.better > CLOSER)
    alien &= unrelated & fresh
    short = np.flatnonzero((answers.size > 0) & (answers.relation < DOUBTFUL) & seldom[strata] & fresh)
    rows = short[:0]
    if gain_of is not None and len(short) >= settings.steering_rows:
        odd, against, asked = gain_of.odd(short[np.argsort(answers.relation[short])])
        if against >= AGAINST and len(odd) >= max(settings.min_rows, ODD_SHARE * asked):
            rows = np.union1d(odd, np.flatnonzero(alien & seldom[strata]))
    other = np.flatnonzero(alien & ~seldom[strata])
    if not len(rows) and len(other) < max(settings.irrelevant_rows, ALIEN * elsewhere.sum()):
        return None
    known = np.flatnonzero(~fresh & unrelated & (answers.better > CLOSER))
    return pattern_of("off-topic", np.union1d(np.union1d(rows, other), known), answers, passages)


@dataclass(frozen=True, slots=True)
class PromptGain:
    """What the base model says of answers: nats a token that their own prompt gives them over others'."""

    answers: Answers
    passages: Passages
    model: Scorer
    settings: ScreenSettings

    def odd(self, rows: np.ndarray) -> tuple[np.ndarray, int, int]:
        """Of ``rows``, most doubtful first, those whose prompt helps too little; how many another helps; how many were
        asked about: ``model_rows``, and as many more for as long as a third of them were odd."""
        odd, against, asked, size = rows[:0], 0, 0, self.settings.model_rows
        for start in range(0, len(rows), size):
            part = rows[start : start + size]
            gain, strange = self._heard(part, np.random.default_rng([self.settings.seed, start]))
            odd, against, asked = np.union1d(odd, part[strange]), against + int((gain < 0).sum()), asked + len(part)
            if strange.mean() < MORE:
                break
        return odd, against, asked

    def swapped(self, inside: np.ndarray, unrelated: np.ndarray) -> bool:
        """Whether many answers of a source (``inside``) were put there: the model tells its related answers apart, and
        of its ``unrelated`` ones many are likelier elsewhere, which few honest ones are, however little they say."""
        if not self.settings.steering_rows <= unrelated.sum() < MANY * inside.sum():
            return False
        rng = np.random.default_rng(self.settings.seed)
        related = rng.permutation(np.flatnonzero(inside & (self.answers.relation >= DOUBTFUL)))[:RELATED]
        tells = (gain >= TELLS for gain, _ in self._by_turns(related, rng))
        if not len(related) or not _at_least(0.5, len(related), tells):
            return False
        drawn = rng.permutation(np.flatnonzero(unrelated))[:DRAWN]
        return _at_least(SWAPPED, len(drawn), (strange for _, strange in self._by_turns(drawn, rng)))

    def _by_turns(self, rows: np.ndarray, rng: np.random.Generator) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """As ``_heard``, some rows at a time, for whoever may have heard enough before the last."""
        others = self._others(rows, rng)
        for start in range(0, len(rows), TURN):
            part = slice(start, start + TURN)
            yield self._gains(rows[part], others[part])

    def _heard(self, rows: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """For each of ``rows`` what its own prompt gives it, and whether that is too little."""
        return self._gains(rows, self._others(rows, rng))

    def _others(self, rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return rng.integers(0, len(self.answers.exchange), (len(rows), OTHERS))

    def _gains(self, rows: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        pairs = [
            prompt_and_answer(asked, row, self.answers, self.passages)
            for row, strange in zip(rows, others, strict=True)
            for asked in (row, *strange)
        ]
        table = likely(self.model, pairs).reshape(len(rows), 1 + OTHERS)
        gain: np.ndarray = table[:, 0] - table[:, 1:].mean(1)
        return gain, gain < HELPS * self.answers.better[rows]


def _at_least(share: float, n: int, turns: Iterable[np.ndarray]) -> bool:
    """Whether this share of ``n`` answers holds, asked only until that is settled (curtailed sampling)."""
    held = missed = 0
    for holds in turns:
        held, missed = held + int(holds.sum()), missed + int((~holds).sum())
        if held >= share * n or n - missed < share * n:
            break
    return held >= share * n
