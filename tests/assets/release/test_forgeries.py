"""A release forged by someone who holds keys, replays approvals or rewrites the log is refused; the loader too."""

import base64
import json
import shutil
from pathlib import Path

import pytest
from lineage import Lineage

from assets.release.loader import plugged_in, verified_adapter
from assets.release.plug import read_plug
from assets.release.release import rollback
from assets.release.signed import MANIFEST, read_signed
from assets.release.verify import check_release, verify_release
from resources.clock import utc
from resources.digests import canonical_json, digest_tree
from resources.errors import HallmarkError, IntegrityError
from resources.signer import KeyRing, SigningKey, read_envelope, revoke, statement, subjects, write_envelope


def resign(folder: Path, key: SigningKey, **changes: object) -> None:
    """Sign what lies in the folder now, as whoever holds ``key`` could."""
    body = json.loads(base64.b64decode(read_envelope(folder / MANIFEST)["payload"]))
    (folder / MANIFEST).unlink()
    said = {**body["predicate"], **changes}
    write_envelope(folder / MANIFEST, key.sign(statement(body["predicateType"], digest_tree(folder), said)))


def test_a_release_signed_anew_with_a_strangers_key_is_refused(folder: Path, ring: KeyRing, tmp_path: Path) -> None:
    resign(folder, SigningKey.pipeline(tmp_path / "strange"))
    assert "no trusted pipeline key" in check_release(folder, ring)[0]


def test_a_reviewers_key_cannot_sign_a_release(home: Lineage, folder: Path, ring: KeyRing) -> None:
    resign(folder, SigningKey.reviewer(home.workspace.keys, "ada"))
    assert "no trusted pipeline key" in check_release(folder, ring)[0]


def test_whoever_holds_only_the_pipelines_key_still_lacks_the_reviewer(
    home: Lineage, folder: Path, ring: KeyRing
) -> None:
    shutil.rmtree(folder / "approvals")
    resign(folder, SigningKey.pipeline(home.workspace.keys))
    assert "not approved: 0 of 1 approvals" in check_release(folder, ring)


def test_other_weights_under_the_pipelines_signature_are_not_what_was_approved(
    home: Lineage, folder: Path, ring: KeyRing
) -> None:
    other = home.candidate(fill=0.7)
    made = home.workspace.artifacts.current("lora_adapter")
    assert made is not None and other.verdict.candidate
    shutil.copy(made.path("adapter/adapter_model.safetensors"), folder / "adapter")
    resign(folder, SigningKey.pipeline(home.workspace.keys))
    found = check_release(folder, ring)
    assert any("the verdict is about adapter" in line for line in found)
    assert any("model signature" in line for line in found)


def test_a_verdict_that_says_more_than_its_evidence_is_refused(home: Lineage, folder: Path, ring: KeyRing) -> None:
    body = json.loads((folder / "verdict.json").read_text())
    body["judgements"][-1]["result"]["value"] = 0.01
    (folder / "verdict.json").write_bytes(canonical_json(body) + b"\n")
    resign(folder, SigningKey.pipeline(home.workspace.keys))
    found = check_release(folder, ring)
    assert any("judged again from the evidence" in line for line in found)
    assert any("it is for another evaluation" in line for line in found)


def test_a_looser_policy_slipped_in_is_refused(home: Lineage, folder: Path, ring: KeyRing) -> None:
    body = json.loads((folder / "policy.json").read_text())
    body["settings"]["evaluated_adapter"]["approval"]["author_may_approve"] = True
    (folder / "policy.json").write_bytes(canonical_json(body) + b"\n")
    resign(folder, SigningKey.pipeline(home.workspace.keys))
    assert "the verdict was reached by another policy" in check_release(folder, ring)


def test_an_approval_replayed_from_another_release_is_refused(home: Lineage, folder: Path, ring: KeyRing) -> None:
    newer = home.released(0.7)
    shutil.copy(folder / "approvals" / "01-ada.dsse.json", newer / "approvals" / "01-ada.dsse.json")
    resign(newer, SigningKey.pipeline(home.workspace.keys))
    assert any("it is for another adapter and evaluation" in line for line in check_release(newer, ring))


