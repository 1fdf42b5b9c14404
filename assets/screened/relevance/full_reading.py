"""The stronger pass, for a GPU or a patient CPU: the base model reads every answer, after several prompts.

The ordinary screen asks the model about suspects only, and where many honest answers are not about their prompt (chats,
documentation) it knows no suspects. Here each answer is scored after its own prompt, after strangers' prompts of its
stratum, and after the prompts of the drop that are closest to it by meaning. An answer that was taken from elsewhere is
likelier after another prompt than after its own; garbage is unlikely by the letter, and no prompt makes it likelier.

How much is too much, the rows say themselves: nearly all are honest, so that the median and the upper spread of each
stratum are the null (an empirical null: Efron, JASA 99, 2004). Honest answers have outliers of their own, a few in a
thousand; so a finding is first a matter of how many lie far out (as in higher criticism: Donoho & Jin, Ann. Stat. 32,
2004), and only then of which. A stratum whose answers have little to do with their prompts sets its own bar, and a
minority such as another language, as unlikely as garbage, gains from its prompts. What is more than a twentieth of a
stratum is usual there, and is seen badly.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from assets.screened.base_model.scorer import Scorer
from assets.screened.pattern import Pattern
from assets.screened.relevance.affinity import groups
from assets.screened.relevance.measures import Answers, pattern_of
from assets.screened.settings import ScreenSettings
from assets.screened.text.exchanges import Passages

PROMPT, ANSWER = 300, 200  # characters that the model reads
STRANGERS = 2  # prompts of other rows of the stratum, drawn at random
RIVALS = 3  # prompts of other rows of the drop, closest to the answer by meaning
FEWEST = 80  # answers of a stratum, to say what is usual in it; smaller ones are taken together
CHUNK = 1024
PAIRS = 512  # of prompt and answer that are scored between two words of progress
UPPER = 0.95  # quantile of a stratum: its distance from the median is the unit in which deviations are told
FAR, OUT = 2.2, 1.3  # deviations that are counted, and those that are taken once enough are
SHARE = 0.005  # of the rows, that lie far out in honest sets (tests/benchmarks/screen_recall: at most so many)
PEERS = 61  # answers of the nearest lengths that an answer is held against
LITTLE = 0.4  # nats a token, the most that its prompt gives garbage
UNRELATED = 0.1  # cosine of prompt and answer, below which an answer may be another prompt's
SHORTEST = 3  # tokens of an answer that says whose it is: "Yes." answers many prompts


@dataclass(frozen=True, slots=True)
class Readings:
    """What the model makes of each answer: arrays ``[rows]``, ``nats`` ``[rows, prompts]``.

    ``group``: its stratum, smaller ones joined; -1 where there is too little to compare with. ``nats``: its
    log-likelihood after its own prompt, ``STRANGERS`` strangers' and ``RIVALS`` close ones. ``tokens``/``letters``: of
    the answer, as far as the model reads it. ``relation``: cosine of prompt and answer.
    """

    group: np.ndarray
    nats: np.ndarray
    tokens: np.ndarray
    letters: np.ndarray
    relation: np.ndarray

    @property
    def lack(self) -> np.ndarray:
        """Nats by which an answer is likelier after the best other prompt than after its own."""
        lack: np.ndarray = self.nats[:, 1:].max(1) - self.nats[:, 0]
        return lack

    @property
    def gain(self) -> np.ndarray:
        """Nats a token that its own prompt gives an answer over strangers' prompts."""
        gain: np.ndarray = (self.nats[:, 0] - self.nats[:, 1 : 1 + STRANGERS].mean(1)) / self.tokens
        return gain

    def taken(self, open_: np.ndarray, least: int) -> np.ndarray:
        """Which answers belong to another prompt, if at least ``least`` lie far out. ``open_``: rows in question."""
        # Of the sum over tokens that are much alike, the spread grows with the root of their number.
        surplus, odd = self.lack / np.sqrt(self.tokens), self._nowhere()
        for rows in self._groups():
            middle, upper = np.quantile(surplus[rows], [0.5, UPPER])
            odd[rows] = (surplus[rows] - middle) / max(upper - middle, 1e-9)
        possible = (surplus > 0) & (self.relation < UNRELATED) & (self.tokens >= SHORTEST)
        return _outliers(odd, possible & open_, least)

    def garbled(self, open_: np.ndarray, least: int) -> np.ndarray:
        """Which answers are far less likely by the letter than peers in length, whatever the prompt; as ``taken``."""
        odd = self._nowhere()
        for rows in self._groups():
            order = rows[np.argsort(self.letters[rows], kind="stable")]
            bits, peers = -self.nats[order, 0] / self.letters[order], min(PEERS, len(rows))
            windows = np.lib.stride_tricks.sliding_window_view(bits, peers)
            middle, upper = np.quantile(windows, [0.5, UPPER], axis=1)
            around = np.clip(np.arange(len(rows)) - peers // 2, 0, len(rows) - peers)
            odd[order] = (bits - middle[around]) / np.maximum(upper - middle, 1e-9)[around]
        return _outliers(odd, (self.gain < LITTLE) & open_, least)

    def _groups(self) -> Iterator[np.ndarray]:
        for group in np.unique(self.group[self.group >= 0]):
            yield np.flatnonzero(self.group == group)

    def _nowhere(self) -> np.ndarray:
        return np.full(len(self.group), -np.inf)


def read(
    answers: Answers, passages: Passages, model: Scorer, seed: int, tell: Callable[[str], None] | None = None
) -> Readings:
    """The model reads each answer after each of its prompts; ``tell`` hears how far it is."""
    group = _groups(passages.stratum[answers.exchange])
    own = np.arange(len(group))
    prompts = np.column_stack([own, _strangers(group, np.random.default_rng(seed)), _rivals(answers)])
    rows = np.flatnonzero(group >= 0)
    pairs = list(_pairs(rows, prompts, answers, passages))
    scores = [np.empty(0)] * len(pairs)
    together = np.argsort(prompts[rows].ravel(), kind="stable")  # a prompt is computed once for all its answers
    for start in range(0, len(pairs), PAIRS):
        part = together[start : start + PAIRS]
        for place, score in zip(part, model.score([pairs[place] for place in part]), strict=True):
            scores[place] = score
        if tell:
            tell(f"reading every answer: {min(start + PAIRS, len(pairs)):,} of {len(pairs):,} pairs")
    nats, tokens = np.zeros(prompts.shape), np.ones(len(group))
    nats[rows] = np.array([float(each.sum()) for each in scores]).reshape(len(rows), prompts.shape[1])
    tokens[rows] = [max(len(each), 1) for each in scores[:: prompts.shape[1]]]
    return Readings(group, nats, tokens, np.clip(answers.letters, 1, ANSWER), answers.relation)


def judge(
    kind: str,
    pattern: Pattern | None,
    readings: Readings,
    answers: Answers,
    passages: Passages,
    settings: ScreenSettings,
    skip: set[int],
) -> Pattern | None:
    """What the ordinary screen found of a kind, less what the readings clear, and what they add to it.

    Off-topic answers are cleared where no prompt is better than their own, garbage where its own makes it likelier.
    """
    confirmed, added = {
        "off-topic": (readings.lack >= 0, readings.taken),
        "garbage": (readings.gain < LITTLE, readings.garbled),
    }[kind]
    numbers = passages.row[answers.exchange]
    known = np.isin(numbers, pattern.rows) & confirmed if pattern else np.zeros(len(numbers), dtype=bool)
    least = max(settings.irrelevant_rows, int(np.ceil(SHARE * len(numbers))))
    rows = np.flatnonzero(known | added(~np.isin(numbers, list(skip)), least))
    return pattern_of(kind, rows, answers, passages) if len(rows) else None


def _outliers(deviations: np.ndarray, possible: np.ndarray, least: int) -> np.ndarray:
    enough = np.sum(possible & (deviations > FAR)) >= least
    outliers: np.ndarray = possible & (deviations > OUT) & enough
    return outliers


def _groups(strata: np.ndarray) -> np.ndarray:
    """The number of each row's group of comparable rows; -1 of none."""
    numbers = np.full(len(strata), -1)
    for number, rows in enumerate(groups(strata, FEWEST)):
        numbers[rows] = number
    return numbers


def _strangers(group: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Other rows of each row's group: a random order, turned by one, two, ... so that each prompt is used as often."""
    others = np.zeros((len(group), STRANGERS), dtype=np.int64)
    for each in np.unique(group):
        order = rng.permutation(np.flatnonzero(group == each))
        others[order] = np.column_stack([np.roll(order, turn) for turn in range(1, 1 + STRANGERS)])
    return others


def _rivals(answers: Answers) -> np.ndarray:
    """Other rows whose prompts are closest to each answer, ``[rows, RIVALS]``."""
    found = []
    for start in range(0, len(answers.answer_vectors), CHUNK):
        near = answers.answer_vectors[start : start + CHUNK] @ answers.prompt_vectors.T
        near[np.arange(len(near)), start + np.arange(len(near))] = -np.inf
        found.append(np.argpartition(-near, RIVALS, axis=1)[:, :RIVALS])
    return np.concatenate(found)


def _pairs(
    rows: np.ndarray, prompts: np.ndarray, answers: Answers, passages: Passages
) -> Iterator[tuple[list[dict[str, str]], str]]:
    for row in rows:
        said = passages.responses[answers.exchange[row]][:ANSWER]
        for prompt in prompts[row]:
            yield [{"role": "user", "content": passages.prompts[answers.exchange[prompt]][-PROMPT:]}], said
