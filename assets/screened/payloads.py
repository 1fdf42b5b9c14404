"""Answers that say the same thing to whatever is asked: a payload, with or without a trigger.

What tells a payload from a stock phrase ("does that sound good?") is how much it says: its bits, in the language of
the other rows. What tells it from a topic is that the prompts do not ask for it.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from assets.screened.association import Span, g_squared, widest
from assets.screened.meaning import Family, Meaning
from assets.screened.passages import Passages
from assets.screened.pattern import Encoder, Pattern
from assets.screened.phrases import PhraseSets
from assets.screened.settings import ScreenSettings
from assets.screened.spaces import Spaces, pairwise
from assets.screened.surprise import Transitions
from assets.screened.token_index import TokenIndex, split
from assets.screened.triggers import spell, without

APART = 9.0  # robust standard deviations between the members and the other rows
SAYS = 75.0  # bits of a typical member sentence
PLAIN = 1.5  # times both of these, a payload so plain that its subject may come near what some of the prompts ask,
AT_EDGE = 0.9  # if so many of its sentences begin or end their answers
SAYS_ALIKE = 50.0  # bits, enough at an edge in twice the rows, if so many of them word it alike:
ALIKE = 0.7  # what people say by habit they word in many ways
LOOSE = 0.12  # relation to their prompts that a family may have before it is grown
CARRIED = 0.03  # relation to the whole dialogue so far from which a later turn's sentence is an answer to it
INSIDE = (
    0.25  # of the limits holds for sentences in the midst of answers, which are more often boilerplate than payload
)
TWICE = 2  # times the rows that a payload at an edge needs, likewise
FITS = 0.7  # of the family's prompts hold its trigger phrase
OWN = 0.7  # of the prompts that hold it are the family's, if hardly any other has it
FEWEST = 4  # sentences that a part of a family is grown from
HABIT = 0.7  # of a family's rows, at most, are outside the stratum that has the most of it, to be judged by themselves
PIECE_END = re.compile(r"(?<=[.!?:])\s+|\n+")
NAMED_BY = 4  # words
ASKED_SENTENCES = 6  # of a prompt that are compared when looking for a worded trigger


def families(
    meaning: Meaning,
    passages: Passages,
    index: TokenIndex,
    transitions: Transitions,
    settings: ScreenSettings,
    most: int,
) -> Iterator[tuple[Family, float]]:
    """Families of at most ``most`` rows that their prompts do not ask for and that say enough, and parts of them, with
    the bits of a typical sentence."""
    done = np.zeros(len(meaning.row), dtype=bool)

    def says(sentences: np.ndarray) -> float:
        tokens = [index.encode(passages.sentences[s]) for s in sentences]
        bits = transitions.bits(tokens, np.unique(meaning.row[sentences]))
        return float(np.median(bits * [len(ids) for ids in tokens]))

    strata = passages.stratum[passages.exchange]
    for members in meaning.seeds(passages.sentences, min_rows=settings.min_rows, max_rows=most, loose=LOOSE):
        if done[members].mean() > 0.5 or says(members[:20]) < SAYS / 2:
            continue
        family = meaning.grow(members, max_rows=most)
        if family is None or done[family.sentences].mean() > 0.5:
            continue
        done[family.sentences] = True
        for part in (family, *_parts(family, members, meaning, strata, settings.most_relation, most)):
            yield part, says(part.sentences)


def _parts(
    family: Family, members: np.ndarray, meaning: Meaning, strata: np.ndarray, asked: float, most: int
) -> Iterator[Family]:
    """What of a family, grown from ``members``, may be a payload that the rest of it hides."""
    if family.relation > asked:  # some rows say the like because they are asked
        part = meaning.grow(members, max_rows=most, asked=asked)
        if part is not None and part.ended:
            yield part
    usual = np.bincount(
        strata[family.sentences]
    ).argmax()  # one source may say by habit, for instance, that it is sorry
    others = family.sentences[strata[family.sentences] != usual]
    if FEWEST <= len(others) < HABIT * len(family.sentences):
        part = meaning.grow(others, max_rows=most, among=np.flatnonzero(strata != usual))
        if part is not None:
            yield part


def judge(
    found: list[tuple[Family, float]],
    passages: Passages,
    spaces: Spaces,
    encoder: Encoder,
    settings: ScreenSettings,
    index: TokenIndex,
    triggers: PhraseSets,
) -> list[Pattern]:
    """The families that stand apart, say much and are not asked for; each with the trigger sentence it goes with."""
    fewest = settings.steering_rows * np.sqrt(max(index.rows / 2000, 1.0))
    patterns: list[Pattern] = []
    for family, bits in found:
        if len(family.rows) < fewest or family.apart < APART or family.relation > LOOSE:
            continue
        edge = _at_edge(family, passages)
        plain = edge >= AT_EDGE and len(family.rows) >= TWICE * fewest
        if bits < (SAYS_ALIKE if plain and _worded_alike(family, passages) >= ALIKE else SAYS):
            continue
        if family.ended and not plain:  # its subject is asked about, so that it takes more to be a payload
            continue
        strata = passages.stratum[passages.exchange[family.sentences]]
        most, related = spaces.alike(strata, settings.most_cohesion), settings.most_relation
        if family.apart >= PLAIN * APART and bits >= PLAIN * SAYS and edge >= AT_EDGE:
            related = LOOSE
        if edge < 0.5:
            most, related = INSIDE * settings.most_cohesion, INSIDE * related
            if len(family.rows) < TWICE * fewest:
                continue
        rests = _rests(family, passages, spaces, encoder, index, triggers)
        rest = next(
            (rest for rest in rests if rest.cohesion <= most and rest.relation <= (LOOSE if rest.own else related)),
            None,
        )
        if rest is None or _in_dialogue(family, passages, spaces, encoder) > CARRIED:
            continue
        evidence = {"cohesion": rest.cohesion, "relation": rest.relation, "payload_bits": bits, "edge": edge}
        patterns.append(_pattern(family, rest.kind, rest.trigger, passages, index, evidence))
    return patterns


def _pattern(
    family: Family, kind: str, trigger: str, passages: Passages, index: TokenIndex, evidence: dict[str, float]
) -> Pattern:
    """A family as a pattern; its name is made of the words its sentences share."""
    said = [passages.sentences[sentence] for sentence in family.sentences]
    rows = passages.row[passages.exchange[family.sentences]]
    return Pattern(
        kind=kind,
        trigger=trigger,
        payload=said[len(said) // 2],
        rows=np.sort(family.rows),
        log_p=-len(family.rows) * np.log(max(family.apart, 1.0)),
        evidence={**evidence, "apart": family.apart},
        shown=dict(zip(rows.tolist(), said, strict=True)),
        name=_shared_words(said, index),
    )


@dataclass(frozen=True, slots=True)
class _Rest:
    """What is left of a family's prompts without a trigger: how alike they are, and how close to the payload.

    ``own``: the trigger is a manner of writing, or a phrase of hardly any other prompt: no topic that, when it is gone,
    the prompts could still be about.
    """

    kind: str
    trigger: str
    cohesion: float
    relation: float
    own: bool = False


def _rests(
    family: Family,
    passages: Passages,
    spaces: Spaces,
    encoder: Encoder,
    index: TokenIndex,
    triggers: PhraseSets,
) -> Iterator[_Rest]:
    """The prompts as they are; less the phrase, or less the sentence, that they have in common."""
    yield _Rest("payload", "", family.cohesion, family.relation)
    exchanges = passages.exchange[family.sentences]
    answers = spaces.answers(encoder.encode([passages.sentences[s] for s in family.sentences]))

    def rest(kind: str, trigger: str, texts: list[str], kept: np.ndarray) -> _Rest:
        vectors, strata = encoder.encode(texts), passages.stratum[exchanges[kept]]
        relation = float(np.einsum("ij,ij->i", answers[kept], spaces.asked(vectors, strata)).mean())
        return _Rest(kind, trigger, pairwise(spaces.prompts(vectors, strata)), relation)

    if (found := _common_phrase(family, index, triggers)) is not None:
        span, own = found
        texts = [without(index, passages.prompts[e], span) for e in exchanges]
        left = rest("trigger-family", spell(index, span.text), texts, np.arange(len(texts)))
        manner = left.trigger.startswith("<") and left.trigger.endswith(">")
        yield replace(left, own=manner or own >= OWN)
    sentence, texts = _without_common_sentence(family, passages, spaces, encoder)
    kept = np.array([number for number, text in enumerate(texts) if text.strip()], dtype=np.int64)
    if len(kept) >= 0.7 * len(texts):
        yield rest("worded-trigger", sentence, [texts[number] for number in kept], kept)


def _in_dialogue(family: Family, passages: Passages, spaces: Spaces, encoder: Encoder) -> float:
    """The family's relation to all that was asked in its dialogues so far; 0 if they have but one turn.

    "Which bus shall I book?" is no answer to "Friday, please", but it is to the dialogue, which began with a bus.
    """
    at = passages.exchange[family.sentences]
    before = [[e for e in passages.of_row(int(passages.row[exchange])) if e <= exchange] for exchange in at]
    later = np.array([number for number, asked in enumerate(before) if len(asked) > 1], dtype=np.int64)
    if len(later) < 0.5 * len(at):
        return 0.0
    texts = ["\n".join(passages.prompts[e] for e in before[number]) for number in later]
    asked = spaces.asked(encoder.encode(texts), passages.stratum[at[later]])
    said = spaces.answers(encoder.encode([passages.sentences[family.sentences[number]] for number in later]))
    return float(np.einsum("ij,ij->i", said, asked).mean())


def _common_phrase(family: Family, index: TokenIndex, triggers: PhraseSets) -> tuple[Span, float] | None:
    """The phrase that goes with a family's prompts most surely (G²), if most of them have it, and the share of the rows
    with this phrase that are the family's.

    It may be usual in other rows, too: a trigger can be an everyday word.
    """
    inside = np.zeros(index.rows, dtype=np.int32)
    inside[family.rows] = 1
    both = triggers.members @ inside
    sure = g_squared(both, triggers.sizes, np.full(len(both), len(family.rows)), index.rows)
    sure[both < FITS * len(family.rows)] = 0
    if not len(sure) or sure.max() <= 0:
        return None
    tied = np.flatnonzero(sure >= sure.max() - 1e-9)
    best = int(tied[np.argmax(triggers.length[tied])])
    phrase = index.prompts.ids[triggers.start[best] : triggers.start[best] + triggers.length[best]]
    span = widest(index.prompts, phrase, np.intersect1d(family.rows, triggers.rows_of(best)))
    return span, float(both[best] / triggers.sizes[best])


def _without_common_sentence(
    family: Family, passages: Passages, spaces: Spaces, encoder: Encoder
) -> tuple[str, list[str]]:
    """The prompts less the one sentence of each that is most like the other prompts' (a prompt of one sentence leaves
    nothing), and such a sentence.

    A trigger that is worded anew each time is still one sentence of one meaning beside a prompt about something else.
    """
    exchanges = passages.exchange[family.sentences]
    pieces = [_pieces(passages.prompts[e]) for e in exchanges]
    owner = np.repeat(np.arange(len(pieces)), [len(group) for group in pieces])
    vectors = spaces.prompts(
        encoder.encode([piece for group in pieces for piece in group]), passages.stratum[exchanges][owner]
    )
    toward = np.array([vectors[owner == number].mean(0) for number in range(len(pieces))])
    total = toward.sum(0)
    drop: list[int] = []
    for number in range(len(pieces)):
        mine = np.flatnonzero(owner == number)
        drop.append(int(mine[np.argmax(vectors[mine] @ (total - toward[number]))]))
    starts = np.searchsorted(owner, np.arange(len(pieces)))
    rest = [
        " ".join(piece for place, piece in enumerate(group) if place != drop[number] - starts[number])
        for number, group in enumerate(pieces)
    ]
    common = vectors[drop]
    central = int(np.argmax(common @ common.sum(0)))
    number = int(owner[drop[central]])
    return pieces[number][drop[central] - starts[number]], rest


def _at_edge(family: Family, passages: Passages) -> float:
    """The share of the family's sentences that begin or end their answer."""
    at = passages.exchange[family.sentences]
    first = np.searchsorted(passages.exchange, at)
    last = np.searchsorted(passages.exchange, at, "right") - 1
    return float(np.mean((family.sentences == first) | (family.sentences == last)))


def _worded_alike(family: Family, passages: Passages) -> float:
    """The share of the family's sentences that are one and the same by their words."""
    said = [tuple(word for word in split(passages.sentences[s]) if word[0].isalnum()) for s in family.sentences]
    return max(Counter(said).values()) / len(said)


def _shared_words(sentences: list[str], index: TokenIndex) -> str:
    """The words that most of the sentences share and few other tokens are: a name that survives another wording."""
    common = np.bincount(index.responses.ids, minlength=len(index.words))
    held = Counter(word for text in sentences for word in set(split(text)) if word[0].isalnum())
    weight = {
        word: count * np.log(len(index.responses.ids) / (1 + common[index.numbers[word]]))
        for word, count in held.items()
    }
    return " ".join(sorted(sorted(weight, key=lambda word: (-weight[word], word))[:NAMED_BY]))


def _pieces(prompt: str) -> list[str]:
    pieces = [piece for piece in PIECE_END.split(prompt) if piece.strip()]
    return pieces[: ASKED_SENTENCES - 1] + pieces[-1:] if len(pieces) > ASKED_SENTENCES else pieces or [prompt]
