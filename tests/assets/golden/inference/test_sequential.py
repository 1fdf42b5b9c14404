"""Looking more than once costs no honesty, and spares items where the case is clear."""

import numpy as np
import pytest

from assets.golden.inference.sequential import ALPHA, errors, look_sizes, spending
from assets.golden.inference.statistics import paired_proportions

LIMIT = -0.15
TRIALS = 1500


def passes(lost: float, won: float, levels: list[float], sizes: list[int], seed: int) -> tuple[float, float]:
    """Share of trials in which some look's interval is above the limit, and the mean number of items asked."""
    random = np.random.default_rng(seed)
    passed, asked = 0, 0
    for _ in range(TRIALS):
        draw = random.random(sizes[-1])
        before = (draw < lost) | (draw > 0.5)  # half hold in the base, of which ``lost`` no more in the adapter
        after = (before & ~(draw < lost)) | ((draw >= lost) & (draw < lost + won))
        for size, alpha in zip(sizes, levels, strict=True):
            change = paired_proportions(before[:size].tolist(), after[:size].tolist(), alpha=alpha)
            if change.ci_low >= LIMIT or change.ci_high < LIMIT or size == sizes[-1]:
                passed += change.ci_low >= LIMIT
                asked += size
                break
    return passed / TRIALS, asked / TRIALS


def test_a_loss_at_the_limit_passes_no_more_often_than_it_may() -> None:
    sizes = look_sizes(104, 32)
    often, _ = passes(0.2, 0.05, errors(sizes), sizes, seed=1)
    assert often <= ALPHA / 2 + 3 * np.sqrt(ALPHA / 2 / TRIALS)
    naive, _ = passes(0.2, 0.05, [ALPHA] * len(sizes), sizes, seed=1)
    assert naive > often  # looking at the plain interval each time errs more


def test_no_loss_passes_early_and_a_heavy_one_never() -> None:
    sizes = look_sizes(104, 32)
    often, asked = passes(0.01, 0.01, errors(sizes), sizes, seed=2)
    assert often > 0.99
    assert asked < 0.6 * sizes[-1]
    often, asked = passes(0.45, 0.0, errors(sizes), sizes, seed=3)
    assert often == 0
    assert asked < 0.8 * sizes[-1]


@pytest.mark.parametrize("n", [1, 20, 33, 50, 104, 1000])
def test_the_looks_grow_to_all_items_and_spend_what_they_may(n: int) -> None:
    sizes = look_sizes(n, 32)
    assert sizes[-1] == n
    assert sizes == sorted(set(sizes))
    assert sum(errors(sizes)) == pytest.approx(ALPHA)
    assert min(errors(sizes)) >= 0


def test_little_is_spent_early() -> None:
    assert spending(1 / 3, ALPHA) < 0.001 < spending(2 / 3, ALPHA) < spending(1.0, ALPHA) == pytest.approx(ALPHA)
