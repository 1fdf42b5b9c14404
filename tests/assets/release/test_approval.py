"""An approval is one person's signed word on one candidate, and counts for nothing else."""

from datetime import UTC, datetime, timedelta

import pytest
from authenticator import Authenticator
from lineage import Lineage, policy, with_metric

from assets.release.approval import accept, draft, reject, standing
from assets.release.release import rollback
from assets.release.rules import ApprovalRules
from assets.release.verify import check_release
from resources.artifacts import Metric
from resources.clock import utc
from resources.decision_log import DecisionLog
from resources.errors import ApprovalRefused, GateRefused, InputError, IntegrityError, UsageError
from resources.signer import KeyRing, SigningKey, revoke

TOO_FEW = Metric(0.0, 5)


def test_an_approval_is_bound_to_adapter_verdict_and_policy_and_logged(lineage: Lineage) -> None:
    candidate = lineage.candidate()
    word = lineage.approve(candidate)
    verdict = candidate.verdict
    assert word.digests == {
        "adapter": verdict.digests["adapter"], "evaluation": verdict.digest, "policy": lineage.policy.digest
    }  # fmt: skip
    assert word.reviewer == "ada" and word.expires_at > word.issued_at
    assert [entry.kind for entry in lineage.log.entries()] == ["verdict", "approval"]
    assert word.log == {"entries": 1, "digest": lineage.log.entries()[0].digest}


def test_a_failed_candidate_cannot_be_approved_by_anybody(lineage: Lineage) -> None:
    candidate = lineage.candidate(with_metric("backdoor_scan", Metric(0.9, 500)))
    for overrides in ({}, {"backdoor_scan_gate": "we know better"}):
        with pytest.raises(ApprovalRefused, match="lets nobody override"):
            lineage.approve(candidate, overrides=overrides)
    assert not lineage.log.entries("approval")


def test_a_candidate_with_a_missing_trial_cannot_be_approved(lineage: Lineage) -> None:
    candidate = lineage.candidate(without=("memorization_audit",))
    with pytest.raises(ApprovalRefused, match="memorization_audit was not run"):
        lineage.approve(candidate, overrides={"memorization_audit_gate": "it was late"})


def test_an_unproven_gate_needs_its_own_override_with_a_reason(lineage: Lineage) -> None:
    candidate = lineage.candidate(with_metric("backdoor_scan", TOO_FEW) | {"extraction_audit": {"harm": TOO_FEW}})
    with pytest.raises(ApprovalRefused, match="not overridden: extraction_audit_gate"):
        lineage.approve(candidate, overrides={"backdoor_scan_gate": "tried by hand"})
    with pytest.raises(ApprovalRefused, match="needs a reason"):
        lineage.approve(candidate, overrides={"backdoor_scan_gate": "tried by hand", "extraction_audit_gate": " "})
    with pytest.raises(ApprovalRefused, match="nothing to override at golden_evaluation_gate"):
        lineage.approve(candidate, overrides={"golden_evaluation_gate": "generous"})
    reasons = {"backdoor_scan_gate": "tried by hand", "extraction_audit_gate": "internal use only"}
    assert lineage.approve(candidate, overrides=reasons).overrides == reasons


def test_a_policy_may_let_failed_gates_be_overridden_but_never_flaws(tmp_path_factory: pytest.TempPathFactory) -> None:
    lenient = Lineage(tmp_path_factory.mktemp("lenient"), policy(overridable=["inconclusive", "fail"]))
    failed = lenient.candidate(with_metric("backdoor_scan", Metric(0.9, 500)))
    assert lenient.approve(failed, overrides={"backdoor_scan_gate": "a demonstration"}).overrides
    flawed = lenient.candidate(fill=0.7, without=("backdoor_scan",))
    with pytest.raises(ApprovalRefused, match="evidence cannot be used"):
        lenient.approve(flawed, overrides={"backdoor_scan_gate": "a demonstration"})


def test_the_author_cannot_approve_the_own_candidate(lineage: Lineage) -> None:
    candidate = lineage.candidate()
    for name in ("mallory", "Mallory"):
        with pytest.raises(ApprovalRefused, match="may not approve"):
            lineage.approve(candidate, reviewer=name)


