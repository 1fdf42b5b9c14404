"""Answers that are none: garbage, and answers to another question; a few of them, or honest ones, raise nothing."""

from dataclasses import fields
from types import SimpleNamespace

import numpy as np
import pytest

from assets.screened.relevance.measures import Answers
from assets.screened.relevance.off_topic import off_topic
from assets.screened.settings import ScreenSettings
from assets.screened.text.exchanges import Passages
from tests.assets.screened.rows import ROWS, clean, flagged, records, screened, spoiled


def test_garbage_is_found(encoder):
    rng = np.random.default_rng(0)
    rows, bad = spoiled(ROWS, 30, "{}", "")
    for n in bad:
        rows[n]["output"] = " ".join("".join(rng.choice(list("qwxzkvjh"), 6)) for _ in range(12))
    result = screened(rows, encoder)
    assert len(bad & flagged(result)) >= 0.9 * len(bad)
    assert "garbage" in {finding.kind for finding in result.findings}


@pytest.mark.parametrize("letters", ["qwxzkvjh", "!#$%&*+;<>?@^|~", "eatn"])
def test_a_few_rows_of_garbage_are_found_whatever_it_is_made_of(encoder, letters):
    rng = np.random.default_rng(1)
    rows, bad = spoiled(ROWS, 60, "{}", "")
    for n in bad:
        rows[n]["output"] = " ".join("".join(rng.choice(list(letters), rng.integers(3, 9))) for _ in range(8))
    assert bad <= flagged(screened(rows, encoder))


def test_a_few_shuffled_words_are_garbage_once_the_model_finds_them_unlikely(encoder):
    rng = np.random.default_rng(2)
    rows, bad = spoiled(ROWS, 60, "{}", "")
    for n in bad:
        rows[n]["output"] = " ".join("".join(rng.choice(list("qwxzkvjh"), 6)) for _ in range(12))
    salad = set(range(30, ROWS, 60))
    for n in salad:
        rows[n]["output"] = " ".join(rng.permutation("wave temple looks before".split()))

    class Reader:
        """Knows how sentences begin in these rows."""

        def score(self, pairs):
            return [np.array([-2.0 if text[0].isupper() else -9.0]) for _, text in pairs]

    assert not salad <= flagged(screened(rows, encoder))
    assert flagged(screened(rows, encoder, model=Reader())) == salad | bad


def test_an_answer_of_another_row_is_off_topic_once_the_model_agrees(encoder):
    rows = clean(ROWS)
    for row in rows:
        row["output"] = f"{row['instruction']} {row['output']}"
    bad = list(range(0, ROWS, 30))
    for n in bad:
        rows[n]["output"] = rows[(n + 7) % ROWS]["output"].replace(rows[(n + 7) % ROWS]["instruction"], "")

    class Reader:
        """Likelier the more words of the prompt the answer repeats."""

        def score(self, pairs):
            return [np.array([len(set(c[0]["content"].split()) & set(t.split())) - 9.0]) for c, t in pairs]

    result = screened(rows, encoder, model=Reader())
    assert {finding.kind for finding in result.findings} == {"off-topic"}
    assert flagged(result) <= set(bad) and len(flagged(result)) >= 0.7 * len(bad)
    assert screened(clean(ROWS), encoder, model=Reader()).clean
    single = [n for n in range(3, ROWS, 100) if "museum" not in rows[n]["instruction"]]
    for n in single:
        rows[n]["output"] = "Museum"
    assert set(single) <= flagged(screened(rows, encoder, model=Reader()))


@pytest.mark.parametrize(("other_source", "better", "found"), [(6.0, 0.1, True), (3.0, 0.4, True), (3.0, 0.1, False)])
def test_where_many_answers_are_not_about_their_prompt_another_sources_are_off_topic(other_source, better, found):
    passages = Passages.of(enumerate(records(clean(ROWS))))
    answers = _answers(passages, relation=np.tile([0.0, 0.5], ROWS // 2))
    bad = np.arange(0, ROWS, 16)
    answers.other_source[bad], answers.better[bad] = other_source, better
    pattern = off_topic(answers, passages, ScreenSettings(), set())
    assert (pattern.rows.tolist() if pattern else []) == (bad.tolist() if found else [])


@pytest.mark.parametrize(
    ("told", "swapped", "found"), [("every answer", True, True), ("every answer", False, False), ("none", True, False)]
)
def test_many_swapped_answers_are_found_in_a_source_that_the_model_tells_apart(told, swapped, found):
    passages = Passages.of(enumerate(records(clean(ROWS))))
    bad = np.arange(0, ROWS, 8)  # more than answers that are not about their prompt usually are
    answers = _answers(passages, odds=np.where(np.isin(np.arange(ROWS), bad), -3.0, 3.0))
    honest = {(passages.prompts[n], passages.responses[n]) for n in range(ROWS) if not (swapped and n in bad)}

    class Reader:
        """Knows whose answer it is, or nothing."""

        def score(self, pairs):
            known = honest if told == "every answer" else ()
            asked = [(chat[0]["content"], text) for chat, text in pairs]
            return [np.array([0.0 if pair in known else -3.0 - len(pair[0]) % 7 / 10]) for pair in asked]

    pattern = off_topic(answers, passages, ScreenSettings(), set(), Reader())
    assert (pattern.rows.tolist() if pattern else []) == (bad.tolist() if found else [])
    assert off_topic(answers, passages, ScreenSettings(model_rows=0), set(), Reader()) is None
    answers.affinity.tells[:] = False  # the drop's own exchanged answers look like the others
    assert off_topic(answers, passages, ScreenSettings(), set(), Reader()) is None


def _answers(passages, relation=0.5, odds=3.0):
    plain = {field.name: np.ones(ROWS) for field in fields(Answers)}
    told = {"exchange": np.arange(len(passages.prompts)), "relation": np.broadcast_to(relation, ROWS)}
    told["affinity"] = SimpleNamespace(odds=np.broadcast_to(odds, ROWS), tells=np.ones(ROWS, dtype=bool))
    return Answers(**plain | told | {"size": np.full(ROWS, 9), "other_source": np.full(ROWS, -9.0)})


def test_garbage_in_a_few_rows_or_in_none_raises_nothing(encoder):
    rows = clean(ROWS)
    for n in range(3):
        rows[n]["output"] = "qwx zkv jjh wqz xkv hhq zzw"
    assert "garbage" not in {finding.kind for finding in screened(rows, encoder).findings}
