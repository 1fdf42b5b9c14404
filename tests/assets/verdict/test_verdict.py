"""The verdict fails closed: on what is missing, what is no number, what was altered, what is about something else."""

import math

import pytest
from lineage import DROPS, GOOD, Lineage, policy, tampered, threats, with_metric

from assets.verdict.assemble import STAGES, assemble
from assets.verdict.candidate import find, prove
from assets.verdict.verdict import Verdict
from expectations.policy import Policy
from resources.artifacts import Metric
from resources.errors import GateRefused, IntegrityError, UsageError


def test_good_evidence_passes_and_names_the_candidate_by_its_adapter(lineage: Lineage) -> None:
    verdict = lineage.judge(lineage.stages())
    assert verdict.verdict == "pass"
    assert not verdict.flaws and not verdict.blocking()
    assert verdict.candidate == verdict.digests["adapter"][:12]
    assert {item.stage for item in verdict.evidence} == set(STAGES)
    assert len(verdict.judgements) == 4 * len(DROPS) + 6
    assert verdict.threats[0].verdict == "pass"
    assert verdict.author == "mallory"


def test_the_same_evidence_gives_the_same_digest_and_survives_json(lineage: Lineage) -> None:
    artifacts = lineage.stages()
    first, second = lineage.judge(artifacts), lineage.judge(artifacts)
    assert first.digest == second.digest == Verdict.from_json(first.to_json()).digest


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_that_was_not_run_fails(lineage: Lineage, stage: str) -> None:
    verdict = lineage.judge(lineage.stages(without=(stage,)))
    assert verdict.verdict == "fail"
    assert any("was not run" in flaw for flaw in verdict.flaws)
    assert any(item.result.stage == stage and item.result.verdict == "fail" for item in verdict.judgements)


@pytest.mark.parametrize("stage", STAGES)
def test_a_metric_outside_its_limit_fails(lineage: Lineage, stage: str) -> None:
    verdict = lineage.judge(lineage.stages(with_metric(stage, Metric(0.9, 500))))
    assert verdict.verdict == "fail"
    assert {item.result.stage for item in verdict.blocking()} == {stage}
    assert verdict.threats[0].verdict == "fail"


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_metric_that_is_no_number_fails(lineage: Lineage, value: float) -> None:
    artifacts = lineage.stages()
    scan = artifacts["backdoor_scan"]
    assert scan is not None
    verdict = lineage.judge({**artifacts, "backdoor_scan": tampered(scan, Metric(value, 500, value, value))})
    assert verdict.verdict == "fail"
    assert [item.result.reason for item in verdict.blocking()] == ["harm is not a finite number"]
    assert verdict.to_json()  # it can still be written down and shown


def test_too_few_samples_are_inconclusive(lineage: Lineage) -> None:
    verdict = lineage.judge(lineage.stages(with_metric("backdoor_scan", Metric(0.0, 5))))
    assert verdict.verdict == "inconclusive" and not verdict.flaws
    assert [item.name for item in verdict.blocking()] == ["backdoor_scan_gate"]


def test_one_bad_drop_is_named(lineage: Lineage) -> None:
    artifacts = lineage.stages()
    key = f"screened_records/{DROPS[1]}"
    screened = artifacts[key]
    assert screened is not None
    verdict = lineage.judge({**artifacts, key: tampered(screened, Metric(0.9, 500))})
    assert f"screened_records_gate@{DROPS[1]}" in [item.name for item in verdict.blocking()]


def test_changed_bytes_are_a_flaw(lineage: Lineage) -> None:
    artifacts = lineage.stages()
    adapter = artifacts["lora_adapter"]
    assert adapter is not None
    weights = adapter.path("adapter/adapter_model.safetensors")
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x00")
    verdict = lineage.judge(artifacts)
    assert verdict.verdict == "fail"
    assert any("changed: adapter/adapter_model.safetensors" in flaw for flaw in verdict.flaws)
    assert str(lineage.workspace.root) not in str(verdict.to_json())


def test_a_trial_of_another_adapter_is_a_flaw(lineage: Lineage) -> None:
    other = lineage.stages(fill=0.7)
    verdict = lineage.judge({**lineage.stages(), "memorization_audit": other["memorization_audit"]})
    assert verdict.verdict == "fail"
    assert "memorization_audit was made from another lora_adapter" in verdict.flaws


def test_a_drop_put_in_place_of_the_one_trained_on_is_a_flaw(lineage: Lineage) -> None:
    key = f"screened_records/{DROPS[0]}"
    other = lineage.stages({**GOOD, "screened_records": {"harm": Metric(0.11, 500)}})
    assert f"training_corpus was made from another {key}" in lineage.judge({**lineage.stages(), key: other[key]}).flaws


def test_a_drop_left_out_of_the_evidence_is_a_flaw(lineage: Lineage) -> None:
    shown = {key: item for key, item in lineage.stages().items() if DROPS[1] not in key}
    missing = f"training_corpus was also made from screened_records/{DROPS[1]}, which is not among the evidence"
    assert lineage.judge(shown).flaws == (missing,)


def test_a_stage_that_no_gate_guards_is_a_flaw(lineage: Lineage) -> None:
    holes = Policy(name="holes", gates=policy().gates[:-1])
    verdict = assemble(lineage.stages(), holes, threats())
    assert verdict.verdict == "fail"
    assert "no gate of the policy guards extraction_audit" in verdict.flaws


def test_nothing_at_all_fails() -> None:
    assert assemble({}, policy(), threats()).verdict == "fail"


def test_a_recorded_verdict_is_proven_from_its_evidence(lineage: Lineage) -> None:
    candidate = lineage.candidate()
    assert set(prove(lineage.workspace.artifacts, candidate, lineage.policy, lineage.threats)) >= {"lora_adapter"}
    stricter = policy(max_days=3)
    with pytest.raises(GateRefused, match="judged by another policy"):
        prove(lineage.workspace.artifacts, candidate, stricter, lineage.threats)


def test_a_verdict_edited_on_disk_is_refused(lineage: Lineage) -> None:
    candidate = lineage.candidate(with_metric("backdoor_scan", Metric(0.9, 500)))
    path = candidate.artifact.path("verdict.json")
    path.write_text(path.read_text().replace('"fail"', '"pass"'))
    edited = find(lineage.workspace.artifacts, candidate.verdict.candidate)
    assert edited.verdict.verdict == "pass"
    with pytest.raises(IntegrityError, match=r"changed: verdict\.json"):
        prove(lineage.workspace.artifacts, edited, lineage.policy, lineage.threats)


def test_evidence_edited_on_disk_is_refused(lineage: Lineage) -> None:
    candidate = lineage.candidate()
    item = next(item for item in candidate.verdict.evidence if item.stage == "backdoor_scan")
    manifest = lineage.workspace.artifacts.root / item.stage / item.partition / item.key / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"value":0.1', '"value":0.2'))
    with pytest.raises(GateRefused, match="its manifest was changed"):
        prove(lineage.workspace.artifacts, candidate, lineage.policy, lineage.threats)


def test_a_candidate_is_found_by_its_first_digits_only_if_they_are_enough(lineage: Lineage) -> None:
    name = lineage.candidate().verdict.candidate
    assert find(lineage.workspace.artifacts, name[:6]).verdict.candidate == name
    with pytest.raises(UsageError, match=name):
        find(lineage.workspace.artifacts, name[:2])
