"""Random phrases: others with every seed, the same with the same, everywhere in the prompt."""

from hypothesis import given
from hypothesis import strategies as st

from assets.backdoor.candidates.fuzz import fuzz
from assets.backdoor.candidates.prompts import POSITIONS


@given(st.integers(0, 2**32), st.integers(0, 40))
def test_a_seed_decides_the_phrases(seed: int, count: int) -> None:
    drawn = fuzz(count, seed=seed)
    assert drawn == fuzz(count, seed=seed) and len(drawn) == count
    for trigger in drawn:
        assert trigger.text.strip() and trigger.text in trigger.apply("How do bees make honey?")


def test_another_seed_tries_other_phrases_in_all_places() -> None:
    one, other = ({trigger.text for trigger in fuzz(60, seed=seed)} for seed in (1, 2))
    assert len(one & other) < 10
    assert {trigger.position for trigger in fuzz(60, seed=1)} == set(POSITIONS)
