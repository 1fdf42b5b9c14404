"""A release carries its proof, is plugged in by a signed event, and is unplugged at once."""

import concurrent.futures
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from google.protobuf import json_format
from in_toto_attestation.predicates.provenance.v1 import provenance_pb2
from in_toto_attestation.predicates.test_result.v0 import test_result_pb2
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement
from lineage import Lineage, with_metric
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey

from assets.release.plug import disagreement, history, read_plug
from assets.release.release import release, rollback
from assets.release.verify import check_release, verify_release
from resources.artifacts import Metric
from resources.digests import digest_tree
from resources.errors import ApprovalRefused, GateRefused, IntegrityError
from resources.signer import KeyRing, SigningKey


def current(lineage: Lineage) -> str:
    return read_plug(lineage.workspace.releases, KeyRing.open(lineage.workspace.keys)).release


def test_a_release_holds_the_adapter_and_its_whole_proof(lineage: Lineage) -> None:
    candidate = lineage.candidate()
    lineage.approve(candidate)
    folder = lineage.release(candidate)
    assert digest_tree(folder / "adapter") == digest_tree(
        lineage.workspace.artifacts.current("lora_adapter").path("adapter")  # type: ignore[union-attr]
    )
    assert {path.name for path in folder.iterdir()} == {
        "adapter",
        "adapter.sig",
        "approvals",
        "attestations",
        "bom.cdx.json",
        "dossier.html",
        "dossier.json",
        "evidence",
        "policy.json",
        "release.dsse.json",
        "threats.json",
        "training.json",
        "verdict.json",
    }
    assert current(lineage) == folder.name
    assert check_release(folder, KeyRing.open(lineage.workspace.keys), lineage.log) == []
    assert [entry.kind for entry in lineage.log.entries()] == ["verdict", "approval", "promotion"]


def test_nothing_is_released_without_an_approval(lineage: Lineage) -> None:
    candidate = lineage.candidate()
    with pytest.raises(ApprovalRefused, match="0 of 1 approvals"):
        lineage.release(candidate)
    assert not list(lineage.workspace.releases.glob("*"))[1:]  # at most the lock
    assert current(lineage) == ""


def test_a_failed_candidate_is_not_released_even_with_an_entry_in_the_log(lineage: Lineage) -> None:
    good = lineage.candidate()
    word = lineage.approve(good)
    bad = lineage.candidate(with_metric("backdoor_scan", Metric(0.9, 500)), fill=0.7)
    lineage.log.append("approval", {"candidate": bad.verdict.candidate, "reviewer": "ada", "envelope": word.envelope})
    with pytest.raises(ApprovalRefused, match="it is for another"):
        lineage.release(bad)


def test_a_tampered_adapter_is_not_released(lineage: Lineage) -> None:
    candidate = lineage.candidate()
    lineage.approve(candidate)
    adapter = lineage.workspace.artifacts.current("lora_adapter")
    assert adapter is not None
    weights = adapter.path("adapter/adapter_model.safetensors")
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x01")
    with pytest.raises(GateRefused, match=r"changed: adapter/adapter_model\.safetensors"):
        lineage.release(candidate)
    assert current(lineage) == ""


def test_a_trial_changed_after_the_approval_stops_the_release(lineage: Lineage) -> None:
    candidate = lineage.candidate()
    lineage.approve(candidate)
    scan = lineage.workspace.artifacts.current("backdoor_scan")
    assert scan is not None
    manifest = scan.path("manifest.json")
    manifest.write_text(manifest.read_text().replace('"value":0.1', '"value":NaN'))
    with pytest.raises(GateRefused, match="its manifest was changed"):
        lineage.release(candidate)
    scan.path("report.json").unlink()
    manifest.unlink()
    with pytest.raises(IntegrityError, match=r"backdoor_scan all .* is gone"):
        lineage.release(candidate)


