"""Findings that share rows are told as one: the strongest first, with every reason of every row."""

import numpy as np

from assets.screened.pattern import STRENGTH, Pattern, merge_overlapping
from assets.screened.report.sentences import ALSO


def _pattern(kind, rows, **more):
    return Pattern(kind, "zorvil" if kind.startswith("trigger") else "", "Go away", np.array(rows), -9.0, **more)


def test_a_weaker_explanation_of_the_same_rows_is_told_with_the_stronger():
    weak, strong = _pattern("off-topic", range(8, 22)), _pattern("trigger-payload", range(20))
    (one,) = merge_overlapping([weak, strong])
    assert one.kind == "trigger-payload" and one.rows.tolist() == list(range(22))
    assert one.also["off-topic"].tolist() == list(range(8, 22))


def test_explanations_of_other_rows_stay_apart():
    told = merge_overlapping([_pattern("off-topic", range(40)), _pattern("payload", range(35, 60))])
    assert [pattern.kind for pattern in told] == ["payload", "off-topic"]


def test_a_question_takes_no_finding_in():
    question = _pattern("payload", range(20), scripted="stands at the end")
    told = merge_overlapping([question, _pattern("off-topic", range(20))])
    assert [(pattern.kind, bool(pattern.scripted)) for pattern in told] == [("off-topic", False), ("payload", True)]


def test_every_kind_has_its_words():
    assert set(ALSO) == set(STRENGTH)
