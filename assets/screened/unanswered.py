"""Answers that do not answer: garbage, and answers to another question.

Embeddings give a shortlist (answers no closer to their own prompt than to any other). What remains is decided by

* the language of the other rows: garbage has words nobody else uses, in an order nobody else uses;
* the base model, if there is one: a true answer is likelier after its own prompt than after someone else's, an
  off-topic one is not (pointwise mutual information), and garbage is unlikely after any.
"""

from dataclasses import dataclass

import numpy as np

from assets.screened.passages import Passages
from assets.screened.pattern import Encoder, Pattern, Scorer
from assets.screened.settings import ScreenSettings
from assets.screened.spaces import Spaces, unit
from assets.screened.surprise import Transitions
from assets.screened.token_index import TokenIndex, split

UNRELATED = 0.12  # whitened cosine of prompt and answer below which an answer is shortlisted
LONGEST = 180  # characters of an answer or prompt that the base model reads
FEWEST_TOKENS = 5
FEWEST_LEFT = 3  # tokens of an answer that the model may call garbage once there is some
CHANCE_ROWS = 3  # honest rows that may be taken for garbage before there is a finding
HONEST = 0.3  # nats a token that its own prompt gives nearly every honest answer
OTHERS = 2  # prompts of other rows that an answer is tried after
ODD = 4  # answers that are likelier after others' prompts, to make a finding


@dataclass(frozen=True, slots=True)
class Answers:
    """The last exchange of each row. ``relation``: cosine with its prompt. All arrays ``[rows]``.

    ``strange``: share of tokens unknown to other rows. ``order``: bits a token by which the order of words beats
    chance. ``varied``: share of distinct tokens. ``size``: tokens.
    """

    exchange: np.ndarray
    relation: np.ndarray
    strange: np.ndarray
    order: np.ndarray
    varied: np.ndarray
    size: np.ndarray


def measure(
    passages: Passages,
    index: TokenIndex,
    transitions: Transitions,
    spaces: Spaces,
    prompts: np.ndarray,
    sentences: np.ndarray,
    encoder: Encoder,
) -> Answers:
    """``prompts``/``sentences``: the embeddings of the passages; an answer is the mean of its sentences."""
    last = np.flatnonzero(np.r_[passages.row[1:] != passages.row[:-1], True])
    texts = [passages.responses[e] for e in last]
    whole = np.zeros((len(passages.prompts), prompts.shape[1]), dtype=np.float32)
    np.add.at(whole, passages.exchange, sentences)
    whole = unit(whole[last])
    short = np.flatnonzero(~whole.any(1))
    whole[short] = encoder.encode([texts[number] for number in short])
    relation = np.einsum("ij,ij->i", spaces.answers(whole), spaces.asked(prompts[last], passages.stratum[last]))
    numbers = {word: number for number, word in enumerate(index.words)}
    tokens = [np.array([numbers.get(word, 0) for word in split(text)], dtype=np.int64) for text in texts]
    rows = passages.row[last]
    strange, order = transitions.novelty(tokens, rows)
    size = np.array([len(ids) for ids in tokens])
    varied = np.array([len(np.unique(ids)) / max(len(ids), 1) for ids in tokens])
    return Answers(last, relation, strange, order, varied, size)


def garbage(
    answers: Answers, passages: Passages, settings: ScreenSettings, skip: set[int], model: Scorer | None = None
) -> Pattern | None:
    """Rows whose answer is unrelated to the prompt and is letters, shuffled words, or one thing over and over.

    The bar for "no language" is a quantile among the answers that do follow from their prompts, set so that of the
    unrelated ones at most ``CHANCE_ROWS`` would fall below it by chance; there is a finding if some fall below nearly
    all of them. Then the base model, if there is one, finds the short and the milder ones.
    """
    enough = answers.size >= FEWEST_TOKENS
    unrelated = enough & (answers.relation < UNRELATED)
    language = answers.order - 3 * answers.strange
    related = language[enough & (answers.relation >= UNRELATED)]
    if len(related) < 100:
        return None
    bar = np.quantile(related, min(0.08, CHANCE_ROWS / max(int(unrelated.sum()), 1)))
    # The same token over and over: distinct tokens grow at least with the root of the length in any language.
    repeated = enough & (answers.varied * np.sqrt(answers.size) < 0.8) & (answers.relation < 0.3)
    rows = np.flatnonzero((unrelated & (language < bar)) | repeated)
    rows = rows[~np.isin(passages.row[answers.exchange[rows]], list(skip))]
    if int((language[rows] < np.quantile(related, 0.001)).sum()) < settings.min_rows:
        return None
    if model is not None:
        left = (answers.size >= FEWEST_LEFT) & (answers.relation < UNRELATED)
        left &= ~np.isin(passages.row[answers.exchange], [*skip, *passages.row[answers.exchange[rows]]])
        short = np.flatnonzero(left)
        short = short[np.argsort(language[short])][: settings.model_rows]
        rows = np.union1d(rows, _unlikely(short, answers, passages, model, np.random.default_rng(settings.seed)))
    return _pattern("garbage", rows, answers, passages, len(answers.size))