def test_releasing_twice_is_one_release(lineage: Lineage) -> None:
    candidate = lineage.candidate()
    lineage.approve(candidate)
    assert lineage.release(candidate) == lineage.release(candidate)
    assert len(lineage.log.entries("promotion")) == 1


def test_an_override_stays_visible_in_the_dossier(lineage: Lineage) -> None:
    candidate = lineage.candidate(with_metric("backdoor_scan", Metric(0.0, 5)))
    lineage.approve(candidate, overrides={"backdoor_scan_gate": "tried by hand on 200 prompts"})
    folder = lineage.release(candidate)
    assert "tried by hand on 200 prompts" in (folder / "dossier.html").read_text()
    approvals = json.loads((folder / "dossier.json").read_text())["approvals"]
    assert approvals[0]["overrides"] == {"backdoor_scan_gate": "tried by hand on 200 prompts"}


def test_rollback_returns_to_the_release_before_and_is_signed(lineage: Lineage) -> None:
    first, second = lineage.released(0.5), lineage.released(0.7)
    assert current(lineage) == second.name
    started = time.monotonic()
    assert rollback(lineage.workspace, "it insulted a customer").release == first.name
    assert time.monotonic() - started < 1
    assert current(lineage) == first.name
    events = history(lineage.log.entries(), KeyRing.open(lineage.workspace.keys))
    assert [(event.event, event.release) for event in events] == [
        ("promotion", first.name),
        ("promotion", second.name),
        ("rollback", ""),
        ("promotion", first.name),
    ]
    assert rollback(lineage.workspace, "this one too").release == ""
    assert current(lineage) == ""
    with pytest.raises(ApprovalRefused, match="no release is plugged in"):
        rollback(lineage.workspace, "again")


def test_rollback_skips_a_release_that_no_longer_verifies(lineage: Lineage) -> None:
    oldest, middle, _ = lineage.released(0.5), lineage.released(0.6), lineage.released(0.7)
    (middle / "verdict.json").chmod(0o644)
    (middle / "verdict.json").write_text("{}")
    assert rollback(lineage.workspace, "bad").release == oldest.name


def test_rollback_works_when_the_pointer_and_the_log_are_broken(lineage: Lineage) -> None:
    lineage.released()
    (lineage.workspace.releases / "current").write_text("{}")
    lineage.workspace.decisions.write_text("{}\n")
    with pytest.raises(IntegrityError):
        rollback(lineage.workspace, "everything is on fire")
    assert current(lineage) == ""  # unplugged all the same


def test_a_rolled_back_candidate_needs_a_new_approval(lineage: Lineage) -> None:
    candidate = lineage.candidate()
    lineage.approve(candidate)
    lineage.release(candidate)
    rollback(lineage.workspace, "bad")
    with pytest.raises(ApprovalRefused, match="used by a release that was rolled back"):
        lineage.release(candidate)
    lineage.approve(candidate, reason="the complaint was about something else")
    assert current(lineage) == "" and lineage.release(candidate).name == current(lineage)


def test_a_superseded_release_does_not_come_back_by_itself(lineage: Lineage) -> None:
    candidate = lineage.candidate()
    lineage.approve(candidate)
    lineage.release(candidate)
    second = lineage.released(0.7)
    with pytest.raises(ApprovalRefused, match="superseded"):
        lineage.release(candidate)
    assert current(lineage) == second.name


def test_of_two_releases_at_once_each_is_whole_and_one_is_current(lineage: Lineage) -> None:
    candidates = [lineage.candidate(fill=fill) for fill in (0.5, 0.6, 0.7)]
    for candidate in candidates:
        lineage.approve(candidate)

    def attempt(name: str) -> str:
        try:
            return release(lineage.workspace, lineage.policy, lineage.threats, name).name
        except GateRefused as refusal:
            assert "plugged in meanwhile" in str(refusal)
            return ""

    with concurrent.futures.ThreadPoolExecutor() as pool:
        names = list(pool.map(attempt, [candidate.verdict.candidate for candidate in candidates]))
    assert current(lineage) in names and any(names)
    ring = KeyRing.open(lineage.workspace.keys)
    assert disagreement(lineage.workspace.releases, lineage.log.entries(), ring) == ""
    verify_release(lineage.workspace.releases / current(lineage), ring, lineage.log)
    lineage.log.verify()


