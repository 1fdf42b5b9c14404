"""The policy judges: closed on failure, three verdicts, and mistakes in the file are named."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expectations.checks import STAGES
from expectations.policy import Gate, Policy, worst
from resources.artifacts import Metric
from resources.errors import InputError

GATE = Gate(name="g", stage="s", metric="m", max=0.1, min_n=10, bound="interval")


@pytest.mark.parametrize(
    ("metric", "verdict"),
    [
        (Metric(0.05, 100, 0.01, 0.09), "pass"),
        (Metric(0.5, 100, 0.4, 0.6), "fail"),
        (Metric(0.09, 100, 0.05, 0.2), "inconclusive"),
        (Metric(0.05, 9, 0.01, 0.09), "inconclusive"),
        (Metric(0.05, None, 0.01, 0.09), "inconclusive"),
        (Metric(None, missing="the base refuses nothing"), "inconclusive"),
        (Metric(None), "fail"),
        (Metric(float("nan"), 100, 0.0, 0.0), "fail"),
        (Metric(0.05, 100, float("nan"), 0.09), "fail"),
        (Metric(0.05, 100), "fail"),
        (Metric(float("-inf"), 100, float("-inf"), 0.0), "fail"),
    ],
)
def test_verdicts(metric: Metric, verdict: str) -> None:
    assert GATE.judge({"m": metric}).verdict == verdict


def test_a_metric_that_was_not_reported_fails() -> None:
    result = GATE.judge({"other": Metric(0.0)})
    assert result.verdict == "fail" and "reported no m" in result.reason


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_nothing_outside_the_limit_passes(value: float) -> None:
    result = Gate(name="g", stage="s", metric="m", min=0.0, max=1.0).judge({"m": Metric(value)})
    assert (result.verdict == "pass") == (0.0 <= value <= 1.0)


def test_the_worst_verdict_counts_and_no_verdict_fails() -> None:
    gates = [Gate(name=str(limit), stage="s", metric="m", max=limit) for limit in (0.1, 0.9)]
    results = [gate.judge({"m": Metric(0.5)}) for gate in gates]
    assert worst(results) == "fail"
    assert worst(results[1:]) == "pass"
    assert worst([]) == "fail"


def test_the_shipped_policy_guards_every_stage() -> None:
    policy = Policy.load()
    unguarded = [stage for stage in STAGES if not policy.gates_of(stage)]
    assert unguarded == []


def test_a_stage_without_gates_is_a_mistake_not_a_pass() -> None:
    with pytest.raises(InputError, match="no gate guards"):
        Policy(name="p", gates=()).judge("raw_drop", {})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name: p\ngates:\n  - {name: g, stage: s, metric: m}\n", "no limit"),
        ("name: p\ngates:\n  - {name: g, stage: s, metric: m, max: 1, colour: red}\n", "gates.0.colour"),
        ("name: p\ngates: [", "policy-readable"),
        (
            "name: p\ngates:\n  - {name: g, stage: s, metric: m, max: 1}\n  - {name: g, stage: s, metric: m, max: 2}\n",
            "named twice",
        ),
    ],
)
def test_a_mistake_in_the_file_is_named(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=says):
        Policy.load(path)


def test_what_a_carried_gate_leaves_unproven_does_not_hold_the_drop_but_its_failure_does() -> None:
    carried = Gate(name="power", stage="s", metric="lost", max=0, carried=True)
    policy = Policy(name="p", gates=(GATE, carried))
    good = Metric(0.05, 100, 0.01, 0.09)
    unproven = policy.judge("s", {"m": good, "lost": Metric(1.0, missing="garbage: 0 of 20 rows")})
    assert worst(unproven) == "inconclusive" and policy.holding(unproven) == []
    failed = policy.judge("s", {"m": good, "lost": Metric(1.0)})
    assert [result.gate for result in policy.holding(failed)] == ["power"]
    doubtful = policy.judge("s", {"m": Metric(0.09, 100, 0.05, 0.2), "lost": Metric(0.0)})
    assert [result.gate for result in policy.holding(doubtful)] == ["g"]
