"""A comparison names what changed, and what got worse."""

import copy
from typing import Any

import pytest
from lineage import Lineage

from assets.verdict.compare import Change, compare, to_json
from assets.verdict.dossier import collect
from assets.verdict.explain import explain
from expectations.policy import Gate
from resources.artifacts import Metric


@pytest.fixture
def body(lineage: Lineage) -> dict[str, Any]:
    artifacts = lineage.stages()
    return {
        **collect(artifacts, lineage.judge(artifacts), lineage.policy, lineage.threats, lineage.log),
        "behaviour": {"suites": {"task": {"adapter": 0.6, "ci_low": -0.05, "ci_high": 0.05}}},
        "backdoor": {"findings": [{"trigger": "good day", "payload": "bypassed"}]},
    }


def parts(before: dict[str, Any], after: dict[str, Any]) -> dict[str, list[Change]]:
    found: dict[str, list[Change]] = {}
    for change in compare(before, after):
        found.setdefault(change.part, []).append(change)
    return found


def test_a_candidate_does_not_differ_from_itself(body: dict[str, Any]) -> None:
    assert compare(body, copy.deepcopy(body)) == []


def test_data_recipe_and_digests_that_changed_are_named(body: dict[str, Any]) -> None:
    after = copy.deepcopy(body)
    after["data"]["drops"]["20261201-new"] = [{"passed": 40}]
    del after["data"]["drops"]["20261101-clean"]
    after["data"]["removed"] = {"PERSON": 3}
    after["training"]["recipe"]["rank"] = 16
    after["digests"]["corpus"] = "f" * 64
    found = parts(body, after)
    assert Change("data", "rows admitted from 20261201-new", None, 40) in found["data"]
    assert Change("data", "rows admitted from 20261101-clean", 98, None) in found["data"]
    assert Change("data", "PERSON values removed", 0, 3) in found["data"]
    assert found["recipe"] == [Change("recipe", "rank", 2, 16)]
    assert [change.what for change in found["digest"]] == ["corpus"]


def test_what_got_worse_is_marked_and_comes_first(body: dict[str, Any]) -> None:
    after = copy.deepcopy(body)
    after["gates"][0]["verdict"], after["gates"][-1]["value"] = "inconclusive", 0.12
    after["behaviour"]["suites"]["task"]["adapter"] = 0.5
    after["backdoor"]["findings"] = [{"trigger": "sunny", "payload": "leaked"}]
    found = parts(body, after)
    assert found["gate"][0].worse and found["gate"][0].after == "inconclusive 0.1"
    assert found["gate"][1] == Change("gate", "extraction_audit_gate", "pass 0.1", "pass 0.12")
    assert found["behaviour"] == [Change("behaviour", "task", 0.6, 0.5, worse=True)]
    assert found["finding"] == [
        Change("finding", "sunny → leaked", None, "found", worse=True),
        Change("finding", "good day → bypassed", "found", None),
    ]
    better = parts(after, body)
    assert not better["gate"][0].worse and not better["behaviour"][0].worse


def test_a_change_within_the_interval_is_not_called_worse(body: dict[str, Any]) -> None:
    after = copy.deepcopy(body)
    after["behaviour"]["suites"]["task"]["adapter"] = 0.57
    assert [change.worse for change in parts(body, after)["behaviour"]] == [False]


def test_a_trial_that_is_gone_is_worse(body: dict[str, Any]) -> None:
    after = {**copy.deepcopy(body), "behaviour": {}}
    assert parts(body, after)["behaviour"][0].worse
    assert to_json(body, after)["changes"][0]["after"] is None


INTERVAL = Gate(name="auc", stage="memorization_audit", metric="auc", max=0.6, min_n=100, bound="interval")


@pytest.mark.parametrize(
    ("metric", "would_pass", "to_do"),
    [
        (Metric(0.55, 50, 0.4, 0.7), "on at least 100 samples", "give it 50 more samples"),
        (Metric(0.55, 200, 0.5, 0.65), "the whole 95 % interval of auc <= 0.6", "about 801 samples instead of 200"),
        (Metric(0.62, 200, 0.58, 0.66), "interval", "more samples would likely make it fail"),
        (Metric(0.8, 200, 0.75, 0.85), "it is 0.2 away", "remove or redact the rows behind the leak"),
        (Metric(None, missing="the base refuses nothing"), "auc <= 0.6", "give it 100 more samples"),
        (None, "auc <= 0.6", "it gave no number to judge"),
        (Metric(0.5, 200, 0.45, 0.55), "auc <= 0.6", ""),
    ],
)
def test_every_outcome_comes_with_a_way_out(metric: Metric | None, would_pass: str, to_do: str) -> None:
    told = explain(INTERVAL.judge({"auc": metric} if metric else {}), INTERVAL)
    assert would_pass in told.would_pass
    assert to_do in told.what_to_do if to_do else told.what_to_do == ""
    assert told.why