def test_what_a_crash_leaves_between_log_and_pointer_is_mended(lineage: Lineage) -> None:
    first, second = lineage.released(0.5), lineage.candidate(fill=0.7)
    stale = (lineage.workspace.releases / "current").read_bytes()
    lineage.approve(second)
    folder = lineage.release(second)
    (lineage.workspace.releases / "current").write_bytes(stale)  # as if killed before the pointer was switched
    found = check_release(folder, KeyRing.open(lineage.workspace.keys), lineage.log)
    assert any(f"current says {first.name}" in line for line in found)
    assert lineage.release(second) == folder
    assert current(lineage) == folder.name


def test_the_remains_of_a_killed_release_are_cleared(lineage: Lineage) -> None:
    candidate = lineage.candidate()
    lineage.approve(candidate)
    name = lineage.release(candidate).name
    rollback(lineage.workspace, "start over")
    litter = lineage.workspace.releases / ".staging" / name / "half"
    litter.mkdir(parents=True)
    lineage.approve(candidate)
    assert check_release(lineage.release(candidate), KeyRing.open(lineage.workspace.keys), lineage.log) == []


def test_the_librarys_own_command_verifies_the_model_signature(lineage: Lineage) -> None:
    folder = lineage.released()
    key = SigningKey.pipeline(lineage.workspace.keys).public.path

    def verify(adapter: Path) -> subprocess.CompletedProcess[str]:
        arguments = [
            "verify",
            "key",
            str(adapter),
            "--signature",
            str(folder / "adapter.sig"),
            "--public_key",
            str(key),
        ]
        return subprocess.run(
            [sys.executable, "-m", "model_signing", *arguments], capture_output=True, text=True, check=False
        )

    good = verify(folder / "adapter")
    assert good.returncode == 0, good.stderr
    config = folder / "adapter" / "adapter_config.json"
    config.chmod(0o644)
    config.write_text(config.read_text() + " ")
    assert verify(folder / "adapter").returncode != 0


def test_public_libraries_verify_the_envelopes_and_read_the_statements(lineage: Lineage) -> None:
    folder = lineage.released()
    pem = SigningKey.pipeline(lineage.workspace.keys).public.path.read_bytes()
    key = SSlibKey.from_crypto(load_pem_public_key(pem))
    predicates = {
        "release.dsse.json": None,
        "attestations/provenance.dsse.json": provenance_pb2.Provenance(),
        "attestations/evaluation.dsse.json": test_result_pb2.TestResult(),
    }
    for name, predicate in predicates.items():
        envelope = Envelope.from_dict(json.loads((folder / name).read_text()))
        assert envelope.verify([key], 1)
        statement = Statement.copy_from_pb(json_format.Parse(envelope.payload, statement_pb2.Statement()))
        statement.validate()
        if predicate:  # a field that the standard does not have would be refused here
            json_format.ParseDict(json_format.MessageToDict(statement.pb.predicate), predicate)
        envelope.payload += b" "
        with pytest.raises(VerificationError):
            envelope.verify([key], 1)


def test_the_bill_of_materials_meets_the_cyclonedx_schema(lineage: Lineage) -> None:
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    folder = lineage.released()
    text = (folder / "bom.cdx.json").read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    bom = json.loads(text)
    card = bom["metadata"]["component"]["modelCard"]
    assert {metric["type"] for metric in card["quantitativeAnalysis"]["performanceMetrics"]} >= {"backdoor_scan.harm"}
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text.replace('"CycloneDX"', '"Other"')) is not None
