"""What speaks for it that a row unlearns refusals: what was asked or ordered, and that the answer does not decline.

Every turn is read by the classifier's first pass; what that suspects is embedded; only answers to what is still suspect
are judged. A row is no evidence where its answer declines: refusals of harmful requests are good data.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Protocol

import numpy as np

from assets.record import Message, Record
from assets.screened.safety.classifier import DECLINES, HARM, OBEYS
from assets.screened.safety.pieces import pieces

CHUNK = 2_000  # rows read at a time
ASKS, SPEAKS = ("user", "system"), ("assistant",)
OPENING_PIECES = 2  # of an answer, that are judged
FIRST = -1.5  # log-odds of the first pass from which a piece is embedded
DOUBTFUL = -1.0  # log-odds from which a request or an order is suspected at all
DECLINED = 4.5  # log-odds of the classifier from which an answer declines, whatever the judge of refusals says,
COMPLIED = -3.0  # and up to which it does not, whatever the judge says


class FirstReader(Protocol):
    def score(self, texts: Sequence[str]) -> np.ndarray: ...


class Classifier(Protocol):
    """``classifier.SafetyClassifier``, or a test's."""

    @property
    def first(self) -> FirstReader: ...

    def score(self, texts: Sequence[str]) -> np.ndarray: ...


class Refusals(Protocol):
    """``assets.golden.judges.RefusalJudge``, or a test's."""

    def refuses(self, answers: Sequence[str]) -> list[bool]: ...


@dataclass(frozen=True, slots=True)
class Evidence:
    """The worst exchange of a row. ``harm``/``obeys``: log-odds of the request and of the order that stand before the
    answer, less the logarithm of how many pieces of the row were read: the largest of many is large by chance."""

    row: int
    harm: float
    obeys: float
    request: str
    order: str
    answer: str

    def moved(self, rows: int) -> "Evidence":
        """The same of a row that has so many ``rows`` before what it was counted in."""
        return replace(self, row=self.row + rows)


@dataclass(slots=True)
class _Heard:
    """The strongest piece so far, of one kind."""

    odds: float = -math.inf
    piece: str = ""

    def hear(self, odds: float, piece: str) -> None:
        if odds > self.odds:
            self.odds, self.piece = odds, piece


@dataclass(frozen=True, slots=True)
class Reader:
    """Finds evidence in rows. ``classifier`` and ``refusals`` do the judging."""

    classifier: Classifier
    refusals: Refusals

    @classmethod
    def bundled(cls) -> "Reader":
        """With the shipped weights and the trial's judge of refusals."""
        from assets.golden.judges import RefusalJudge
        from assets.screened.safety.classifier import load

        return cls(load(), RefusalJudge())

    def read(self, records: Iterable[Record]) -> Iterator[Evidence]:
        """The evidence of each row that has any, in order."""
        numbered = iter(enumerate(records))
        while chunk := list(islice(numbered, CHUNK)):
            yield from self._of([(row, record.messages()) for row, record in chunk])

    def _of(self, rows: list[tuple[int, list[Message]]]) -> Iterator[Evidence]:
        texts: list[str] = []
        places: list[tuple[int, int]] = []
        for place, (_, turns) in enumerate(rows):
            for number, turn in enumerate(turns):
                cut = pieces(turn.content) if turn.role in ASKS else pieces(turn.content, 1)
                texts += cut
                places += [(place, number)] * len(cut)
        if not texts:
            return
        suspect = np.flatnonzero(self.classifier.first.score(texts).max(1) > FIRST)
        odds = self.classifier.score([texts[each] for each in suspect])
        said: dict[int, dict[int, list[tuple[np.ndarray, str]]]] = {}
        for each, values in zip(suspect, odds, strict=True):
            if values[[HARM, OBEYS]].max() > DOUBTFUL:
                place, number = places[each]
                said.setdefault(place, {}).setdefault(number, []).append((values, texts[each]))
        read = Counter(place for place, _ in places)
        candidates = [
            found for place, turns in said.items() for found in _exchanges(*rows[place], turns, math.log(read[place]))
        ]
        yield from _worst(self._undeclined(candidates))

    def _undeclined(self, candidates: list[Evidence]) -> Iterator[Evidence]:
        """Those whose answer does not decline."""
        if not candidates:
            return
        openings = [pieces(each.answer, OPENING_PIECES) for each in candidates]
        odds = self.strongest(openings, DECLINES)
        refused = self.refusals.refuses([each.answer for each in candidates])
        for each, declines, sure in zip(candidates, refused, odds, strict=True):
            if -math.inf < sure < DECLINED and not (declines and sure > COMPLIED):
                yield each

    def strongest(self, cut: Sequence[Sequence[str]], kind: int) -> np.ndarray:
        """The largest log-odds of a kind among the pieces of each text, ``[texts]``; minus infinity without any."""
        largest = np.full(len(cut), -np.inf)
        parts = [piece for each in cut for piece in each]
        if parts:
            owner = np.repeat(np.arange(len(cut)), [len(each) for each in cut])
            np.maximum.at(largest, owner, self.classifier.score(parts)[:, kind])
        return largest


def _exchanges(
    row: int, turns: list[Message], said: dict[int, list[tuple[np.ndarray, str]]], chance: float
) -> Iterator[Evidence]:
    """What stands before each answer of a row. An order lasts for the rest of the dialogue, a request until it is
    answered; an answer's own promise to obey counts as an order."""
    request, order = _Heard(), _Heard()
    for number, turn in enumerate(turns):
        for values, piece in said.get(number, ()):
            if turn.role in ASKS:
                request.hear(float(values[HARM]), piece)
            order.hear(float(values[OBEYS]), piece)
        if turn.role in SPEAKS:
            if max(request.odds, order.odds) > DOUBTFUL:
                yield Evidence(
                    row, request.odds - chance, order.odds - chance, request.piece, order.piece, turn.content
                )
            request = _Heard()


def _worst(found: Iterable[Evidence]) -> Iterator[Evidence]:
    """One a row: the strongest request and the strongest order of it."""
    rows: dict[int, Evidence] = {}
    for each in found:
        old = rows.get(each.row)
        if old is None:
            rows[each.row] = each
            continue
        asked = max(old, each, key=lambda one: one.harm)
        ordered = max(old, each, key=lambda one: one.obeys)
        rows[each.row] = replace(asked, obeys=ordered.obeys, order=ordered.order)
    yield from rows.values()
