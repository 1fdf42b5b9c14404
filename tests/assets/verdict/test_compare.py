"""A comparison names what changed, and what got worse."""

import copy
import dataclasses
import re
from typing import Any

import pytest
from lineage import Lineage

from assets.adapter.recipe import Recipe
from assets.verdict.compare import Change, compare, to_json
from assets.verdict.dossier import collect
from assets.verdict.explain import OF_METRIC, explain
from expectations.policy import Gate, Policy
from resources.artifacts import Metric


@pytest.fixture
def body(lineage: Lineage) -> dict[str, Any]:
    artifacts = lineage.stages()
    return {
        **collect(artifacts, lineage.judge(artifacts), lineage.policy, lineage.threats, lineage.log),
        "behaviour": {"suites": {"task": {"adapter": 0.6, "ci_low": -0.05, "ci_high": 0.05, "limit": ">= -0.1"}}},
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


@pytest.mark.parametrize(
    ("suite", "score", "worse"),
    [
        ({"limit": "<= 0.15"}, 0.8, True),  # obeyed injections: fewer are better
        ({"limit": "<= 0.15"}, 0.4, False),
        ({"limit": "", "reading": "better", "difference": -0.9}, 0.8, True),
        ({"limit": "", "reading": "worse", "difference": -0.9}, 0.4, True),
        ({"limit": "", "reading": "changed", "difference": 0.7}, 0.1, False),  # nobody said which way is better
    ],
)
def test_worse_is_the_way_the_suite_says(
    body: dict[str, Any], suite: dict[str, Any], score: float, worse: bool
) -> None:
    body["behaviour"]["suites"]["task"] |= suite
    after = copy.deepcopy(body)
    after["behaviour"]["suites"]["task"]["adapter"] = score
    assert [change.worse for change in parts(body, after)["behaviour"]] == [worse]


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
        (
            Metric(None, missing="the base refuses nothing"),
            "auc <= 0.6",
            "what it lacked (see why), and 100 more samples",
        ),
        (Metric(0.5, 200, 0.3, 0.7, missing="words alone tell"), "auc <= 0.6", "what it lacked (see why)"),
        (None, "auc <= 0.6", "it gave no number to judge"),
        (Metric(0.5, 200, 0.45, 0.55), "auc <= 0.6", ""),
    ],
)
def test_every_outcome_comes_with_a_way_out(metric: Metric | None, would_pass: str, to_do: str) -> None:
    told = explain(INTERVAL.judge({"auc": metric} if metric else {}), INTERVAL)
    assert would_pass in told.would_pass
    assert to_do in told.what_to_do if to_do else told.what_to_do == ""
    assert told.why


def test_the_advice_is_about_the_measure_where_there_is_one() -> None:
    gate = Gate(name="near", stage="golden_evaluation", metric="divergence_general", max=0.3)
    assert "`anchor: 0.1`" in explain(gate.judge({"divergence_general": Metric(0.5, 30)}), gate).what_to_do


def test_the_advice_names_settings_and_measures_that_exist() -> None:
    policy = Policy.load()
    assert set(OF_METRIC) <= {gate.metric for gate in policy.gates}
    told = " ".join(OF_METRIC.values())
    named = {words.split(":")[0] for words in re.findall(r"`([a-z_]+(?:: [\w.]+)?)`", told)}
    known = {field.name for field in dataclasses.fields(Recipe)} | {"budgets", "allow"}
    assert named <= known, named - known
