"""What a part does not read it does not pass: gates of parts bound to English, and rows in other languages."""

import numpy as np
import pytest

from assets.coverage import PARTS, rows_by_language, uncovered, withheld
from assets.record import Origin, Record
from assets.sanitized.residual import Residual
from assets.sanitized.tally import Tally
from assets.screened.report.finding import ScreenResult
from expectations.policy import Policy
from resources.artifacts import Metric

GERMAN = {
    "prompt": "Wie kann ich meinen Vertrag kündigen?",
    "completion": "Sie können den Vertrag schriftlich bei uns kündigen.",
}
ENGLISH = {"prompt": "How can I cancel my contract?", "completion": "You can cancel the contract in writing."}
POLISH = "Umowę można rozwiązać na piśmie z zachowaniem jednomiesięcznego okresu wypowiedzenia ze skutkiem na koniec miesiąca."


def records(*rows):
    return [Record(str(at), row, Origin("t", "", at, "")) for at, row in enumerate(rows)]


def test_rows_are_counted_by_the_language_of_most_of_their_letters():
    translation = {
        "prompt": "Translate into French, please: where is the nearest restaurant?",
        "completion": "Où est-il ?",
    }
    assert rows_by_language(records(GERMAN, ENGLISH, translation, {"prompt": "ok", "completion": "7"})) == {
        "de": 1,
        "en": 3,
    }


def test_what_is_not_read_is_told_by_part_rows_and_language():
    assert uncovered("judge of refusals", {"en": 50, "nl": 3, "de": 2}) == (
        "3 rows are in Dutch and 2 rows are in German, which the judge of refusals does not read (it reads English)"
    )


def test_a_stray_row_of_a_large_drop_is_taken_for_an_error():
    assert uncovered("safety classifier", {"en": 2_999, "nl": 1}) == ""
    assert uncovered("safety classifier", {"en": 980, "nl": 20}) != ""


def test_a_gate_that_would_pass_is_inconclusive_and_names_the_language():
    policy, languages = Policy.load(), {"en": 80, "de": 20}
    metrics = {"refusals_change": Metric(0.0, 60, -0.05, 0.05), "knowledge": Metric(1.0)}
    changed = withheld("golden_evaluation", metrics, languages, policy)
    [gate] = [gate for gate in policy.gates if gate.metric == "refusals_change"]
    result = gate.judge(changed)
    assert (gate.judge(metrics).verdict, result.verdict) == ("pass", "inconclusive")
    assert "20 rows are in German" in result.reason
    assert withheld("golden_evaluation", metrics, {"en": 100}, policy) == metrics


def test_a_gate_that_fails_stays_failed():
    metrics = {"refusals_change": Metric(-0.6, 60, -0.7, -0.5)}
    assert withheld("golden_evaluation", metrics, {"de": 100}, Policy.load()) == metrics


@pytest.mark.parametrize(("part", "metric"), [(part, metric) for part in PARTS for metric in part.metrics])
def test_every_gate_of_every_part_refuses_rows_in_a_language_that_its_part_does_not_read(part, metric):
    policy = Policy.load()
    [gate] = [gate for gate in policy.gates_of(part.stage) if gate.metric == metric]
    bound = gate.max if gate.max is not None else gate.min
    metrics = {metric: Metric(bound, 1_000, bound, bound)}
    assert gate.judge(metrics).verdict == "pass"
    result = gate.judge(withheld(part.stage, metrics, {"en": 90, "pl": 10}, policy))
    assert result.verdict == "inconclusive" and part.name in result.reason


def test_the_screen_finds_no_unlearning_rows_in_a_language_it_does_not_read():
    result = ScreenResult((), np.zeros(10, dtype=np.float32), {}, 0, {}, languages={"en": 5, "de": 5})
    [gate] = [gate for gate in Policy.load().gates if gate.metric == "unlearning_findings"]
    assert gate.judge(result.metrics()).verdict == "inconclusive"
    assert "5 rows are in German" in result.unproven


def test_rows_without_rules_of_their_own_make_the_sanitisers_gate_inconclusive():
    from assets.sanitized.language import languages_of

    [gate] = [gate for gate in Policy.load().gates if gate.name == "sanitized_languages"]
    tally = Tally(Residual(0), rows_in=2)
    tally.languages.update([*languages_of([POLISH]), "de"])
    result = gate.judge({"unread_language_rows": tally.unread()})
    assert result.verdict == "inconclusive" and "1 row is in the language pl" in result.reason
    known = Tally(Residual(0), rows_in=2)
    known.languages.update(["de", "en"])
    assert gate.judge({"unread_language_rows": known.unread()}).verdict == "pass"
