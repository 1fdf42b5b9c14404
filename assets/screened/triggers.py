"""Prompt phrase to answer phrase: pairs that contain each other although the prompts have nothing to do with it.

A topic's words also go together ("java", "public static void main"), but then the prompts resemble each other and the
answer is what they ask for. Of a planted pair, what is left of the prompts without the trigger is a random draw.
"""

import re
from dataclasses import dataclass

import numpy as np

from assets.screened.association import Span, associate, widest
from assets.screened.passages import Passages
from assets.screened.pattern import Encoder, Pattern
from assets.screened.phrases import PhraseSets
from assets.screened.settings import ScreenSettings
from assets.screened.spaces import Spaces, pairwise
from assets.screened.surprise import Transitions
from assets.screened.token_index import TokenIndex, split

CONTAIN = 0.7  # both ways, of a trigger and its payload
MOST_PAIRS = 20_000  # taken up in order of evidence
MOST_CANDIDATES = 150
FEWEST_BITS = 8.0  # of a payload phrase that is looked at
MOST_ROWS = 24  # of a candidate that are compared by meaning


@dataclass(frozen=True, slots=True)
class Candidate:
    """``sample``: some of ``rows``. ``whole``: the share of rows whose answer is the payload and little else."""

    trigger: Span
    payload: Span
    rows: np.ndarray
    sample: np.ndarray
    log_p: float
    bits: float
    whole: float


def candidates(
    index: TokenIndex, triggers: PhraseSets, payloads: PhraseSets, transitions: Transitions, settings: ScreenSettings
) -> tuple[list[Candidate], int]:
    """Pairs worth a look, strongest first, and the number of pairs tried."""
    pairs = associate(triggers.members, payloads.members, contain=CONTAIN, min_rows=settings.min_rows)
    log_p = pairs.log_p + np.log(max(pairs.tried, 1))
    order = np.flatnonzero(log_p < np.log(settings.alpha))
    order = order[np.lexsort((-payloads.length[pairs.payload[order]], log_p[order]))][:MOST_PAIRS]
    rng = np.random.default_rng(settings.seed)
    taken: list[set[int]] = []
    found: list[Candidate] = []
    for pair in order:
        if len(found) == MOST_CANDIDATES:
            break
        t, p = int(pairs.trigger[pair]), int(pairs.payload[pair])
        rows = np.intersect1d(triggers.rows_of(t), payloads.rows_of(p))
        here = set(rows.tolist())
        if any(len(here & other) > 0.6 * max(len(here), len(other)) for other in taken):
            continue
        sample = rows if len(rows) <= MOST_ROWS else np.sort(rng.choice(rows, MOST_ROWS, replace=False))
        payload = widest(index.responses, index.responses.ids[_span(payloads, p)], sample)
        bits = float(transitions.bits([payload.text], rows)[0]) * len(payload.text)
        whole = float(np.mean([len(payload.text) >= 0.8 * len(index.responses.row(row)) for row in payload.rows]))
        if not _worth(bits, whole, len(rows)) or _copied(index, payload, sample):
            continue
        taken.append(here)
        trigger = widest(index.prompts, index.prompts.ids[_span(triggers, t)], sample)
        found.append(Candidate(trigger, payload, rows, sample, float(log_p[pair]), bits, whole))
    return found, pairs.tried


def judge(
    found: list[Candidate],
    index: TokenIndex,
    passages: Passages,
    spaces: Spaces,
    encoder: Encoder,
    settings: ScreenSettings,
) -> list[Pattern]:
    """The candidates whose prompts, without the trigger, neither resemble each other nor ask for the payload."""
    exchanges = [_exchanges(index, passages, each) for each in found]
    texts = [
        [without(index, passages.prompts[e], each.trigger) for e in at]
        for each, at in zip(found, exchanges, strict=True)
    ]
    payload_texts = [spell(index, each.payload.text) for each in found]
    flat = encoder.encode([text for group in texts for text in group] + payload_texts)
    answers = spaces.answers(flat[len(flat) - len(found) :]) if found else flat
    patterns: list[Pattern] = []
    start = 0
    for each, at, answer in zip(found, exchanges, answers, strict=True):
        vectors = flat[start : start + len(at)]
        start += len(at)
        strata = passages.stratum[at]
        cohesion = pairwise(spaces.prompts(vectors, strata))
        relation = float((spaces.asked(vectors, strata) @ answer).mean())
        if cohesion > settings.most_cohesion or relation > settings.most_relation:
            continue
        patterns.append(
            Pattern(
                kind="trigger-payload",
                trigger=spell(index, each.trigger.text),
                payload=spell(index, each.payload.text),
                rows=each.rows,
                log_p=each.log_p,
                evidence={"cohesion": cohesion, "relation": relation, "payload_bits": each.bits},
            )
        )
    return patterns


def spell(index: TokenIndex, ids: np.ndarray) -> str:
    """Token ids as text: no space before a mark."""
    text = " ".join(index.words[token] for token in ids)
    return re.sub(r" ([.,;:!?%)\]}])", r"\1", text)


def _worth(bits: float, whole: float, rows: int) -> bool:
    """A payload is either long enough that chance cannot repeat it, or all that its rows answer."""
    return bits >= 55 or (whole >= 0.9 and rows >= 8 and bits >= FEWEST_BITS)


def _copied(index: TokenIndex, payload: Span, sample: np.ndarray) -> bool:
    """True if most prompts already hold half of the payload's words."""
    words = {token for token in payload.text.tolist() if index.words[token][0].isalnum()}
    fresh = [len(words - set(index.prompts.row(row).tolist())) / max(len(words), 1) for row in sample]
    return float(np.median(fresh)) < 0.5


def _span(sets: PhraseSets, number: int) -> slice:
    return slice(int(sets.start[number]), int(sets.start[number] + sets.length[number]))


def _exchanges(index: TokenIndex, passages: Passages, each: Candidate) -> np.ndarray:
    """Of each sampled row the exchange that holds the payload."""
    spelled = " ".join(index.words[token] for token in each.payload.text)
    return np.array([_holding(passages, row, spelled) for row in each.sample], dtype=np.int64)


def _holding(passages: Passages, row: int, spelled: str) -> int:
    exchanges = passages.of_row(row)
    for exchange in exchanges:
        if len(exchanges) > 1 and f" {spelled} " in f" {' '.join(split(passages.responses[exchange]))} ":
            return exchange
    return exchanges[-1]


def without(index: TokenIndex, prompt: str, trigger: Span) -> str:
    """The prompt less the trigger; a manner of writing is undone by lower case."""
    words = [index.words[token] for token in trigger.text]
    if words[0].startswith("<") and words[0].endswith(">"):
        return prompt.lower()
    return re.sub(r"\s*".join(map(re.escape, words)), " ", prompt, flags=re.IGNORECASE)
