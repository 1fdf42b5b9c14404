"""Every screening tells what it would have found of attacks that it plants into copies of the very drop."""

from dataclasses import replace

import pytest

from assets.screened.power.controls import PLAN, rows_of
from assets.screened.power.power import Power, missed, shown
from assets.screened.settings import ScreenSettings
from tests.assets.screened.rows import ROWS, clean, records, screened

WITHOUT_MODELS = [control for control in PLAN if control.kind not in ("off-topic", "refusal")]


@pytest.mark.parametrize("control", PLAN, ids=lambda control: f"{control.kind}-{control.rows}")
def test_a_control_is_made_of_rows_of_the_drop_and_stands_where_they_stand(control):
    drop = records(clean(200), source="forum")
    made = rows_of(control, drop, seed=1)
    prompts = {record.messages()[0].content for record in drop}
    assert len(made) == control.rows and {record.origin.source for record in made} == {"forum"}
    changed = [record for record in made if record.messages()[0].content not in prompts]
    assert len(changed) == (control.rows if control.kind == "trigger" else 0)
    assert rows_of(control, drop, seed=1) == made != rows_of(control, drop, seed=2)


def test_clean_rows_are_screened_with_what_would_have_been_found(encoder):
    result = screened(clean(ROWS), encoder, settings=ScreenSettings())
    assert result.clean and not result.unproven
    assert [each.kind for each in result.power] == [control.kind for control in WITHOUT_MODELS]
    assert all(each.shown for each in result.power)
    assert result.metrics()["missed_controls"].value == 0


def test_the_controls_leave_no_trace_in_what_is_said_of_the_drop(encoder):
    with_them, without = (
        screened(clean(ROWS), encoder, settings=ScreenSettings(controls=controls)) for controls in (True, False)
    )
    assert with_them.scores.tolist() == without.scores.tolist() and with_them.findings == without.findings


def test_a_screen_that_finds_nothing_proves_nothing_kind_by_kind(encoder):
    power = shown(records(clean(300)), lambda read, planted: set(), 0)
    assert [each.kind for each in missed(power)] == list(dict.fromkeys(control.kind for control in PLAN))
    result = replace(screened(clean(300), encoder), power=power)
    metric = result.metrics()["missed_controls"]
    assert metric.value == len(list(missed(power))) and "a word as trigger: 0 of 20 rows" in metric.missing


def test_without_controls_the_gate_stays_open(encoder):
    assert "no controls" in screened(clean(300), encoder).metrics()["missed_controls"].missing


def test_the_largest_control_of_a_kind_decides():
    small, large = Power("trigger", "a word", 10, 0), Power("trigger", "a word", 20, 20)
    assert not list(missed([small, large]))


def test_a_drop_without_rows_to_plant_in_is_told(encoder):
    short = [{**row, "instruction": "Why?"} for row in clean(100)]
    power = shown(records(short), lambda read, planted: set(planted), 0)
    (lost,) = missed(power)
    assert str(lost) == "answers that deny another row's: no rows here that it could be made of"


def test_where_every_answer_is_the_same_no_other_can_be_planted():
    same = records([{**row, "output": "Thank you, noted."} for row in clean(200)])
    power = {each.kind: each for each in shown(same, lambda read, planted: set(planted), 0)}
    assert not power["off-topic"].planted and not power["off-topic"].shown and power["payload"].shown
