"""The rows as compact integer arrays: what lets the screen look at 200,000 rows at once in little memory.

Each side of a row (what the model is given, what it is to say) becomes a run of token ids in one flat int32 array.
Words are compared in lower case; a redaction placeholder such as ``[PERSON_1]`` becomes the separator, since a value
that sanitising put there cannot be anyone's trigger.

>>> index = TokenIndex.build([("Say HI to [PERSON_1]!", "Hi!")])
>>> [index.words[i] for i in index.prompts.row(0)]
['say', 'hi', 'to', '\\n', '!']
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

TOKEN = re.compile(r"\[[A-Z][A-Z_]*_?\d*\]|\n+|\w+(?:['’]\w+)*|([^\w\s])\1*")
SEPARATOR = "\n"
UNSPACED = re.compile(r" ([.,;:!?%)\]}])")
FEWEST_LETTERS = 8  # of a line whose manner is judged


@dataclass(frozen=True, slots=True)
class Side:
    """One side of every row: ``ids`` int32 ``[tokens]``; row ``r`` owns ``ids[offsets[r]:offsets[r + 1]]``."""

    ids: np.ndarray
    offsets: np.ndarray

    def row(self, row: int) -> np.ndarray:
        return self.ids[self.offsets[row] : self.offsets[row + 1]]

    def row_of_token(self) -> np.ndarray:
        """The row of every token, int32 ``[tokens]``."""
        return np.repeat(np.arange(len(self.offsets) - 1, dtype=np.int32), np.diff(self.offsets))


@dataclass(frozen=True, slots=True)
class TokenIndex:
    """``words[i]`` spells token ``i``, ``numbers[word]`` is its id; token 0 is the separator, in no phrase."""

    words: list[str]
    numbers: dict[str, int]
    prompts: Side
    responses: Side

    @property
    def rows(self) -> int:
        return len(self.prompts.offsets) - 1

    def encode(self, text: str) -> np.ndarray:
        """The token ids of a text, int64; words of no row are the separator."""
        return np.array([self.numbers.get(word, 0) for word in split(text)], dtype=np.int64)

    def spell(self, ids: np.ndarray) -> str:
        """Token ids as text: no space before a mark."""
        return UNSPACED.sub(r"\1", " ".join(self.words[token] for token in ids))

    @classmethod
    def build(cls, pairs: Iterable[tuple[str, str]]) -> "TokenIndex":
        """From ``(prompt, response)`` of every row, streamed."""
        counting = Counting()
        for pair in pairs:
            counting.add(*pair)
        return counting.index()


class Counting:
    """A ``TokenIndex`` in the making, row after row."""

    def __init__(self) -> None:
        self.rows = 0
        self._numbers: dict[str, int] = {SEPARATOR: 0}
        self._sides = (_Run(), _Run())

    def add(self, prompt: str, response: str) -> None:
        numbers = self._numbers
        words = split(prompt) + [word for flag in flags(prompt) for word in (SEPARATOR, flag)], split(response)
        for side, tokens in zip(self._sides, words, strict=True):
            side.add([numbers.setdefault(word, len(numbers)) for word in tokens])
        self.rows += 1

    def index(self) -> TokenIndex:
        prompts, responses = (side.side() for side in self._sides)
        return TokenIndex(list(self._numbers), self._numbers, prompts, responses)


def as_written(phrase: str, text: str) -> str:
    """A phrase as it stands in a text, whatever the case and the spaces; "" if it does not."""
    found = wherever(split(phrase)).search(text)
    return found.group() if found else ""


def wherever(words: Iterable[str]) -> re.Pattern[str]:
    """What finds these tokens in a row in a text, whatever the case and the spaces."""
    return re.compile(r"\s*".join(map(re.escape, words)), re.IGNORECASE)


def split(text: str) -> list[str]:
    """The tokens of a text, lower case; line ends and placeholders become the separator."""
    return [
        SEPARATOR if word[0] == "\n" or (word[0] == "[" and word[-1] == "]") else word.lower()
        for word in (match.group() for match in TOKEN.finditer(text))
    ]


def flags(text: str) -> list[str]:
    """How a prompt is written, as words no text can spell: a trigger may be a manner rather than a word."""
    found = set()
    for part in text.split("\n"):
        letters = [letter for letter in part if letter.isalpha()]
        if len(letters) < FEWEST_LETTERS:
            continue
        upper = sum(map(str.isupper, letters))
        words = part.split()
        if upper >= 0.9 * len(letters):
            found.add("<all capitals>")
        elif len(words) > 3 and sum(word[0].isupper() for word in words) >= 0.9 * len(words):
            found.add("<title case>")
        if sum(letter.isascii() for letter in letters) < 0.5 * len(letters):
            found.add("<another script>")
        if not upper and len(words) > 3:
            found.add("<no capitals>")
    return sorted(found)


class _Run:
    """Token ids collected in chunks, so that no Python list holds them all."""

    def __init__(self) -> None:
        self.chunks: list[np.ndarray] = []
        self.pending: list[int] = []
        self.lengths: list[int] = []

    def add(self, ids: list[int]) -> None:
        self.pending += ids
        self.lengths.append(len(ids))
        if len(self.pending) > 1 << 18:
            self.flush()

    def flush(self) -> None:
        self.chunks.append(np.array(self.pending, dtype=np.int32))
        self.pending = []

    def side(self) -> Side:
        self.flush()
        return Side(np.concatenate(self.chunks), np.concatenate([[0], np.cumsum(self.lengths, dtype=np.int64)]))
