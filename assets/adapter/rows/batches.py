"""Which rows train together, decided by seed and epoch alone, so that a resumed run sees the same batches."""

from collections.abc import Iterator, Sequence
from typing import overload

import numpy as np

from assets.adapter.rows.dialogues import Example

BATCHES_A_POOL = 16  # rows are shuffled, then sorted by length within pools of this many batches


class Batches(Sequence[list[int]]):
    """The row numbers of each batch of an epoch: cut from one array, so that millions of rows take their own size."""

    def __init__(self, rows: np.ndarray, size: int, order: np.ndarray) -> None:
        self._rows, self._size, self._order = rows, size, order

    def __len__(self) -> int:
        return len(self._order)

    @overload
    def __getitem__(self, number: int) -> list[int]: ...

    @overload
    def __getitem__(self, number: slice) -> list[list[int]]: ...

    def __getitem__(self, number: int | slice) -> list[int] | list[list[int]]:
        if isinstance(number, slice):
            return [self[each] for each in range(*number.indices(len(self)))]
        start = int(self._order[number]) * self._size
        batch: list[int] = self._rows[start : start + self._size].tolist()
        return batch


def epoch_batches(lengths: Sequence[int] | np.ndarray, batch_size: int, seed: int, epoch: int) -> Batches:
    """Row numbers in batches of similar length, in random order. Every row occurs exactly once."""
    random = np.random.default_rng([seed, epoch])
    order = random.permutation(len(lengths))
    pool = np.arange(len(order)) // (batch_size * BATCHES_A_POOL)
    ranked = order[np.lexsort((order, np.asarray(lengths)[order], pool))]
    batches = np.arange(-(-len(ranked) // batch_size))
    random.shuffle(batches)
    return Batches(ranked, batch_size, batches)


def poisson_batch(rows: int, rate: float, random: np.random.Generator) -> list[int]:
    """Each row with probability ``rate``, independently: the sampling that the privacy accountant assumes."""
    chosen: list[int] = np.flatnonzero(random.random(rows) < rate).tolist()
    return chosen


def passes(examples: Sequence[Example], budget: int) -> Iterator[list[Example]]:
    """A batch in parts of at most ``budget`` tokens (or one example), for memory; their gradients add up."""
    part: list[Example] = []
    used = 0
    for example in sorted(examples, key=lambda example: len(example.ids)):
        if part and used + len(example.ids) > budget:
            yield part
            part, used = [], 0
        part.append(example)
        used += len(example.ids)
    if part:
        yield part