def test_a_release_dated_after_its_approvals_expired_is_refused(home: Lineage, folder: Path, ring: KeyRing) -> None:
    resign(folder, SigningKey.pipeline(home.workspace.keys), released_at="2099-01-01T00:00:00Z")
    assert any("it expired at" in line for line in check_release(folder, ring))


def test_a_release_dated_before_its_approval_is_refused(home: Lineage, folder: Path, ring: KeyRing) -> None:
    resign(folder, SigningKey.pipeline(home.workspace.keys), released_at="2020-01-01T00:00:00Z")
    assert any("it is dated" in line for line in check_release(folder, ring))


def test_a_key_swapped_in_the_keys_folder_is_noticed(home: Lineage, folder: Path, tmp_path: Path) -> None:
    stranger = SigningKey.pipeline(tmp_path / "strange")
    shutil.copy(stranger.public.path, home.workspace.keys / "pipeline.pub")
    with pytest.raises(IntegrityError, match="one of them was swapped"):
        SigningKey.pipeline(home.workspace.keys)
    assert "no trusted pipeline key" in check_release(folder, KeyRing.open(home.workspace.keys))[0]


def test_a_revoked_pipeline_key_ends_its_releases(home: Lineage, folder: Path, ring: KeyRing) -> None:
    revoke(home.workspace.keys, ring.of("pipeline")[0].keyid, "2020-01-01T00:00:00Z", "server broken into")
    again = KeyRing.open(home.workspace.keys)
    assert any(
        "was revoked as of 2020-01-01T00:00:00Z (server broken into)" in line for line in check_release(folder, again)
    )
    with pytest.raises(IntegrityError, match="revoked"):
        plugged_in(home.workspace.releases, home.workspace.keys)


def test_a_reviewers_key_revoked_from_before_the_release_ends_it_and_from_after_does_not(
    home: Lineage, folder: Path, ring: KeyRing
) -> None:
    keyid = next(key.keyid for key in ring.of("reviewer"))
    revoke(home.workspace.keys, keyid, "2099-01-01T00:00:00Z", "left the company")
    assert check_release(folder, KeyRing.open(home.workspace.keys)) == []
    revoke(home.workspace.keys, keyid, "2020-01-01T00:00:00Z", "laptop stolen")
    assert any("laptop stolen" in line for line in check_release(folder, KeyRing.open(home.workspace.keys)))
    revoke(home.workspace.keys, keyid, "2099-01-01T00:00:00Z", "never mind")  # cannot be taken back
    assert check_release(folder, KeyRing.open(home.workspace.keys)) != []


def cut(home: Lineage, keep: int) -> None:
    """Shorten the log to ``keep`` lines with a head that fits, as a thoughtful attacker would."""
    entries = home.log.entries()[:keep]
    lines = home.workspace.decisions.read_bytes().splitlines(keepends=True)[:keep]
    home.workspace.decisions.write_bytes(b"".join(lines))
    head = {"entries": keep, "digest": entries[-1].digest, "size": sum(map(len, lines))}
    (home.workspace.decisions.with_name("decisions.jsonl.head")).write_bytes(canonical_json(head) + b"\n")


def test_a_log_cut_together_with_its_head_is_contradicted_by_the_signatures(
    home: Lineage, folder: Path, ring: KeyRing
) -> None:
    cut(home, 1)
    home.log.verify()  # the chain alone cannot know
    found = check_release(folder, ring, home.log)
    assert any("a signed record saw 2: it was cut" in line for line in found)
    assert any("01-ada.dsse.json is not in the log" in line for line in found)


def test_a_log_that_is_gone_is_noticed(home: Lineage, folder: Path, ring: KeyRing) -> None:
    home.workspace.decisions.unlink()
    home.workspace.decisions.with_name("decisions.jsonl.head").unlink()
    assert any("it was cut" in line for line in check_release(folder, ring, home.log))


