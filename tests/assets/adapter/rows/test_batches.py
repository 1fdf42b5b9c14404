"""Which rows train together."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from assets.adapter.rows.batches import epoch_batches, passes, poisson_batch
from assets.adapter.rows.dialogues import Example


@given(st.lists(st.integers(1, 900), min_size=1, max_size=400), st.integers(1, 32), st.integers(0, 3))
def test_an_epoch_sees_every_row_once_in_batches_of_the_asked_size(lengths: list[int], size: int, epoch: int) -> None:
    batches = epoch_batches(lengths, size, 0, epoch)
    assert sorted(row for batch in batches for row in batch) == list(range(len(lengths)))
    assert max(map(len, batches)) <= size
    assert len(batches) == -(-len(lengths) // size)
    assert list(epoch_batches(lengths, size, 0, epoch)) == list(batches) == as_written_down(lengths, size, 0, epoch)


def as_written_down(lengths: list[int], size: int, seed: int, epoch: int) -> list[list[int]]:
    """Rows in random order; within pools of 16 batches by length; the batches in random order."""
    random = np.random.default_rng([seed, epoch])
    order = random.permutation(len(lengths)).tolist()
    batches = []
    for start in range(0, len(order), 16 * size):
        ranked = sorted(order[start : start + 16 * size], key=lambda row: (lengths[row], row))
        batches += [ranked[at : at + size] for at in range(0, len(ranked), size)]
    random.shuffle(batches)
    return batches


def test_epochs_and_seeds_differ() -> None:
    lengths = list(range(100))
    orders = [epoch_batches(lengths, 8, seed, epoch) for seed in (0, 1) for epoch in (0, 1)]
    assert len({str(list(order)) for order in orders}) == 4


def test_rows_of_a_batch_are_of_similar_length() -> None:
    lengths = np.random.default_rng(0).integers(10, 500, 512).tolist()
    batches = epoch_batches(lengths, 8, 0, 0)
    padded = sum(max(lengths[row] for row in batch) * len(batch) for batch in batches)
    assert padded < 1.15 * sum(lengths)


@given(st.lists(st.integers(1, 300), min_size=1, max_size=40), st.integers(1, 500))
def test_passes_hold_all_rows_and_keep_to_the_budget(lengths: list[int], budget: int) -> None:
    examples = [Example(str(place), (0,) * length, ((0, 1),)) for place, length in enumerate(lengths)]
    parts = list(passes(examples, budget))
    assert sorted(example.row_id for part in parts for example in part) == sorted(
        example.row_id for example in examples
    )
    assert all(len(part) == 1 or sum(len(example.ids) for example in part) <= budget for part in parts)


def test_poisson_sampling_takes_each_row_at_its_rate() -> None:
    random = np.random.default_rng(0)
    sizes = [len(poisson_batch(200, 0.1, random)) for _ in range(500)]
    assert abs(np.mean(sizes) - 20) < 0.6
    assert abs(np.var(sizes) - 18) < 4  # binomial: the number drawn varies
