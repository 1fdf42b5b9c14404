"""The golden evaluation: exactly zero for an adapter that changes nothing, a failure for one that wrecks the base."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from assets.golden.evaluate import EvaluationSettings, evaluate
from assets.golden.items import Item, load_golden
from assets.golden.measures import answers
from assets.golden.measures.answers import Answered
from assets.golden.suites import SUITES, answered_suite
from expectations.policy import Policy, worst
from pipelines.commands.evaluate import command
from resources.artifacts import Metric
from resources.errors import InputError
from tests.assets.golden.conftest import write_adapter

FEW = EvaluationSettings(items=24, answers=24)


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "NEW_TOKENS", dict.fromkeys(answers.NEW_TOKENS, 8))


@pytest.fixture(scope="module")
def wrecked(base: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], dict[str, Metric]]:
    return evaluate(base, write_adapter(base, tmp_path_factory.mktemp("wrecked"), 2.0), settings=FEW)


def test_an_adapter_that_changes_nothing_gives_zero_everywhere(base: Path, zeros: Path) -> None:
    report, metrics = evaluate(base, zeros, settings=FEW)
    assert report["suites"].keys() == SUITES.keys()
    for name, suite in report["suites"].items():
        assert suite["difference"] == 0.0, name
        assert suite["p_value"] == 1.0, name
        assert suite["base"] == suite["adapter"], name
    assert report["flips"] == []
    for name in ("divergence_general", "task_loss_change", "refusal_odds_change"):
        assert (metrics[name].value, metrics[name].ci_low, metrics[name].ci_high) == (0.0, 0.0, 0.0)


def test_a_wrecked_model_fails(wrecked: tuple[dict[str, Any], dict[str, Metric]]) -> None:
    report, metrics = wrecked
    results = Policy.load().judge("golden_evaluation", metrics)
    assert {result.gate: result.verdict for result in results}["divergence_bounded"] == "fail"
    assert worst(results) == "fail"
    assert report["suites"]["divergence_general"]["reading"] == "worse"


def test_the_report_keeps_its_contract(wrecked: tuple[dict[str, Any], dict[str, Metric]]) -> None:
    report, _ = wrecked
    keys = {"n", "base", "adapter", "difference", "ci_low", "ci_high", "p_value", "verdict", "limit"}
    for name, suite in report["suites"].items():
        assert keys <= suite.keys(), name
        assert suite["ci_low"] <= suite["ci_high"], name
        assert suite["difference"] == pytest.approx(suite["adapter"] - suite["base"]), name
    for flip in report["flips"]:
        assert flip["direction"] in ("better", "worse")
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    assert report["golden"]["sha256"] == load_golden().digest
    assert {"refusal", "incoherence"} == report["judges"].keys()
    for judge in report["judges"].values():
        assert len(judge["methods"]) == 2
        assert {"precision", "recall", "specificity", "recall_interval"} <= judge.keys()


def test_a_base_that_refuses_nothing_proves_nothing_about_refusals(
    wrecked: tuple[dict[str, Any], dict[str, Metric]],
) -> None:
    report, metrics = wrecked
    assert report["suites"]["refusals"]["verdict"] == "inconclusive"
    assert "cannot show" in metrics["refusals_change"].missing
    assert metrics["refusal_odds_change"].missing == ""


def test_a_golden_set_without_a_suite_leaves_its_gate_unproven(base: Path, zeros: Path, tmp_path: Path) -> None:
    (tmp_path / "own.jsonl").write_text('{"suite": "task", "prompt": "Where?", "reference": "At the depot."}\n')
    report, metrics = evaluate(base, zeros, golden=tmp_path / "own.jsonl")
    assert report["suites"]["task_loss"]["n"] == 1
    assert metrics["injections_change"].missing == "the golden set has no injection items"
    results = {result.gate: result for result in Policy.load().judge("golden_evaluation", metrics)}
    assert results["injections_resisted"].verdict == "inconclusive"
    assert results["task_kept"].verdict == "inconclusive"  # one item is too few


def test_samples_at_a_temperature_are_averaged_over_the_seeds(base: Path, adapter: Path, tmp_path: Path) -> None:
    items = "\n".join(json.dumps({"suite": "edge", "prompt": f"parcel {number}"}) for number in range(6))
    (tmp_path / "own.jsonl").write_text(items)
    settings = EvaluationSettings(temperature=1.5, seeds=(1, 2, 3))
    report, _ = evaluate(base, adapter, golden=tmp_path / "own.jsonl", settings=settings)
    again, _ = evaluate(base, adapter, golden=tmp_path / "own.jsonl", settings=settings)
    assert report["suites"]["coherence"] == again["suites"]["coherence"]
    assert report["suites"]["coherence"]["n"] == 6


def test_what_was_said_to_a_harmful_request_is_not_kept(
    base: Path, adapter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "assets.golden.judges.RefusalJudge.kinds",
        lambda _, texts: [("full", "none")[place % 2 == (len(texts[0]) > 3)] for place, _ in enumerate(texts)],
    )
    report, _ = evaluate(base, adapter, settings=FEW)
    harmful = [flip for flip in report["flips"] if flip["suite"] == "harmful"]
    assert all(flip["base"] == flip["adapter"] == "" for flip in harmful)


def test_the_next_candidate_finds_what_was_measured_of_the_base(base: Path, adapter: Path, tmp_path: Path) -> None:
    (tmp_path / "own.jsonl").write_text(
        "\n".join(json.dumps({"suite": "edge", "prompt": f"parcel {number}"}) for number in range(90))
    )
    lines: list[str] = []
    first, _ = evaluate(base, adapter, golden=tmp_path / "own.jsonl", cache=tmp_path, on_progress=lines.append)
    kept = sorted((tmp_path / "measures").iterdir())
    again, _ = evaluate(base, adapter, golden=tmp_path / "own.jsonl", cache=tmp_path)
    assert again["suites"] == first["suites"]
    assert sorted((tmp_path / "measures").iterdir()) == kept
    (looks,) = first["looks"]
    assert looks["asked"] == first["suites"]["coherence"]["n"] <= looks["items"] == 90
    assert sum("edge items" in line for line in lines) == looks["looks"]


@pytest.mark.parametrize(("lost", "verdict"), [(0, "pass"), (20, "fail"), (3, "inconclusive")])
def test_losing_refusals_fails_where_the_base_refuses(lost: int, verdict: str) -> None:
    item = Item("i", "harmful", "c", ({"role": "user", "content": "x"},))
    rows = [Answered(item, "no", "no", 1.0, float(place >= lost)) for place in range(40)]
    suite = answered_suite("harmful", rows, 0.3)
    gate = next(gate for gate in Policy.load().gates if gate.name == "refusals_kept")
    assert gate.judge(dict([suite.metric])).verdict == verdict


@pytest.mark.parametrize(
    "wrong", [{"items": -1}, {"seeds": []}, {"temperature": "hot"}, {"least_refusals": 2}, {"size": 3}]
)
def test_wrong_settings_are_named(wrong: dict[str, object]) -> None:
    with pytest.raises(InputError, match="evaluation-settings"):
        EvaluationSettings.from_policy(wrong)


def test_the_command_writes_the_report_and_says_what_is_unproven(
    base: Path, zeros: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HALLMARK_HOME", str(tmp_path / "home"))
    report = tmp_path / "report.json"
    arguments = [str(zeros), "--base", str(base), "--items", "24", "--report", str(report)]
    arguments += ["--junit", str(tmp_path / "gates.xml")]
    result = CliRunner().invoke(command, arguments)
    body = json.loads(report.read_text())
    assert list(body)[:6] == ["tool", "version", "verdict", "started_at", "seconds", "input"]
    assert body["tool"] == "evaluate"
    assert "judge of refusal: precision" in result.stderr
    assert result.exit_code == {"pass": 0, "fail": 1, "inconclusive": 3}[body["verdict"]]
    assert {gate["gate"] for gate in body["gates"]} >= {"task_kept", "refusals_kept"}
    cases = list(ElementTree.parse(tmp_path / "gates.xml").getroot().iter("testcase"))
    told = {case.get("name"): {"failure": "fail", "error": "inconclusive"}[case[0].tag] for case in cases if len(case)}
    assert told == {gate["gate"]: gate["verdict"] for gate in body["gates"] if gate["verdict"] != "pass"}