def test_a_decision_needs_a_reason_and_a_sound_name(lineage: Lineage) -> None:
    candidate = lineage.candidate()
    with pytest.raises(ApprovalRefused, match="needs a reason"):
        lineage.approve(candidate, reason="  ")
    with pytest.raises(UsageError, match="a reviewer's name"):
        lineage.approve(candidate, reviewer="../pipeline")


def test_an_approval_lasts_no_longer_than_the_policy_allows(lineage: Lineage) -> None:
    with pytest.raises(ApprovalRefused, match="1 to 14 days"):
        lineage.approve(lineage.candidate(), days=15)


def test_a_verdict_that_the_pipeline_never_signed_cannot_be_approved(lineage: Lineage) -> None:
    with pytest.raises(ApprovalRefused, match="never signed a verdict"):
        lineage.approve(lineage.candidate(say=False))


def test_nothing_is_approved_after_the_policy_changed(lineage: Lineage) -> None:
    candidate = lineage.candidate()
    lineage.policy = policy(max_days=3)
    with pytest.raises(GateRefused, match="judged by another policy"):
        lineage.approve(candidate)


def test_a_quorum_counts_different_people_and_their_roles(tmp_path_factory: pytest.TempPathFactory) -> None:
    rules = policy(
        quorum=2, roles={"ada": ["security"], "ben": ["product"], "cy": ["product"]}, required_roles=["security"]
    )
    lineage = Lineage(tmp_path_factory.mktemp("quorum"), rules)
    candidate = lineage.candidate()
    with pytest.raises(ApprovalRefused, match="no reviewer in the policy"):
        lineage.approve(candidate, reviewer="eve")
    lineage.approve(candidate, reviewer="ben")
    lineage.approve(candidate, reviewer="ben")
    with pytest.raises(ApprovalRefused, match="1 of 2 approvals"):
        lineage.release(candidate)
    lineage.approve(candidate, reviewer="cy")
    with pytest.raises(ApprovalRefused, match="nobody with the role security"):
        lineage.release(candidate)
    lineage.approve(candidate, reviewer="ada")
    assert lineage.release(candidate).is_dir()


@pytest.mark.parametrize(
    "settings",
    [
        {"quorum": 0},
        {"roles": {"ada": ["x"]}, "quorum": 2},
        {"required_roles": ["security"]},
        {"overridable": ["pass"]},
        {"quorom": 1},
    ],
)
def test_rules_that_cannot_be_met_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(InputError, match="approval-rules"):
        ApprovalRules.of(policy(**settings))


def test_a_rejection_blocks_until_the_same_person_approves(lineage: Lineage) -> None:
    candidate = lineage.candidate()
    name = candidate.verdict.candidate
    lineage.approve(candidate, reviewer="ada")
    reject(lineage.workspace, lineage.policy, lineage.threats, name, reviewer="ben", reason="leaks a name")
    with pytest.raises(ApprovalRefused, match=r"ben rejected it.*leaks a name"):
        lineage.release(candidate)
    lineage.approve(candidate, reviewer="ben", reason="fixed upstream")
    assert lineage.release(candidate).is_dir()


def test_an_expired_approval_does_not_count(lineage: Lineage) -> None:
    candidate = lineage.candidate()
    lineage.approve(candidate, days=1)
    with pytest.raises(ApprovalRefused, match="expired"):
        lineage.release(candidate, now=datetime.now(UTC) + timedelta(days=2))


def test_a_clock_set_back_does_not_bring_it_to_life(lineage: Lineage) -> None:
    candidate = lineage.candidate()
    lineage.approve(candidate, days=1)
    with pytest.raises(IntegrityError, match="the clock says"):
        lineage.release(candidate, now=datetime.now(UTC) - timedelta(days=1))


def test_an_approval_for_another_candidate_does_not_count(lineage: Lineage) -> None:
    first, second = lineage.candidate(fill=0.5), lineage.candidate(fill=0.7)
    word = lineage.approve(first)
    # Replayed under the other candidate's name: the envelope is sound, what it is bound to is not.
    lineage.log.append(
        "approval", {"candidate": second.verdict.candidate, "reviewer": "ada", "envelope": word.envelope}
    )
    with pytest.raises(ApprovalRefused, match="it is for another adapter and evaluation"):
        lineage.release(second)