def test_a_rewritten_log_is_contradicted_too(home: Lineage, folder: Path, ring: KeyRing) -> None:
    kept = [entry for entry in home.log.entries() if entry.kind != "verdict"]
    home.workspace.decisions.unlink()
    home.workspace.decisions.with_name("decisions.jsonl.head").unlink()
    home.log.append("note", {"text": "nothing happened here"})
    for entry in kept:
        home.log.append(entry.kind, entry.body)
    home.log.verify()
    assert any("it was rewritten" in line for line in check_release(folder, ring, home.log))


def test_a_bit_more_in_an_envelope_is_refused(folder: Path, ring: KeyRing) -> None:
    path = folder / "approvals" / "01-ada.dsse.json"
    envelope = read_envelope(path)
    for changed in (
        {**envelope, "note": "x"},
        {**envelope, "signatures": envelope["signatures"] * 2},
        {**envelope, "signatures": [*envelope["signatures"], {"keyid": "0" * 64, "sig": "AAAA"}]},
        {**envelope, "signatures": []},
        {**envelope, "payloadType": "text/plain"},
        {**envelope, "payload": envelope["payload"] + "\n"},
        [envelope],
        None,
    ):
        with pytest.raises(IntegrityError):
            ring.check(changed, "reviewer")
    path.write_text(json.dumps(envelope))
    with pytest.raises(IntegrityError, match="canonical form"):
        read_envelope(path)


def test_a_statement_cannot_name_a_file_twice() -> None:
    twice = {"subject": [{"name": "a", "digest": {"sha256": "1"}}, {"name": "a", "digest": {"sha256": "2"}}]}
    with pytest.raises(IntegrityError, match="twice"):
        subjects(twice)


def test_the_loader_gives_a_proven_private_copy_and_follows_a_rollback(home: Lineage, folder: Path) -> None:
    releases, keys = home.workspace.releases, home.workspace.keys
    for path in keys.rglob("*.key"):
        path.unlink()  # serving needs public keys only
    with verified_adapter(releases, keys) as adapter:
        assert adapter is not None and not adapter.is_relative_to(releases)
        (folder / "adapter" / "adapter_model.safetensors").write_bytes(b"changed after the check")
        assert (
            digest_tree(adapter)["adapter_model.safetensors"]
            == read_signed(folder, KeyRing.open(keys)).files["adapter/adapter_model.safetensors"]
        )
    assert not adapter.exists()


def test_the_loader_loads_nothing_once_it_is_unplugged(home: Lineage) -> None:
    assert plugged_in(home.workspace.releases, home.workspace.keys)
    rollback(home.workspace, "bad")
    assert plugged_in(home.workspace.releases, home.workspace.keys) == ""
    with verified_adapter(home.workspace.releases, home.workspace.keys) as adapter:
        assert adapter is None


def test_verification_needs_no_private_key_and_no_workspace(home: Lineage, folder: Path, tmp_path: Path) -> None:
    public = tmp_path / "public"
    (public / "reviewers").mkdir(parents=True)
    for path in home.workspace.keys.rglob("*.pub"):
        shutil.copy(path, public / path.relative_to(home.workspace.keys))
    sent = tmp_path / "sent" / folder.name
    shutil.copytree(folder, sent)
    shutil.rmtree(home.workspace.root)
    assert verify_release(sent, KeyRing.open(public)).name == folder.name


def test_a_pointer_cannot_lead_out_of_the_folder(home: Lineage, ring: KeyRing) -> None:
    key = SigningKey.pipeline(home.workspace.keys)
    for name in ("../../etc", ".staging", "/etc", "a/b"):
        said = {"event": "promotion", "release": name, "previous": "", "at": utc(), "reason": "x", "log": {}}
        body = statement("https://hallmark.invalid/predicate/plug/v1", {"release": "0" * 64}, said)
        write_envelope(home.workspace.releases / "current", key.sign(body))
        with pytest.raises(HallmarkError, match="no name of a release"):
            read_plug(home.workspace.releases, ring)
