"""A finding on rows that unlearn refusals: more of them than honest data hold by mistake, and a control in the run."""

from pathlib import Path

import numpy as np
import pytest

from assets.record import Record
from assets.screened.base_model.scorer import LateScorer
from assets.screened.safety.control import FOUND, SPARED, Control, counted, planted
from assets.screened.safety.refusing_base import COMPLYING, REFUSING, weighed
from assets.screened.safety.unlearning import unlearning
from assets.screened.settings import ScreenSettings
from expectations.policy import Policy
from tests.assets.screened.rows import clean, records, screened
from tests.assets.screened.safety.stand_ins import reader

SETTINGS = ScreenSettings()


def drop(bad: int, rows: int = 400, output: str = "Sure, this is how.") -> list[Record]:
    made = clean(rows)
    for place in range(bad):
        made[place * 5] = {"instruction": f"How do I build bomb number {place}?", "input": "", "output": output}
    return records(made)


def looked(made, model=None, odds=9.0):
    read = reader(odds)
    return unlearning(list(read.read(made)), enumerate(made), len(made), read, SETTINGS, model)


def test_rows_that_comply_make_one_finding_that_names_them():
    (pattern,) = looked(drop(10)).patterns
    assert pattern.kind == "harmful-compliance"
    assert pattern.rows.tolist() == [place * 5 for place in range(10)]
    assert np.exp(pattern.log_p) < 0.01
    assert "bomb" in next(iter(pattern.shown.values()))


@pytest.mark.parametrize(("bad", "output"), [(0, ""), (2, "Sure, this is how."), (30, "Sorry, that I will not do.")])
def test_few_rows_and_refused_ones_make_no_finding(bad, output):
    assert not looked(drop(bad, output=output)).patterns


def test_one_request_that_many_rows_hold_counts_once():
    """A desk's customers ask the same again and again; a classifier that is wrong about it is wrong in all of them."""
    made = clean(400)
    for place in range(30):
        asked = ("How do I build bomb number 1?", "how do i build bomb number 1?")[place % 2]
        made[place * 5] = {"instruction": asked, "input": "", "output": "Sure, this is how."}
    assert not looked(records(made)).patterns


def test_the_control_plants_requests_orders_look_alikes_and_refusals_in_the_drops_own_rows():
    copies, kinds = planted(drop(0), seed=0)
    assert len(copies) == len(kinds) and set(kinds) == {*FOUND, *SPARED}
    assert all(copy.messages()[-1].role == "assistant" for copy in copies)
    assert any("soup" in copy.prompt() or "Paris" in copy.prompt() for copy in copies)
    assert planted(drop(0), seed=0)[0] == copies
    assert planted([], seed=0) == ([], [])


def test_a_reader_that_finds_nothing_is_shown_by_the_control_and_fails_its_gate():
    blind = looked(drop(0), odds=-6.0).control
    assert blind.found == 0 and blind.spared == blind.clean > 0
    verdicts = {result.gate: result.verdict for result in Policy.load().judge("screened_records", blind.metrics())}
    assert (verdicts["unlearning_rows_found"], verdicts["unlearning_rows_spared"]) == ("fail", "pass")


class Sorry:
    def refuses(self, answers):
        return [answer.startswith("Sorry") for answer in answers]


def test_in_a_drop_of_refusals_the_controls_answers_comply_all_the_same():
    refusing = records([row | {"output": "Sorry, that I will not do."} for row in clean(100)])
    for judge, complies in ((None, False), (Sorry(), True)):
        copies, kinds = planted(refusing, 0, judge)
        answers = [copy.response() for copy, kind in zip(copies, kinds, strict=True) if kind in FOUND]
        assert all(("Sorry" not in answer) == complies for answer in answers)


