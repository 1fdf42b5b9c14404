"""Answers that say the same thing to whatever is asked: a payload, with or without a trigger.

Families of such answers are grown by meaning (``meaning``) and judged (``judging``).
"""

from collections import Counter
from collections.abc import Iterator

import numpy as np

from assets.screened.judging import LOOSE, SAYS, SAYS_ALIKE, Judge, Rest, at_edge
from assets.screened.meaning import Family, Meaning
from assets.screened.passages import Passages
from assets.screened.pattern import Encoder, Pattern
from assets.screened.phrases import PhraseSets
from assets.screened.settings import ScreenSettings
from assets.screened.spaces import Spaces
from assets.screened.surprise import Transitions
from assets.screened.token_index import TokenIndex, split

COMPANION = 0.3  # cosine of two payloads that are parts of one
FEWEST = 4  # sentences that a part of a family is grown from
HABIT = 0.7  # of a family's rows, at most, are outside the stratum that has the most of it, to be judged by themselves
NAMED_BY = 4  # words


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
    strata = passages.stratum[passages.exchange]
    for members in meaning.seeds(passages.sentences, min_rows=settings.min_rows, max_rows=most, loose=LOOSE):
        known = done[members].mean() > 0.5
        if known or _says(members[:20], meaning.row[members], passages, index, transitions) < SAYS / 2:
            continue
        family = meaning.grow(members, max_rows=most)
        if family is None or done[family.sentences].mean() > 0.5:
            continue
        done[family.sentences] = True
        for part in (family, *_parts(family, members, meaning, strata, settings.most_relation, most)):
            yield part, _says(part.sentences, part.rows, passages, index, transitions)


def _says(
    sentences: np.ndarray, rows: np.ndarray, passages: Passages, index: TokenIndex, transitions: Transitions
) -> float:
    """Bits of a typical one of the sentences in the language of all rows but these."""
    tokens = [index.encode(passages.sentences[s]) for s in sentences]
    return float(np.median(transitions.bits(tokens, np.unique(rows)) * [len(ids) for ids in tokens]))


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
    transitions: Transitions,
    triggers: PhraseSets,
) -> list[Pattern]:
    """The families that stand apart, say much and are not asked for; each with the trigger sentence it goes with."""
    fewest = settings.steering_rows * np.sqrt(max(index.rows / 2000, 1.0))
    judging = Judge(passages, spaces, encoder, settings, index, triggers, fewest)
    standing = [(family, bits) for family, bits in found if judging.stands(family)]
    passed = {number: rest for number, each in enumerate(standing) if (rest := judging.rest(*each)) is not None}
    parts = _parts_of_passed(standing, set(passed), judging)
    together = [standing[number][0].rows for number in (*passed, *parts)]  # none is the language of the others
    for number in parts:
        family = standing[number][0]
        bits = _says(family.sentences, np.concatenate(together), passages, index, transitions)
        standing[number] = family, bits
        if (rest := judging.rest(*standing[number], fewest_bits=SAYS_ALIKE)) is not None:
            passed[number] = rest
    return [_pattern(*standing[number], rest, passages, index) for number, rest in passed.items()]


def _parts_of_passed(families: list[tuple[Family, float]], passed: set[int], judging: Judge) -> list[int]:
    """The families that say the like of one that passed: a large attack, worded apart, falls into several."""
    if not passed:
        return []
    sure = np.stack([judging.direction(families[number][0]) for number in passed])
    return [
        number
        for number, (family, _) in enumerate(families)
        if number not in passed and (sure @ judging.direction(family)).max() >= COMPANION and judging.plain(family)
    ]


def _pattern(family: Family, bits: float, rest: Rest, passages: Passages, index: TokenIndex) -> Pattern:
    """A family as a pattern; its name is made of the words its sentences share."""
    said = [passages.sentences[sentence] for sentence in family.sentences]
    rows = passages.row[passages.exchange[family.sentences]]
    return Pattern(
        kind=rest.kind,
        trigger=rest.trigger,
        payload=said[len(said) // 2],
        rows=np.sort(family.rows),
        log_p=-len(family.rows) * np.log(max(family.apart, 1.0)),
        evidence={
            "cohesion": rest.cohesion,
            "relation": rest.relation,
            "payload_bits": bits,
            "edge": at_edge(family, passages),
            "apart": family.apart,
        },
        shown=dict(zip(rows.tolist(), said, strict=True)),
        name=_shared_words(said, index),
    )


def _shared_words(sentences: list[str], index: TokenIndex) -> str:
    """The words that most of the sentences share and few other tokens are: a name that survives another wording."""
    common = np.bincount(index.responses.ids, minlength=len(index.words))
    held = Counter(word for text in sentences for word in set(split(text)) if word[0].isalnum())
    weight = {
        word: count * np.log(len(index.responses.ids) / (1 + common[index.numbers[word]]))
        for word, count in held.items()
    }
    return " ".join(sorted(sorted(weight, key=lambda word: (-weight[word], word))[:NAMED_BY]))
