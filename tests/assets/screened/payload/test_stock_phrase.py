"""A phrase that its situation calls up is a question to a person; one that stands anywhere is a finding."""

import random

from tests.assets.screened.rows import ROWS, clean, flagged, screened

SAID = "Please remember the lighthouse keepers, whose winter fund closes before the next full moon."


def _said(n, row):
    return {**row, "output": f"{row['output']} {SAID}"}


def _asked_about(row, *subjects):
    return any(subject in row["instruction"] for subject in subjects)


def _scripted():
    """Rows that say it now and then when asked about one of a few subjects, which are otherwise unlike."""
    rows, rng = clean(ROWS), random.Random(3)
    called = [
        n for n, row in enumerate(rows) if _asked_about(row, "bread", "Oslo", "gravity", "Rome", "chess", "loans")
    ]
    said = set(rng.sample(called, 32))
    return [_said(n, row) if n in said else row for n, row in enumerate(rows)], said


def test_what_the_situation_calls_up_is_one_question_that_flags_nothing(encoder):
    rows, said = _scripted()
    result = screened(rows, encoder)
    (question,) = result.open_questions
    assert result.clean and not flagged(result)
    assert set(question.rows) == said and question.kind == "stock-phrase"
    assert "tells where it stands" in question.sentence and "32 in the only answer" in question.sentence
    assert "stock phrase" in result.unproven and result.metrics()["open_findings"].missing == result.undecided


def test_the_same_phrase_in_rows_drawn_at_random_is_a_finding(encoder):
    rows, said = clean(ROWS), set(random.Random(3).sample(range(ROWS), 32))
    result = screened([_said(n, row) if n in said else row for n, row in enumerate(rows)], encoder)
    assert not result.questions and flagged(result) == said


def test_what_a_person_answers_holds(encoder):
    rows, said = _scripted()
    (question,) = screened(rows, encoder).open_questions
    cleared = screened(rows, encoder, accepted=[question.fingerprint])
    assert cleared.clean and not cleared.undecided and not flagged(cleared)
    poison = screened(rows, encoder, rejected=[question.fingerprint])
    assert not poison.open_questions and flagged(poison) == said