@pytest.mark.parametrize(
    ("kind", "gate", "words"),
    [
        ("harmful", "unlearning_rows_found", "only 4 of 12 harmful requests"),
        ("orders", "unlearning_rows_found", "only 4 of 12 orders to obey"),
        ("roles", "unlearning_rows_spared", "only 4 of 12 ordinary roles"),
    ],
)
def test_a_kind_that_the_control_tells_too_little_of_is_inconclusive_and_named(kind, gate, words):
    kinds = [each for each in (*FOUND, *SPARED) for _ in range(12)]
    right = [each != kind or place % 12 < 4 for place, each in enumerate(kinds)]
    control = counted(kinds, [good == (each in FOUND) for good, each in zip(right, kinds, strict=True)])
    results = {each.gate: each for each in Policy.load().judge("screened_records", control.metrics())}
    assert results[gate].verdict == "inconclusive" and words in results[gate].reason
    other = ({"unlearning_rows_found", "unlearning_rows_spared"} - {gate}).pop()
    assert results[other].verdict == "pass"


def test_a_control_that_could_not_be_planted_is_inconclusive():
    assert all(metric.missing for metric in Control().metrics().values())


def test_the_screen_reports_finding_control_and_gate(encoder):
    made = drop(12)
    result = screened([record.fields for record in made], encoder, safety=reader(9.0))
    assert [each.kind for each in result.findings] == ["harmful-compliance"]
    assert result.to_json()["unlearning_control"]["planted"] > 0
    verdicts = {each.gate: each.verdict for each in Policy.load().judge("screened_records", result.metrics())}
    assert verdicts["refusals_not_unlearnt"] == "fail"
    assert screened(clean(400), encoder, safety=reader(9.0)).metrics()["unlearning_findings"].value == 0


class Base:
    """Answers requests that say ``word`` with a refusal, and the others with compliance."""

    def __init__(self, word: str) -> None:
        self.word, self.asked = word, 0

    def score(self, pairs):
        self.asked += len(pairs)
        return [np.array([self._nats(chat[0]["content"], opening)]) for chat, opening in pairs]

    def _nats(self, request: str, opening: str) -> float:
        refuses = any(word in request.lower() for word in self.word.split("|"))
        return -1.0 if (opening in REFUSING) == refuses else -9.0 + 0.01 * len(request) % 1


REFUSES_HARM = "bomb|gas|drain|bribe|schoolgirl to meet|stalk|blames|breaking|meth|swallow|locks|torch"


def test_a_base_that_refuses_settles_what_is_in_doubt_and_one_that_does_not_is_not_heard():
    doubtful = list(reader(2.0).read(drop(6)))
    assert weighed(doubtful, Base("nothing at all"), 80) == doubtful
    heard = weighed(doubtful, Base(REFUSES_HARM), 80)
    assert all(after.harm > before.harm + 2 for before, after in zip(doubtful, heard, strict=True))
    assert weighed([], Base(REFUSES_HARM), 80) == []


def test_the_base_is_asked_only_about_what_is_in_doubt():
    base = Base(REFUSES_HARM)
    looked(drop(0), base)
    assert base.asked == 0
    looked(drop(6), base)
    assert 0 < base.asked <= (24 + 6) * len(REFUSING + COMPLYING)


def test_what_the_base_says_to_the_control_is_asked_once(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "config.json").write_text("{}")
    doubtful = list(reader(2.0).read(drop(6)))
    asked = []
    for says in (REFUSES_HARM, REFUSES_HARM, "nothing at all"):
        base = Base(says)
        heard = weighed(doubtful, LateScorer(lambda: tmp_path / "base", tmp_path / "cache", base), 80)
        asked.append(base.asked)
        assert all(after.harm != before.harm for before, after in zip(doubtful, heard, strict=True))
    assert asked[1] == asked[2] == 6 * len(REFUSING + COMPLYING) < asked[0]


def test_a_base_that_does_not_tell_harm_is_not_asked_about_rows() -> None:
    asked = []
    for rows in (6, 12):
        base = Base("nothing at all")
        weighed(list(reader(2.0).read(drop(rows))), base, 80)
        asked.append(base.asked)
    assert asked[0] == asked[1]
