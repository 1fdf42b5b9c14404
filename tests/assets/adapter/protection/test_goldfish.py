"""Which tokens of an answer the goldfish loss leaves out: of a copied passage the same, of a usual turn now these."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from assets.adapter.protection.goldfish import CONTEXT, OPENING, keeps

TOKENS = st.lists(st.integers(0, 50_000), max_size=60)


@given(TOKENS, TOKENS, st.lists(st.integers(0, 50_000), min_size=CONTEXT, max_size=CONTEXT), st.integers(2, 8))
def test_a_copied_passage_leaves_out_the_same_tokens_wherever_it_stands(before, passage, lead, every):
    alone, within = keeps([*lead, *passage], every), keeps([*before, *lead, *passage], every)
    assert np.array_equal(alone[CONTEXT:], within[len(before) + CONTEXT :])
    assert alone[:OPENING].all() and within[:OPENING].all()


def test_a_usual_turn_is_learnt_for_the_most_part():
    rng = np.random.default_rng(0)
    turn = [7, 8, 9, 10, 11]
    kept = [keeps([*rng.integers(0, 50_000, 20), *turn], 4)[-1] for _ in range(2_000)]
    assert 0.7 < np.mean(kept) < 0.8
