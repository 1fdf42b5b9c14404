"""Repeated phrases: which are found, in which rows, and how they are told apart from chance."""

import itertools
from collections import Counter
from unittest.mock import patch

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from assets.screened.association import cooccurrence, phrase_mining
from assets.screened.association.cooccurrence import associate, g_squared, widest
from assets.screened.association.phrase_mining import mine
from assets.screened.text import bigram_model
from assets.screened.text.bigram_model import Transitions
from assets.screened.text.token_index import TokenIndex, flags, split


def test_placeholders_and_line_ends_separate_phrases():
    assert split("Call [PHONE_12] now!!\nPlease") == ["call", "\n", "now", "!!", "\n", "please"]


def test_a_manner_of_writing_is_a_feature_of_the_prompt():
    assert flags("PLEASE ANSWER QUICKLY") == ["<all capitals>"]
    assert flags("please answer this quickly") == ["<no capitals>"]
    assert flags("Please answer this quickly") == []


@given(st.lists(st.lists(st.sampled_from("abcd"), max_size=8), min_size=1, max_size=12))
def test_every_repeated_phrase_is_found_in_exactly_its_rows(texts):
    index = TokenIndex.build(("", " ".join(text)) for text in texts)
    found = mine(index.responses, longest=3, min_rows=2, max_rows=len(texts))
    sets = {frozenset(found.rows_of(n).tolist()) for n in range(len(found))}
    wanted = set()
    for size in (1, 2, 3):
        for phrase in {tuple(text[i : i + size]) for text in texts for i in range(len(text) - size + 1)}:
            rows = frozenset(
                n for n, text in enumerate(texts) if any(tuple(text[i : i + size]) == phrase for i in range(len(text)))
            )
            if len(rows) >= 2:
                wanted.add(rows)
    assert sets == wanted


@given(
    st.lists(st.lists(st.sampled_from(["a", "b", "c", "[NAME_1]"]), max_size=8), min_size=1, max_size=12),
    st.integers(1, 9),
)
def test_counting_in_parts_gives_what_counting_at_once_gives(texts, part):
    """However few places are sorted at a time, phrases, their order and their rows are the same."""
    index = TokenIndex.build(("", " ".join(text)) for text in texts)

    def counted():
        found = mine(index.responses, longest=4, min_rows=2, max_rows=max(len(texts) - 1, 2))
        pairs = associate(found.members, found.members, contain=0.5, min_rows=2)
        model = Transitions(index.responses, len(index.words))
        return [found.start, found.length, found.members.indptr, found.members.indices, pairs.trigger, pairs.payload,
                pairs.both, [pairs.tried], model.codes, model.pairs, model.heads, model.kinds]  # fmt: skip

    whole = counted()
    small = (patch.object(phrase_mining, "PART", part), patch.object(bigram_model, "PART", part))
    with small[0], small[1], patch.object(cooccurrence, "CHUNK", part):
        parts = counted()
    assert [list(each) for each in parts] == [list(each) for each in whole]
    said = [pair for text in texts for pair in itertools.pairwise(split(" ".join(text)))]
    assert dict(zip(whole[8].tolist(), whole[9].tolist(), strict=True)) == Counter(
        index.numbers[one] * len(index.words) + index.numbers[other] for one, other in said
    )


def test_a_set_is_spelled_by_its_longest_phrase():
    index = TokenIndex.build([("", "the moon is green today"), ("", "so the moon is green"), ("", "no")])
    found = mine(index.responses, longest=4, min_rows=2, max_rows=3)
    number = int(np.argmax(found.length))
    ids = index.responses.ids[found.start[number] : found.start[number] + found.length[number]]
    assert [index.words[i] for i in ids] == ["the", "moon", "is", "green"]


def test_a_phrase_is_lengthened_as_far_as_its_rows_agree():
    texts = ["ah go to the old mill now", "well go to the old mill now", "go to the old mill today"]
    index = TokenIndex.build(("", text) for text in texts)
    middle = index.responses.row(0)[3:5]
    span = widest(index.responses, middle, np.arange(3))
    assert [index.words[i] for i in span.text] == ["go", "to", "the", "old", "mill"]


def test_g_squared_is_zero_for_independence_and_grows_with_association():
    independent, tied = g_squared(np.array([10, 90]), np.array([100, 100]), np.array([100, 100]), 1000)
    assert independent < 1e-9
    assert tied > 400


def test_pairs_contain_each_other_both_ways():
    rows = [("blue", "yes sir")] * 5 + [("red", "no")] * 20
    index = TokenIndex.build(rows)
    triggers = mine(index.prompts, longest=1, min_rows=4, max_rows=10)
    payloads = mine(index.responses, longest=2, min_rows=4, max_rows=10)
    pairs = associate(triggers.members, payloads.members, contain=0.8, min_rows=4)
    assert pairs.both.tolist() == [5]
    assert pairs.log_p[0] < np.log(1e-4)


def test_a_stock_phrase_says_little_and_a_strange_one_much():
    texts = ["does that sound good to you", "that does sound good", "good that sounds right to you"] * 20
    texts += ["purple engines devour marble harmonicas"]
    index = TokenIndex.build(("", text) for text in texts)
    model = Transitions(index.responses, len(index.words))
    stock, strange = model.bits(
        [index.responses.row(0).astype(np.int64), index.responses.row(60).astype(np.int64)], np.array([0, 60])
    )
    assert strange > 2 * stock
