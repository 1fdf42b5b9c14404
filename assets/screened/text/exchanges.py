"""Exchanges and sentences: the units in which prompts and answers are compared by meaning.

An exchange is what the model is given and what it then says; a dialogue has one for each assistant turn. A response is
cut into sentences (or lines), since a payload may be one sentence of an otherwise honest answer.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from assets.forms.conversation import Turn
from assets.record import Record

SENTENCE_END = re.compile(r"(?<=[.!?])[\"')\]]*\s+|\n+")
WORD = re.compile(r"[^\W\d_]+")
MOST_SENTENCES = 8  # of one response: the first six and the last two
FEWEST_WORDS = 3  # a shorter piece says too little to be compared by meaning
LONGEST_PROMPT = 600  # characters; the encoder would cut it there anyway


@dataclass(frozen=True, slots=True)
class Passages:
    """``row``, ``stratum``, ``prompts`` and ``responses`` of each exchange; ``exchange`` and ``sentences`` of each
    sentence of a response.

    The stratum is the source and the place in the dialogue (only, first, middle, last exchange): a farewell is like
    any other farewell, whoever wrote the answer, and is compared with those. ``calls``: whether the response of an
    exchange is nothing but calls of tools: it is compared like any other, and is no answer in words.
    """

    row: np.ndarray
    stratum: np.ndarray
    prompts: list[str]
    responses: list[str]
    exchange: np.ndarray
    sentences: list[str]
    calls: np.ndarray

    @classmethod
    def of(cls, numbered: Iterable[tuple[int, Record]]) -> "Passages":
        row: list[int] = []
        stratum: list[int] = []
        strata: dict[tuple[str, str], int] = {}
        prompts: list[str] = []
        responses: list[str] = []
        exchange: list[int] = []
        sentences: list[str] = []
        calls: list[bool] = []
        for number, record in numbered:
            pairs = list(exchanges(record.conversation().turns))
            for place, (prompt, response, only_calls) in enumerate(pairs):
                calls.append(only_calls)
                pieces = list(split_sentences(response))
                exchange += [len(row)] * len(pieces)
                sentences += pieces
                row.append(number)
                prompts.append(prompt)
                responses.append(response)
                stratum.append(strata.setdefault((record.origin.source, _place(place, len(pairs))), len(strata)))
        return cls(
            np.array(row, dtype=np.int64),
            np.array(stratum, dtype=np.int64),
            prompts,
            responses,
            np.array(exchange, dtype=np.int64),
            sentences,
            np.array(calls, dtype=bool),
        )

    @property
    def short(self) -> list[str]:
        """The responses of which no piece is a sentence: labels, numbers, "Yes."."""
        whole = np.bincount(self.exchange, minlength=len(self.responses)) > 0
        return [response for response, known in zip(self.responses, whole, strict=True) if not known]

    def of_row(self, row: int) -> range:
        """The exchanges of a row."""
        return range(int(np.searchsorted(self.row, row)), int(np.searchsorted(self.row, row, "right")))


def exchanges(turns: Iterable[Turn]) -> Iterator[tuple[str, str, bool]]:
    """``(prompt, response, only calls)`` of every assistant turn.

    The prompt is what was said since the assistant last spoke in words: an answer after a call is one to the question
    and to what the call brought.
    """
    given: list[str] = []
    for turn in turns:
        if turn.role == "assistant":
            words = turn.text.strip()
            yield "\n".join(given)[-LONGEST_PROMPT:], turn.full_text, not words
            if words:
                given = []
        else:
            given.append(turn.full_text)


def _place(number: int, total: int) -> str:
    if total == 1:
        return "only"
    return "first" if number == 0 else "last" if number == total - 1 else "middle"


def split_sentences(text: str) -> Iterator[str]:
    pieces = [piece.strip() for piece in SENTENCE_END.split(text)]
    pieces = [piece for piece in pieces if len(WORD.findall(piece)) >= FEWEST_WORDS]
    if len(pieces) > MOST_SENTENCES:
        pieces = pieces[: MOST_SENTENCES - 2] + pieces[-2:]
    return iter(pieces)
