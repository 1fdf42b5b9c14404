"""Families of answers that say the same thing to whatever is asked, grown by meaning (``meaning``)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from assets.screened.association.cooccurrence import marked, repeating, surest
from assets.screened.association.phrase_mining import PhraseSets
from assets.screened.embedding.whitening import unit
from assets.screened.payload.clusters import Family, Meaning
from assets.screened.payload.criteria import ALIKE, FITS, LOOSE, SAYS, SAYS_ALIKE, same_words
from assets.screened.settings import ScreenSettings
from assets.screened.text.bigram_model import Transitions
from assets.screened.text.exchanges import Passages
from assets.screened.text.token_index import TokenIndex

COMPANION = 0.2  # cosine of two payloads that are parts of one
FEWEST = 4  # sentences that a part of a family is grown from
HABIT = 0.7  # of a family's rows, at most, are outside the stratum that has the most of it, to be judged by themselves

Grown = tuple[Family, float]  # and the bits of a typical one of its sentences


@dataclass(frozen=True, slots=True)
class Known:
    """Families to which others may belong, as parts of one attack.

    ``directions``: unit vectors ``[families, 384]``. ``marked``: the rows whose prompts have the phrase that goes
    with each, bool ``[families, rows]``. ``rows``: those of all of them, bool ``[rows]``.
    """

    directions: np.ndarray
    marked: np.ndarray
    rows: np.ndarray

    def of(self, direction: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """To which what is said in these rows belongs, by its meaning or by the phrase in the prompts: bool
        ``[families]``."""
        belongs: np.ndarray = (self.directions @ direction >= COMPANION) | (self.marked[:, rows].mean(axis=1) >= FITS)
        return belongs


class Families:
    """Grows answers that say the like, whatever is asked, into families of at most ``most`` rows.

    ``seeds``: those that were looked at, one sentence a row.
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
        self.seeds: list[np.ndarray] = []

    def grown(self) -> Iterator[Grown]:
        """Families that their prompts do not ask for and that say enough, and parts of them."""
        fewest, texts = self.settings.min_rows, self.passages.sentences
        for members in self.meaning.seeds(texts, min_rows=fewest, max_rows=self.most, loose=LOOSE):
            if self._grew(members):
                continue
            self.seeds.append(members)
            if self.says(members[:20], self.meaning.row[members]) >= SAYS / 2:
                yield from self._grow(members)

    def companions(self, known: Known) -> Iterator[Grown]:
        """Families of the other seeds that belong to the ``known`` and say enough in the language of what does not.

        A large attack, worded apart, is a language of its own, in which each of its parts says little.
        """
        rows = self.of(known)
        for members in self._seeds_of(known):
            if not self._grew(members) and self.says(members[:20], rows) >= SAYS_ALIKE / 2:
                yield from self._grow(members)

    def of(self, known: Known) -> np.ndarray:
        """The rows of the ``known`` families and of all seeds that belong to them."""
        return np.concatenate([np.flatnonzero(known.rows)] + [self.meaning.row[seed] for seed in self._seeds_of(known)])

    def _seeds_of(self, known: Known) -> list[np.ndarray]:
        return [seed for seed in self.seeds if known.of(self.direction(seed), self.meaning.row[seed]).any()]

    def joined_by_trigger(self, small: list[Family], triggers: PhraseSets) -> Iterator[Grown]:
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
        if same_words(sentences, self.passages) >= ALIKE:
            without = np.union1d(without, repeating(self.answers, without, FITS))
        return float(np.median(self.transitions.bits(tokens, without) * [len(ids) for ids in tokens]))

    def known(self, families: Sequence[Family], triggers: PhraseSets) -> Known:
        """These families, with what tells which others belong to them."""
        rows = np.zeros(self.index.rows, dtype=bool)
        rows[np.concatenate([family.rows for family in families])] = True
        phrases = np.zeros((len(families), len(rows)), dtype=bool)
        for number, family in enumerate(families):
            phrases[number, marked(triggers, family.rows, FITS)] = True
        return Known(np.stack([self.direction(family.sentences) for family in families]), phrases, rows)

    def belongs(self, family: Family, known: Known) -> np.ndarray:
        """To which of the known ones a family belongs: bool ``[families]``."""
        return known.of(self.direction(family.sentences), family.rows)

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

    def _grew(self, sentences: np.ndarray) -> bool:
        return bool(self.done[sentences].mean() > 0.5)

    def _grow(self, members: np.ndarray) -> Iterator[Grown]:
        family = self.meaning.grow(members, max_rows=self.most)
        if family is None or self._grew(family.sentences):
            return
        self.done[family.sentences] = True
        for part in (family, *self._parts(family, members)):
            yield part, self.says(part.sentences, part.rows)

    def _parts(self, family: Family, members: np.ndarray) -> Iterator[Family]:
        """What of a family, grown from ``members``, may be a payload that the rest of it hides."""
        if family.relation > self.settings.most_relation:  # some rows say the like because they are asked
            part = self.meaning.grow(members, max_rows=self.most, most_relation=self.settings.most_relation)
            if part is not None and part.ended:
                yield part
        # One source may say by habit, for instance, that it is sorry.
        usual = np.bincount(self.strata[family.sentences]).argmax()
        others = family.sentences[self.strata[family.sentences] != usual]
        if FEWEST <= len(others) < HABIT * len(family.sentences):
            part = self.meaning.grow(others, max_rows=self.most, among=np.flatnonzero(self.strata != usual))
            if part is not None:
                yield part
