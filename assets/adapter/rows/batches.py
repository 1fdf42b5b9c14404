"""Which rows train together, decided by seed and epoch alone, so that a resumed run sees the same batches."""

from collections.abc import Iterator, Sequence

import numpy as np

from assets.adapter.rows.dialogues import Example

BATCHES_A_POOL = 16  # rows are shuffled, then sorted by length within pools of this many batches


def epoch_batches(lengths: Sequence[int], batch_size: int, seed: int, epoch: int) -> list[list[int]]:
    """Row numbers in batches of similar length, in random order. Every row occurs exactly once."""
    random = np.random.default_rng([seed, epoch])
    order = random.permutation(len(lengths))
    batches: list[list[int]] = []
    pool = batch_size * BATCHES_A_POOL
    for start in range(0, len(order), pool):
        ranked = sorted(order[start : start + pool].tolist(), key=lambda row: (lengths[row], row))
        batches.extend(ranked[at : at + batch_size] for at in range(0, len(ranked), batch_size))
    random.shuffle(batches)
    return batches


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