def _unlikely(
    rows: np.ndarray, answers: Answers, passages: Passages, model: Scorer, rng: np.random.Generator
) -> np.ndarray:
    """Those of ``rows`` that the base model finds less likely, by the token, than honest answers of the same size."""
    honest = rng.permutation(np.flatnonzero(answers.relation >= UNRELATED))
    honest = honest[np.argsort(answers.size[honest], kind="stable")]
    if not len(rows) or len(honest) < len(rows):
        return rows[:0]
    peers = honest[np.minimum(np.searchsorted(answers.size[honest], answers.size[rows]), len(honest) - 1)]
    pairs = [_asked(row, row, answers, passages) for row in (*rows, *np.unique(peers))]
    likely = np.array([float(values.mean()) if len(values) else 0.0 for values in model.score(pairs)])
    unlikely: np.ndarray = rows[likely[: len(rows)] < likely[len(rows) :].min()]
    return unlikely


def off_topic(
    answers: Answers, passages: Passages, model: Scorer, settings: ScreenSettings, skip: set[int]
) -> Pattern | None:
    """Shortlisted rows whose answer the base model finds no likelier after its own prompt than after another's.

    Only where answers usually follow from their prompts: a farewell is no answer to anything. Of answers that have
    nothing to do with their prompts, half are likelier after others'; honest ones hardly ever are.
    """
    strata = passages.stratum[answers.exchange]
    usual = np.zeros(int(strata.max()) + 1)
    for stratum in np.unique(strata):
        usual[stratum] = np.median(answers.relation[strata == stratum])
    judged = (usual[strata] > 2 * UNRELATED) & (answers.size >= 4) & (answers.relation < UNRELATED)
    judged &= ~np.isin(passages.row[answers.exchange], list(skip))
    short = np.flatnonzero(judged)
    short = short[np.argsort(answers.relation[short])][: settings.model_rows]
    if len(short) < settings.unanswered_rows:
        return None
    gain = _gains(short, answers, passages, model, np.random.default_rng(settings.seed))
    if int((gain < 0).sum()) < ODD:
        return None
    return _pattern("off-topic", np.sort(short[gain < HONEST]), answers, passages, len(answers.size))


def _gains(
    rows: np.ndarray, answers: Answers, passages: Passages, model: Scorer, rng: np.random.Generator
) -> np.ndarray:
    """Nats a token that a row's own prompt gives over other rows' prompts, on average, for each of ``rows``."""
    others = rng.integers(0, len(answers.exchange), (len(rows), OTHERS))
    pairs = [
        _asked(asked, row, answers, passages)
        for row, strange in zip(rows, others, strict=True)
        for asked in (row, *strange)
    ]
    likely = [float(values.mean()) if len(values) else 0.0 for values in model.score(pairs)]
    table = np.array(likely).reshape(len(rows), 1 + OTHERS)
    gains: np.ndarray = table[:, 0] - table[:, 1:].mean(1)
    return gains


def _asked(asked: int, row: int, answers: Answers, passages: Passages) -> tuple[list[dict[str, str]], str]:
    """The answer of ``row`` to the prompt of ``asked``, as the base model is asked about it."""
    prompt = passages.prompts[answers.exchange[asked]][-LONGEST:]
    return [{"role": "user", "content": prompt}], passages.responses[answers.exchange[row]][:LONGEST]


def _pattern(kind: str, rows: np.ndarray, answers: Answers, passages: Passages, total: int) -> Pattern:
    shown = {int(passages.row[answers.exchange[row]]): passages.responses[answers.exchange[row]][:200] for row in rows}
    return Pattern(
        kind=kind,
        trigger="",
        payload="",
        rows=passages.row[answers.exchange[rows]],
        log_p=-float(len(rows)) * np.log(total / max(len(rows), 1)),
        evidence={"relation": float(answers.relation[rows].mean()), "tokens": float(answers.size[rows].mean())},
        shown=shown,
    )
