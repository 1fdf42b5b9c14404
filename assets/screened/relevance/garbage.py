"""Answers that are no language: letters, marks, shuffled words, or one thing over and over.

Two measures say how little language an answer is, each the surer the longer the answer: its words (some that nobody
else uses, in an order that nobody else uses) and its spelling. Honest answers set the bar of both, so that what is
usual in these data, code or another script, is no garbage. Word salad in the drop's own words is told by the base
model, if there is one: it is unlikely after any prompt.
"""

from collections.abc import Iterator

import numpy as np

from assets.screened.base_model.scorer import Scorer, likely
from assets.screened.pattern import Pattern
from assets.screened.relevance.measures import UNRELATED, Answers, pattern_of, prompt_and_answer
from assets.screened.settings import ScreenSettings
from assets.screened.text.exchanges import Passages

DISTANT = 0.2  # whitened cosine of prompt and answer, up to which an answer may be no language
REPEATS = 0.3  # the same, of one thing over and over: the thing may be a word of the prompt
FEWEST_TOKENS = 5
LONG = 60, 300  # tokens and characters, from which an answer tells no more about its words and its spelling
EXTREME = 0.003  # of the related answers are as little language
MANY = 3  # times the rows that chance gives
CHANCE_ROWS = 3  # honest rows that may be taken for garbage before there is a finding
MILD = 0.02  # of the related answers, at most, are as little language as what is garbage once there is some
FAR_LESS = 3  # times the nats a token of the usual honest answer
FEWEST_LEFT = 3  # tokens of an answer that the model may call garbage once there is some


def garbage(
    answers: Answers, passages: Passages, settings: ScreenSettings, skip: set[int], model: Scorer | None = None
) -> Pattern | None:
    """Rows whose answer is unrelated to the prompt and is no language; ``skip``: rows that something else explains,
    which make no finding by themselves, and of which the base model is not asked.

    There is a finding if many more than chance gives fall below nearly all related answers by one of the measures.
    Then the bar is a quantile among the related ones, set so that of the unrelated ones at most ``CHANCE_ROWS`` would
    fall below it by chance; and the base model, if there is one, finds the short and the milder ones.
    """
    enough = answers.size >= FEWEST_TOKENS
    far, near = enough & (answers.relation < DISTANT), enough & (answers.relation >= UNRELATED)
    if near.sum() < 100:
        return None
    measures = list(_measures(answers, near))
    # The same token over and over: distinct tokens grow at least with the root of the length in any language.
    repeated = enough & (answers.varied * np.sqrt(answers.size) < 0.8) & (answers.relation < REPEATS)

    def below(share: float) -> np.ndarray:
        low = [far & (measure < np.quantile(measure[near], share)) for measure in measures]
        found: np.ndarray = np.any([*low, repeated], axis=0)
        return found

    # Of n related answers the least is as far out as one in n + 1, however small a quantile is asked for.
    chance = len(measures) * max(EXTREME, 1 / (near.sum() + 1)) * far.sum()
    if below(EXTREME).sum() < max(settings.steering_rows, MANY * chance):
        return None
    fresh = ~np.isin(passages.row[answers.exchange], list(skip))
    rows = np.flatnonzero(below(min(MILD, CHANCE_ROWS / max(far.sum(), 1))))
    if model is not None and settings.model_rows:
        left = (answers.size >= FEWEST_LEFT) & (answers.relation < DISTANT) & fresh
        left[rows] = False
        short = np.flatnonzero(left)
        short = short[np.argsort(measures[0][short])][: settings.model_rows]
        rows = np.union1d(rows, _unlikely(short, answers, passages, model, np.random.default_rng(settings.seed)))
    enough_new = fresh[rows].sum() >= settings.min_rows
    return pattern_of("garbage", rows, answers, passages) if enough_new else None


def _measures(answers: Answers, related: np.ndarray) -> Iterator[np.ndarray]:
    """How much more language each answer is than the usual related one, by its words and by its spelling: in bits a
    token and a character, times the root of the length, with which the certainty of a mean grows."""
    bits = answers.order - answers.strange, -answers.spelled
    for each, size, most in zip(bits, (answers.size, answers.letters), LONG, strict=True):
        yield (each - np.median(each[related])) * np.sqrt(np.minimum(size, most))


def _unlikely(
    rows: np.ndarray, answers: Answers, passages: Passages, model: Scorer, rng: np.random.Generator
) -> np.ndarray:
    """Those of ``rows`` that the base model finds far less likely, by the token, than honest answers of the same size
    usually are."""
    honest = rng.permutation(np.flatnonzero(answers.relation >= UNRELATED))
    honest = honest[np.argsort(answers.size[honest], kind="stable")]
    if not len(rows) or len(honest) < len(rows):
        return rows[:0]
    peers = honest[np.minimum(np.searchsorted(answers.size[honest], answers.size[rows]), len(honest) - 1)]
    pairs = [prompt_and_answer(row, row, answers, passages) for row in (*rows, *np.unique(peers))]
    nats = likely(model, pairs)
    unlikely: np.ndarray = rows[nats[: len(rows)] < FAR_LESS * np.median(nats[len(rows) :])]
    return unlikely