def test_a_forged_or_foreign_signature_does_not_count(
    lineage: Lineage, tmp_path_factory: pytest.TempPathFactory
) -> None:
    candidate = lineage.candidate()
    word = lineage.approve(candidate)
    stranger = Lineage(tmp_path_factory.mktemp("stranger"))
    forged = stranger.approve(stranger.candidate())
    assert forged.digests == word.digests  # the same adapter and verdict, another installation's key
    fresh = DecisionLog(lineage.workspace.root / "fresh.jsonl")
    fresh.append("approval", {"candidate": candidate.verdict.candidate, "reviewer": "ada", "envelope": forged.envelope})
    by_pipeline = SigningKey.pipeline(lineage.workspace.keys).sign({"_type": "https://in-toto.io/Statement/v1"})
    fresh.append("approval", {"candidate": candidate.verdict.candidate, "reviewer": "bot", "envelope": by_pipeline})
    ring = KeyRing.open(lineage.workspace.keys)
    stands = standing(fresh, ring, candidate.verdict, ApprovalRules.of(lineage.policy), utc())
    assert not stands.counted
    assert [why for _, why in stands.refused if "no trusted reviewer key" in why] == [why for _, why in stands.refused]
    assert len(stands.refused) == 2


def test_a_revoked_key_neither_signs_nor_counts(lineage: Lineage) -> None:
    candidate = lineage.candidate()
    word = lineage.approve(candidate)
    revoke(lineage.workspace.keys, word.keyid, word.issued_at, "laptop stolen")
    with pytest.raises(ApprovalRefused, match=r"was revoked.*laptop stolen"):
        lineage.release(candidate)
    with pytest.raises(ApprovalRefused, match="was revoked"):
        lineage.approve(candidate)


def test_a_passkey_approves_a_candidate_and_no_other(lineage: Lineage) -> None:
    phone = Authenticator()
    phone.passkey("ada").write(lineage.workspace.keys)
    one, two = lineage.candidate(), lineage.candidate(fill=0.7)
    ground = (lineage.workspace, lineage.policy, lineage.threats)
    said = {"reviewer": "ada", "reason": "read the dossier"}
    signed = phone.sign(draft(*ground, one.verdict.candidate, "approve", **said))
    with pytest.raises(ApprovalRefused, match="not on"):
        accept(*ground, two.verdict.candidate, signed)
    assert not lineage.log.entries("approval")
    word = accept(*ground, one.verdict.candidate, signed)
    assert word.reviewer == "ada" and word.keyid == phone.passkey("ada").keyid
    folder, ring = lineage.release(one), KeyRing.open(lineage.workspace.keys)
    assert check_release(folder, ring, lineage.log) == []  # offline, with the public half only
    revoke(lineage.workspace.keys, word.keyid, "2020-01-01T00:00:00Z", "stolen")
    assert "was revoked" in check_release(folder, KeyRing.open(lineage.workspace.keys))[0]


def test_a_word_that_was_drafted_before_things_changed_is_not_taken(lineage: Lineage) -> None:
    candidate = lineage.candidate()
    ground = (lineage.workspace, lineage.policy, lineage.threats)
    body = draft(*ground, candidate.verdict.candidate, "approve", reviewer="ada", reason="fine")
    signed = SigningKey.reviewer(lineage.workspace.keys, "ada").sign(body)
    with pytest.raises(ApprovalRefused, match="expired"):
        accept(*ground, candidate.verdict.candidate, signed, now=datetime.now(UTC) + timedelta(days=15))
    body["predicate"]["reviewer"] = "mallory"  # the author
    with pytest.raises(ApprovalRefused, match="may not approve"):
        accept(*ground, candidate.verdict.candidate, SigningKey.reviewer(lineage.workspace.keys, "mallory").sign(body))
    assert not lineage.log.entries("approval")


def test_a_spent_approval_copied_to_the_end_of_the_log_stays_spent(lineage: Lineage) -> None:
    candidate = lineage.candidate()
    word = lineage.approve(candidate)
    lineage.release(candidate)
    rollback(lineage.workspace, "it babbles")
    lineage.log.append("approval", {"candidate": word.candidate, "reviewer": "ada", "envelope": word.envelope})
    with pytest.raises(ApprovalRefused, match="0 of 1 approvals"):
        lineage.release(candidate)
