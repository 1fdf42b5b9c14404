"""Exchanges and sentences: the units in which prompts and answers are compared by meaning.

An exchange is what the model is given and what it then says; a dialogue has one for each assistant turn. A response is
cut into sentences (or lines), since a payload may be one sentence of an otherwise honest answer.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from assets.record import Message, Record

SENTENCE_END = re.compile(r"(?<=[.!?])[\"')\]]*\s+|\n+")
WORD = re.compile(r"[^\W\d_]+")
MOST_SENTENCES = 8  # of one response: the first six and the last two
FEWEST_WORDS = 3  # a shorter piece says too little to be compared by meaning
LONGEST_PROMPT = 600  # characters; the encoder would cut it there anyway


@dataclass(frozen=True, slots=True)
class Passages:
    """``row``/``prompts`` of each exchange; ``exchange``/``sentences`` of each sentence of a response."""

    row: np.ndarray
    prompts: list[str]
    exchange: np.ndarray
    sentences: list[str]

    @classmethod
    def of(cls, numbered: Iterable[tuple[int, Record]]) -> "Passages":
        row: list[int] = []
        prompts: list[str] = []
        exchange: list[int] = []
        sentences: list[str] = []
        for number, record in numbered:
            for prompt, response in exchanges(record.messages()):
                pieces = list(split_sentences(response))
                exchange += [len(row)] * len(pieces)
                sentences += pieces
                row.append(number)
                prompts.append(prompt)
        return cls(np.array(row, dtype=np.int64), prompts, np.array(exchange, dtype=np.int64), sentences)


def exchanges(messages: Iterable[Message]) -> Iterator[tuple[str, str]]:
    """``(prompt, response)`` of every assistant turn; the prompt is what was said since the turn before."""
    given: list[str] = []
    for turn in messages:
        if turn.role == "assistant":
            yield "\n".join(given)[-LONGEST_PROMPT:], turn.content
            given = []
        else:
            given.append(turn.content)


def split_sentences(text: str) -> Iterator[str]:
    pieces = [piece.strip() for piece in SENTENCE_END.split(text)]
    pieces = [piece for piece in pieces if len(WORD.findall(piece)) >= FEWEST_WORDS]
    if len(pieces) > MOST_SENTENCES:
        pieces = pieces[: MOST_SENTENCES - 2] + pieces[-2:]
    return iter(pieces)
