"""A source that looks unlike its earlier rows is reported; one that does not is not."""

from assets.screened.drift.source_shift import Sources, shifts
from tests.assets.screened.rows import clean, records


def _shifts(here, before):
    return {shift.measure: shift for shift in shifts(Sources.of(here, 0), Sources.of(before, 0), alpha=0.01)}


def test_the_same_kind_of_rows_is_no_shift():
    assert _shifts(records(clean(300, 1)), records(clean(300, 2))) == {}


def test_longer_answers_and_another_mood_are_shifts_of_that_source_only():
    angry = [{**row, "output": row["output"] + " I hate this awful, disgusting mess!" * 3} for row in clean(300, 1)]
    found = _shifts(
        records(angry, "forum") + records(clean(300, 3), "desk"),
        records(clean(600, 2), "forum") + records(clean(300, 4), "desk"),
    )
    assert {"length", "sentiment"} <= set(found)
    assert {shift.source for shift in found.values()} == {"forum"}
    assert found["sentiment"].here < found["sentiment"].before


def test_a_new_source_that_dominates_is_a_shift_of_volume():
    found = _shifts(records(clean(200, 1), "newcomer"), records(clean(200, 2), "desk"))
    assert found["volume"].source == "newcomer"
    assert found["volume"].before == 0
