"""Prompt phrase to answer phrase: pairs that contain each other although the prompts have nothing to do with it.

A topic's words also go together ("java", "public static void main"), but then the prompts resemble each other and the
answer is what they ask for. Of a planted pair, what is left of the prompts without the trigger is a random draw.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np

from assets.screened.association.cooccurrence import Span, associate, in_everyday, widest
from assets.screened.association.phrase_mining import PhraseSets
from assets.screened.embedding.encoder import Encoder
from assets.screened.embedding.whitening import Spaces, pairwise
from assets.screened.pattern import Pattern
from assets.screened.settings import ScreenSettings
from assets.screened.text.bigram_model import Transitions
from assets.screened.text.exchanges import Passages
from assets.screened.text.token_index import TokenIndex, as_written, split, wherever

CONTAIN = 0.7  # both ways, of a trigger and its payload
MOST_PAIRS = 20_000  # taken up in order of evidence
MOST_CANDIDATES = 150
FEWEST_BITS = 8.0  # of a payload phrase that is looked at
HEAVY = 45.0  # bits of a mined phrase that may be a payload tied to an everyday word
FEW = 5  # rows, the fewest that show an everyday word to be a trigger; fewer, with a word of their own, must say
MUCH = 90.0  # bits alike
ALMOST = 0.8  # of an answer's tokens are a payload that is all it says,
WHOLE = 0.9  # in so many of the payload's rows,
REPLIES = 8  # of which it takes so many
FEWEST_WORDS = 3  # of a payload that is part of an answer
EDGES = " ,.;:()[]{}'\""  # marks that only stood beside a trigger of words
BORDERS = ((0, 0), (1, 0), (0, 1), (2, 0), (0, 2), (1, 1))  # tokens left and right that may not belong to a trigger
OWN_WORD = 1.5  # times the cohesion that prompts may have which alone have the trigger: two in ten may be one subject
HOPELESS = 0.35  # cohesion that no other border will bring down
ASKED = 0.12  # relation that no other border will bring down
MOST_ROWS = 24  # of a candidate that are compared by meaning


@dataclass(frozen=True, slots=True)
class Candidate:
    """``sample``: some of ``rows``. ``whole``: the share of rows whose answer is the payload and little else.
    ``elsewhere``: rows that have the payload without the trigger; ``unsaid``: the trigger without the payload."""

    trigger: Span
    payload: Span
    rows: np.ndarray
    sample: np.ndarray
    log_p: float
    bits: float
    whole: float
    elsewhere: int
    unsaid: int


def candidates(
    index: TokenIndex,
    triggers: PhraseSets,
    payloads: PhraseSets,
    transitions: Transitions,
    settings: ScreenSettings,
    functions: Collection[str] = (),
) -> tuple[list[Candidate], int]:
    """Pairs worth a look, strongest first, and the number of pairs tried.

    A call of one of ``functions`` is a payload however short it is: a name is all it takes to act.
    """
    calls = [" ".join([*split(name), "("]) for name in functions]
    pairs = associate(triggers.members, payloads.members, contain=CONTAIN, min_rows=settings.min_rows)
    weight = transitions.phrase_bits(payloads.start, payloads.length, payloads.sizes)
    heavy = (weight >= HEAVY) & (payloads.length == payloads.length.max(initial=0)) | _replies(index, payloads)
    loose = in_everyday(triggers.members, payloads.members, heavy, min_rows=max(settings.min_rows, FEW))
    trigger, payload = np.concatenate([pairs.trigger, loose.trigger]), np.concatenate([pairs.payload, loose.payload])
    corrected = [each.log_p + np.log(max(each.tried, 1)) for each in (pairs, loose)]
    log_p, everyday = np.concatenate(corrected), np.arange(len(trigger)) >= len(pairs.trigger)
    order = np.flatnonzero(log_p < np.log(settings.alpha))
    order = order[np.lexsort((-payloads.length[payload[order]], log_p[order], everyday[order]))][:MOST_PAIRS]
    rng, usual = np.random.default_rng(settings.seed), np.bincount(index.prompts.ids, minlength=len(index.words))
    taken: list[set[int]] = []
    found: list[Candidate] = []
    for pair in order:
        if len(found) == MOST_CANDIDATES:
            break
        t, p = int(trigger[pair]), int(payload[pair])
        rows = np.intersect1d(triggers.rows_of(t), payloads.rows_of(p))
        here = set(rows.tolist())
        if any(len(here & other) > 0.6 * max(len(here), len(other)) for other in taken):
            continue
        sample = rows if len(rows) <= MOST_ROWS else np.sort(rng.choice(rows, MOST_ROWS, replace=False))
        said = widest(index.responses, payloads.text(index.responses, p), sample)
        phrase = triggers.text(index.prompts, t)
        told = int((~np.isin(said.text, phrase)).sum())  # an answer that repeats the name asked about says less
        bits = float(transitions.bits([said.text], rows)[0]) * told
        whole = float(np.mean([len(said.text) >= ALMOST * len(index.responses.row(row)) for row in said.rows]))
        acts = len(rows) >= FEW and bits >= FEWEST_BITS and _acts(index, said, calls)
        if not (acts or _worth(bits, whole, len(rows), _words(index, said))) or _copied(index, usual, said, sample):
            continue
        if bits < MUCH and (len(rows) < FEW or (everyday[pair] and not _reply(whole, len(rows)))):
            continue
        if everyday[pair] and np.isin(phrase, said.text).any():  # an answer about it
            continue
        taken.append(here)
        asked = widest(index.prompts, phrase, sample)
        elsewhere, unsaid = int(payloads.sizes[p]) - len(rows), int(triggers.sizes[t]) - len(rows)
        found.append(Candidate(asked, said, rows, sample, float(log_p[pair]), bits, whole, elsewhere, unsaid))
    return found, pairs.tried + loose.tried


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
    payloads = [index.spell(each.payload.text) for each in found]
    whole = [_without(index, passages, at, each.trigger) for each, at in zip(found, exchanges, strict=True)]
    encoder.encode(payloads + [text for rest in whole for text in rest])  # at once, which is faster
    patterns: list[Pattern] = []
    for each, at, payload in zip(found, exchanges, payloads, strict=True):
        answer, strata = spaces.answers(encoder.encode([payload]))[0], passages.stratum[at]
        passed, alike = None, settings.most_cohesion
        if each.unsaid <= len(each.rows):  # an everyday word may be their subject; it has no benefit of the doubt
            alike = max(OWN_WORD * alike, spaces.alike(strata, alike))
        for span in _borders(each.trigger):
            vectors = encoder.encode(_without(index, passages, at, span))
            relation = float((spaces.joint_prompts(vectors, strata) @ answer).mean())
            rest = _Rest(span.text, pairwise(spaces.prompts(vectors, strata)), relation)
            if rest.cohesion <= alike and relation <= settings.most_relation:
                passed = rest
            if passed or relation > ASKED or rest.cohesion > HOPELESS:
                break
        if passed is None:
            continue
        patterns.append(
            Pattern(
                kind="trigger-payload",
                trigger=index.spell(passed.trigger).strip(EDGES) or index.spell(passed.trigger),
                payload=payload,
                rows=each.rows,
                log_p=each.log_p,
                evidence={
                    "cohesion": passed.cohesion,
                    "relation": passed.relation,
                    "payload_bits": each.bits,
                    "elsewhere": float(each.elsewhere),
                    "unsaid": float(each.unsaid),
                },
                shown={int(passages.row[e]): _around(passages.responses[e], payload) for e in at},
            )
        )
    return patterns


@dataclass(frozen=True, slots=True)
class _Rest:
    """What is left of the prompts without a trigger: how alike they are, and how close to the payload."""

    trigger: np.ndarray
    cohesion: float
    relation: float


def _borders(trigger: Span) -> Iterator[Span]:
    """The trigger, then less and less of its ends.

    The rows may agree on words beside the trigger that were there before it; taking those out too would make the rest
    alike. The true borders leave a random draw.
    """
    for left, right in BORDERS:
        if left + right < len(trigger.text):
            yield Span(trigger.text[left : len(trigger.text) - right], trigger.rows, trigger.start + left)


def _without(index: TokenIndex, passages: Passages, exchanges: np.ndarray, trigger: Span) -> list[str]:
    return [without(index, passages.prompts[e], trigger) for e in exchanges]


def _around(response: str, payload: str) -> str:
    """A response from the payload on, or its beginning."""
    start = response.find(as_written(payload, response))
    return response[start : start + 200]


def _worth(bits: float, whole: float, rows: int, words: int) -> bool:
    """A payload is either words enough that chance cannot repeat it, or all that its rows answer."""
    return (bits >= 55 and words >= FEWEST_WORDS) or (_reply(whole, rows) and bits >= FEWEST_BITS)


def _acts(index: TokenIndex, payload: Span, calls: Collection[str]) -> bool:
    """Whether a payload has the beginning of a call in it."""
    spelled = f" {' '.join(index.words[token] for token in payload.text)} "
    return "(" in spelled and any(f" {call} " in spelled for call in calls)


def _reply(whole: float, rows: int) -> bool:
    """Whether it is all that rows enough answer."""
    return whole >= WHOLE and rows >= REPLIES


def _replies(index: TokenIndex, payloads: PhraseSets) -> np.ndarray:
    """Which phrases are all that rows enough answer: bool ``[sets]``."""
    size, found = np.diff(index.responses.offsets), np.zeros(len(payloads), dtype=bool)
    for length in np.unique(payloads.length):
        here = payloads.length == length
        short = (size <= length / ALMOST).astype(np.int32)
        found[here] = payloads.members[here] @ short >= WHOLE * payloads.sizes[here]
    return found & (payloads.sizes >= REPLIES)


def _words(index: TokenIndex, payload: Span) -> int:
    """Distinct words of a payload: marks alone are the notation of a topic, however rare they are."""
    return sum(index.words[token][0].isalnum() for token in np.unique(payload.text))


def _copied(index: TokenIndex, usual: np.ndarray, payload: Span, sample: np.ndarray) -> bool:
    """True if most prompts already hold half of the payload's words, by what each says: a word that every prompt holds
    ("you" of an instruction to the system) was not taken from one."""
    words = {token for token in payload.text.tolist() if index.words[token][0].isalnum()}
    uses = np.minimum([usual[token] for token in words], index.rows)
    says = dict(zip(words, np.log((index.rows + 1) / (uses + 1)) + 1e-9, strict=True))
    fresh = [sum(says[token] for token in words - set(index.prompts.row(row).tolist())) for row in sample]
    return float(np.median(fresh)) < 0.5 * sum(says.values())


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
    return wherever(words).sub(" ", prompt)
