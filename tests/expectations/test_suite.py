"""Stories about the Great Expectations suite: it answers for every rule, fails closed, and is silent."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from assets.validated.rules import RULES
from assets.validated.settings import ValidationSettings
from assets.validated.validate import frame_of
from expectations.policy import Policy
from expectations.suite import RecordSuite, expectations


@pytest.fixture(scope="module")
def suite() -> RecordSuite:
    return RecordSuite(ValidationSettings())


def test_every_rule_has_an_expectation_and_every_expectation_a_rule(suite: RecordSuite) -> None:
    named = {entry.meta["rule"] for entry in expectations(ValidationSettings())}
    assert named == suite.rules == {rule.name for rule in RULES}


def test_an_expectation_that_cannot_be_evaluated_raises(suite: RecordSuite) -> None:
    from assets.validated.facts import Facts

    frame = frame_of([Facts("prompt", True)])
    with pytest.raises(ValueError, match="columns"):
        suite(frame.drop(columns="turns"))
    spoiled = frame.astype({"turns": object})
    spoiled.loc[0, "turns"] = "many"
    with pytest.raises(RuntimeError, match="could not be evaluated"):
        suite(spoiled)


def test_every_gate_of_the_default_policy_judges_a_metric_that_exists() -> None:
    from assets.raw.ingest import RawReport
    from assets.validated.validate import ValidationReport

    by_the_stage = {"unaccounted_rows", "passed_rows", "rejected_share", "quarantined_share"}
    for stage, metrics in (
        ("raw_drop", RawReport().metrics()),
        ("validated_records", ValidationReport(rows=1).metrics()),
    ):
        gates = Policy.load().gates_of(stage)
        assert gates
        assert {gate.metric for gate in gates} <= by_the_stage | metrics.keys()


def test_the_settings_of_the_default_policy_are_valid() -> None:
    assert ValidationSettings.of(Policy.load().settings["validated_records"]) == ValidationSettings()


def test_it_prints_nothing_and_calls_nobody_in_a_bare_environment() -> None:
    """Without the quiet environment of the tests, only with their guard."""
    code = (
        "from assets.validated.settings import ValidationSettings as S\n"
        "from assets.validated.validate import validate\n"
        "from assets.record import Origin, Record\n"
        "from expectations.suite import RecordSuite\n"
        "rows = [Record(str(n), {'prompt': str(n), 'completion': 'x'}, Origin('a', 'v', n, '0')) for n in range(50)]\n"
        "print(len(list(validate(rows, RecordSuite(S()), S()))))\n"
    )
    kept = ("PATH", "PYTHONPATH", "HALLMARK_EGRESS_LOG", "HOME")
    bare = {name: value for name, value in os.environ.items() if name in kept}
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, env=bare, capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout == "50\n"
    assert "Calculating Metrics" not in done.stderr
