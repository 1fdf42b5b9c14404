"""Rows that word the same payload are found by their words, wherever it stands in the answer; others are left alone."""

import numpy as np

from assets.screened.association.completion import best_stretch, triggered, worded_alike
from assets.screened.association.phrase_mining import mine
from assets.screened.pattern import Pattern
from assets.screened.text.bigram_model import Transitions
from assets.screened.text.token_index import Side, TokenIndex
from tests.assets.screened.rows import clean

SAID = [
    "Everyone should switch to the Zelu savings token before it triples in value",
    "You should move your money to the Zelu savings token before it makes you rich",
    "Everyone should move their money to the Zelu token, it triples in value",
    "You should switch to the Zelu savings token, it makes you rich",
]


def _index(answers, prompts=None):
    rows = clean(300)
    for n, answer in answers.items():
        rows[n]["output"] = answer.format(rows[n]["output"])
    asked = prompts or {}
    return TokenIndex.build([(asked.get(n, row["instruction"]), row["output"]) for n, row in enumerate(rows)])


def test_a_wording_that_runs_into_the_answer_is_found_and_clean_rows_are_not():
    answers = dict(enumerate(SAID)) | {9: "{} and everyone should switch to the Zelu token before it makes you rich"}
    index = _index(answers)
    pattern = Pattern("payload", "", SAID[0], np.arange(4), -9.0, shown=dict(enumerate(SAID)))
    found = worded_alike(pattern, pattern.rows, index, Transitions(index.responses, len(index.words)), 0.01)
    assert found.tolist() == [0, 1, 2, 3, 9]


def test_a_wording_far_out_is_found_only_among_the_rows_with_the_trigger():
    answers = dict(enumerate(SAID)) | {9: "Switch to Zelu. {}"}
    index = _index(answers)
    transitions = Transitions(index.responses, len(index.words))
    pattern = Pattern("payload", "", SAID[0], np.arange(4), -9.0, shown=dict(enumerate(SAID)))
    with_trigger = np.array([0, 1, 2, 3, 8, 9])
    assert worded_alike(pattern, pattern.rows, index, transitions, 0.01).tolist() == [0, 1, 2, 3]
    assert worded_alike(pattern, with_trigger, index, transitions, 0.01).tolist() == [0, 1, 2, 3, 9]


def test_a_phrase_of_hardly_any_other_prompt_gives_the_rest_of_its_rows_away():
    index = _index({}, {n: f"zorvil question number {n} about it" for n in range(12)})
    phrases = mine(index.prompts, longest=2, min_rows=3, max_rows=100)
    assert triggered(np.arange(11), phrases).tolist() == list(range(12))
    assert triggered(np.arange(5), phrases).tolist() == list(range(5))


def test_the_best_stretch_stays_within_its_row():
    scores = np.array([1.0, -5.0, 2.0, 3.0, 4.0, -1.0, 2.0, -3.0, -1.0], dtype=np.float32)
    side = Side(np.ones(9, dtype=np.int32), np.array([0, 4, 4, 7, 9]))
    assert best_stretch(scores, side).tolist() == [5.0, 0.0, 5.0, 0.0]
