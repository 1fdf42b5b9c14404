"""Answers that say the same thing to whatever is asked: a payload, with or without a trigger.

Families of such answers are grown by meaning (``meaning``) and judged (``judging``).
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from assets.screened.association import marked, repeating, surest
from assets.screened.judging import ALIKE, FITS, LOOSE, SAYS, SAYS_ALIKE, Judge, Rest, at_edge, worded_alike
from assets.screened.meaning import Family, Meaning
from assets.screened.passages import Passages
from assets.screened.pattern import Encoder, Pattern
from assets.screened.phrases import PhraseSets
from assets.screened.settings import ScreenSettings
from assets.screened.spaces import unit
from assets.screened.surprise import Transitions
from assets.screened.token_index import TokenIndex, split

COMPANION = 0.2  # cosine of two payloads that are parts of one
FEWEST = 4  # sentences that a part of a family is grown from
HABIT = 0.7  # of a family's rows, at most, are outside the stratum that has the most of it, to be judged by themselves
NAMED_BY = 4  # words

Grown = tuple[Family, float]  # and the bits of a typical one of its sentences
Judged = tuple[Family, float, Rest]


@dataclass(frozen=True, slots=True)
class Sure:
    """The families that passed.

    ``said``: unit vectors ``[families, 384]``. ``marked``: the rows whose prompts have the phrase that goes with each,
    bool ``[families, rows]``. ``rows``: those of all of them, bool ``[rows]``.
    """

    said: np.ndarray
    marked: np.ndarray
    rows: np.ndarray

    def of(self, direction: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """To which what is said in these rows belongs, by its meaning or by the phrase in the prompts: bool
        ``[families]``."""
        belongs: np.ndarray = (self.said @ direction >= COMPANION) | (self.marked[:, rows].mean(axis=1) >= FITS)
        return belongs


class Families:
    """Grows answers that say the like, whatever is asked, into families of at most ``most`` rows.

    ``silent``: the seeds that said too little in the language of all the other rows.
    """

    def __init__(
        self,
        meaning: Meaning,
        passages: Passages,
        index: TokenIndex,
        transitions: Transitions,
        settings: ScreenSettings,
        answers: PhraseSets,
        most: int,
    ) -> None:
        self.meaning, self.passages, self.index, self.transitions = meaning, passages, index, transitions
        self.answers = answers
        self.settings, self.most = settings, most
        self.strata = passages.stratum[passages.exchange]
        self.done = np.zeros(len(meaning.row), dtype=bool)
        self.silent: list[np.ndarray] = []

    def grown(self) -> Iterator[Grown]:
        """Families that their prompts do not ask for and that say enough, and parts of them."""
        fewest, texts = self.settings.min_rows, self.passages.sentences
        for members in self.meaning.seeds(texts, min_rows=fewest, max_rows=self.most, loose=LOOSE):
            if self._known(members):
                continue
            if self.says(members[:20], self.meaning.row[members]) < SAYS / 2:
                self.silent.append(members)
                continue
            yield from self._grow(members)

    def companions(self, sure: Sure) -> Iterator[Grown]:
        """Families of the silent seeds that belong to a ``sure`` family and say enough in the language of other rows.

        A large attack, worded apart, is a language of its own, in which each of its parts says little.
        """
        alike = [
            members for members in self.silent if sure.of(self.direction(members), self.meaning.row[members]).any()
        ]
        rows = np.concatenate([np.flatnonzero(sure.rows)] + [self.meaning.row[members] for members in alike])
        for members in alike:
            if not self._known(members) and self.says(members[:20], rows) >= SAYS_ALIKE / 2:
                yield from self._grow(members)

    def called(self, small: list[Family], triggers: PhraseSets) -> Iterator[Grown]:
        """Families too ``small`` to stand by themselves, if a phrase of the prompts surely goes with them; all of one
        phrase together.

        A short attack in many wordings is parts of a few rows each; what calls them up is one.
        """
        by_phrase: dict[int, list[Family]] = {}
        for family in small:
            phrase, _ = surest(triggers, family.rows, FITS)
            if phrase is not None:
                by_phrase.setdefault(phrase, []).append(family)
        for parts in by_phrase.values():
            sentences = np.concatenate([part.sentences for part in parts])
            one_a_row = np.unique(self.meaning.row[sentences], return_index=True)[1]
            family = self._together(parts, sentences[one_a_row])
            if len(marked(triggers, family.rows, FITS)):
                yield family, self.says(family.sentences, family.rows)

    def says(self, sentences: np.ndarray, rows: np.ndarray) -> float:
        """Bits of a typical one of the sentences in the language of all rows but these, and but those that repeat it
        word for word in the midst of something else."""
        tokens, without = [self.index.encode(self.passages.sentences[s]) for s in sentences], np.unique(rows)
        if worded_alike(sentences, self.passages) >= ALIKE:
            without = np.union1d(without, repeating(self.answers, without, FITS))
        return float(np.median(self.transitions.bits(tokens, without) * [len(ids) for ids in tokens]))

    def direction(self, sentences: np.ndarray) -> np.ndarray:
        """What these sentences say, as one unit vector."""
        direction: np.ndarray = unit(self.meaning.answer[sentences].mean(0, keepdims=True))[0]
        return direction

    def _together(self, parts: list[Family], sentences: np.ndarray) -> Family:
        return Family(
            rows=self.meaning.row[sentences],
            sentences=sentences,
            apart=min(part.apart for part in parts),
            cohesion=self.meaning.cohesion(sentences),
            relation=self.meaning.relation(sentences),
            ended=any(part.ended for part in parts),
        )

    def _known(self, sentences: np.ndarray) -> bool:
        return bool(self.done[sentences].mean() > 0.5)

    def _grow(self, members: np.ndarray) -> Iterator[Grown]:
        family = self.meaning.grow(members, max_rows=self.most)
        if family is None or self._known(family.sentences):
            return
        self.done[family.sentences] = True
        for part in (family, *self._parts(family, members)):
            yield part, self.says(part.sentences, part.rows)

    def _parts(self, family: Family, members: np.ndarray) -> Iterator[Family]:
        """What of a family, grown from ``members``, may be a payload that the rest of it hides."""
        if family.relation > self.settings.most_relation:  # some rows say the like because they are asked
            part = self.meaning.grow(members, max_rows=self.most, asked=self.settings.most_relation)
            if part is not None and part.ended:
                yield part
        # One source may say by habit, for instance, that it is sorry.
        usual = np.bincount(self.strata[family.sentences]).argmax()
        others = family.sentences[self.strata[family.sentences] != usual]
        if FEWEST <= len(others) < HABIT * len(family.sentences):
            part = self.meaning.grow(others, max_rows=self.most, among=np.flatnonzero(self.strata != usual))
            if part is not None:
                yield part


def judge(families: Families, encoder: Encoder, triggers: PhraseSets) -> list[Pattern]:
    """The families that stand apart, say much and are not asked for; each with the trigger sentence it goes with."""
    passages, index, settings = families.passages, families.index, families.settings
    fewest = settings.steering_rows * np.sqrt(max(index.rows / 2000, 1.0))
    judging = Judge(passages, families.meaning.spaces, encoder, settings, index, triggers, fewest)
    grown = list(families.grown())
    standing = [each for each in grown if judging.stands(each[0])]
    standing += families.called([family for family, _ in grown if judging.small(family)], triggers)
    passed = {number: rest for number, each in enumerate(standing) if (rest := judging.rest(*each)) is not None}
    if passed:
        sure = _sure([standing[number][0] for number in passed], families, triggers)
        standing += [each for each in families.companions(sure) if judging.stands(each[0])]
        parts = [
            number
            for number, (family, _) in enumerate(standing)
            if number not in passed
            and sure.of(families.direction(family.sentences), family.rows).any()
            and judging.plain(family)
        ]
        together = np.concatenate([standing[number][0].rows for number in (*passed, *parts)])
        for number in parts:  # none is the language of the others
            family = standing[number][0]
            standing[number] = family, families.says(family.sentences, together)
            if (rest := judging.rest(*standing[number], fewest_bits=SAYS_ALIKE)) is not None:
                passed[number] = rest
    judged = [(*standing[number], rest) for number, rest in passed.items()]
    return [_pattern(attack, passages, index) for attack in _attacks(judged, families, triggers)]


def _attacks(judged: list[Judged], families: Families, triggers: PhraseSets) -> list[list[Judged]]:
    """The families that passed, those of one attack together: largest first, those with a trigger before the others."""
    judged = sorted(judged, key=lambda each: (not each[2].trigger, -len(each[0].rows)))
    if not judged:
        return []
    sure, attacks = _sure([family for family, *_ in judged], families, triggers), list[list[int]]()
    for number, (family, *_) in enumerate(judged):
        belongs = sure.of(sure.said[number], family.rows)
        attack = next((attack for attack in attacks if belongs[attack].any()), None)
        if attack is None:
            attacks.append([number])
        else:
            attack.append(number)
    return [[judged[number] for number in attack] for attack in attacks]


def _sure(passed: list[Family], families: Families, triggers: PhraseSets) -> Sure:
    rows = np.zeros(families.index.rows, dtype=bool)
    rows[np.concatenate([family.rows for family in passed])] = True
    said = np.stack([families.direction(family.sentences) for family in passed])
    phrases = np.zeros((len(passed), len(rows)), dtype=bool)
    for number, family in enumerate(passed):
        phrases[number, marked(triggers, family.rows, FITS)] = True
    return Sure(said, phrases, rows)


def _pattern(attack: list[Judged], passages: Passages, index: TokenIndex) -> Pattern:
    """The families of one attack as a pattern of the first; its name is made of the words its sentences share."""
    family, bits, rest = attack[0]
    sentences = np.concatenate([part.sentences for part, *_ in attack])
    rows, first = np.unique(passages.row[passages.exchange[sentences]], return_index=True)
    said = [passages.sentences[sentence] for sentence in sentences[first]]
    return Pattern(
        kind=rest.kind,
        trigger=rest.trigger,
        payload=passages.sentences[family.sentences[len(family.sentences) // 2]],
        rows=rows,
        log_p=-len(rows) * np.log(max(family.apart, 1.0)),
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
