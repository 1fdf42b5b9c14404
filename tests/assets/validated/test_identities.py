"""The table of identities says what a dictionary would, in a third of its memory."""

import random
import tracemalloc
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from assets.validated.identities import Identities

NUMBERS = st.integers(1, 2**128 - 1) | st.integers(1, 20) | st.integers(0, 50).map(lambda n: (n << 64) + (1 << 40))


@given(st.lists(NUMBERS, max_size=300))
def test_the_first_of_each_is_told(given_: list[int]) -> None:
    seen, known = Identities(), dict[int, int]()
    for ordinal, identity in enumerate(given_):
        assert seen.first(identity, ordinal) == known.setdefault(identity, ordinal)


def test_it_grows_and_forgets_nothing() -> None:
    draw = random.Random(0)
    numbers = [draw.getrandbits(128) for _ in range(20_000)]
    seen = Identities()
    assert [seen.first(number, at) for at, number in enumerate(numbers)] == list(range(20_000))
    assert [seen.first(number, 99_999) for number in numbers] == list(range(20_000))


def peak(fill: Callable[[], object]) -> int:
    tracemalloc.start()
    kept = fill()
    size = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert kept is not None
    return size


def test_a_row_takes_a_few_bytes() -> None:
    rows = 50_000

    def table() -> Identities:
        seen, draw = Identities(), random.Random(0)
        for ordinal in range(rows):
            seen.first(draw.getrandbits(128), ordinal)
        return seen

    assert peak(table) < 60 * rows
