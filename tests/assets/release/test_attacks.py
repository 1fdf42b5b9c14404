"""A release under attack: what is changed, added, removed, renamed, linked or replayed is refused, and named."""

import base64
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from lineage import Lineage

from assets.release.loader import plugged_in, verified_adapter
from assets.release.plug import disagreement, read_plug
from assets.release.release import rollback
from assets.release.tree import differences
from assets.release.verify import MANIFEST, check_release, read_signed, verify_release
from resources.clock import utc
from resources.digests import canonical_json, digest_tree
from resources.errors import HallmarkError, IntegrityError
from resources.signer import KeyRing, SigningKey, read_envelope, revoke, statement, subjects, write_envelope


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> tuple[Lineage, Path]:
    """One released workspace; tests change copies of it."""
    lineage = Lineage(tmp_path_factory.mktemp("original"))
    return lineage, lineage.released()


@pytest.fixture
def home(original: tuple[Lineage, Path], tmp_path: Path) -> Lineage:
    shutil.copytree(original[0].workspace.root, tmp_path / "home")
    for path in (tmp_path / "home" / "releases").rglob("*"):
        if path.is_file():
            path.chmod(0o644)
    return Lineage(tmp_path / "home")


@pytest.fixture
def folder(home: Lineage, original: tuple[Lineage, Path]) -> Path:
    return home.workspace.releases / original[1].name


@pytest.fixture
def ring(home: Lineage) -> KeyRing:
    return KeyRing.open(home.workspace.keys)


def flipped(data: bytes, position: int) -> bytes:
    return data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :]


def test_the_copy_verifies_before_it_is_attacked(home: Lineage, folder: Path, ring: KeyRing) -> None:
    assert check_release(folder, ring, home.log) == []


def test_a_flipped_byte_in_any_file_is_found_and_named(folder: Path, ring: KeyRing) -> None:
    for path in [path for path in sorted(folder.rglob("*")) if path.is_file()]:
        data, name = path.read_bytes(), path.relative_to(folder).as_posix()
        for position in sorted({0, len(data) // 3, len(data) // 2, len(data) - 1}):
            path.write_bytes(flipped(data, position))
            found = check_release(folder, ring)
            assert found, f"byte {position} of {name}"
            assert name in found[0]
        path.write_bytes(data)
    assert check_release(folder, ring) == []


@pytest.mark.long
def test_every_byte_of_every_file_counts(folder: Path, ring: KeyRing) -> None:
    files = read_signed(folder, ring).files
    for path in [path for path in sorted(folder.rglob("*")) if path.is_file()]:
        data, name = path.read_bytes(), path.relative_to(folder).as_posix()
        for position in range(len(data)):
            path.write_bytes(flipped(data, position))
            if name == MANIFEST:
                with pytest.raises(IntegrityError):
                    read_signed(folder, ring)
            else:  # the first thing that ``check_release`` does with the rest
                assert differences(folder, files, frozenset({MANIFEST})) == [f"changed: {name}"], position
        path.write_bytes(data)


def test_bytes_all_over_the_signed_manifest_count(folder: Path, ring: KeyRing) -> None:
    path = folder / MANIFEST
    data = path.read_bytes()
    for position in (*range(0, len(data), 11), *range(len(data) - 300, len(data))):
        path.write_bytes(flipped(data, position))
        with pytest.raises(IntegrityError):
            read_signed(folder, ring)


def test_bytes_all_over_the_pointer_count(home: Lineage, ring: KeyRing) -> None:
    path = home.workspace.releases / "current"
    data = path.read_bytes()
    for position in (*range(0, len(data), 5), len(data) - 2, len(data) - 1):
        path.write_bytes(flipped(data, position))
        with pytest.raises(IntegrityError):
            read_plug(home.workspace.releases, ring)


def test_bytes_all_over_the_log_count(home: Lineage) -> None:
    data = home.workspace.decisions.read_bytes()
    for position in (*range(0, len(data), 17), *range(len(data) - 80, len(data))):
        home.workspace.decisions.write_bytes(flipped(data, position))
        with pytest.raises(IntegrityError):
            home.log.verify()


def _added(folder: Path) -> str:
    (folder / "adapter" / "extra.py").write_text("print()")
    return "unexpected: adapter/extra.py"


def _added_folder(folder: Path) -> str:
    (folder / "more").mkdir()
    return "unexpected folder: more"


def _hidden(folder: Path) -> str:
    (folder / ".env").write_text("x")
    return "unexpected: .env"


def _removed(folder: Path) -> str:
    (folder / "bom.cdx.json").unlink()
    return "missing: bom.cdx.json"


def _renamed(folder: Path) -> str:
    (folder / "verdict.json").rename(folder / "verdict2.json")
    return "missing: verdict.json"


def _linked(folder: Path) -> str:
    weights = folder / "adapter" / "adapter_model.safetensors"
    shutil.move(weights, folder.parent.parent / "elsewhere")
    weights.symlink_to(folder.parent.parent / "elsewhere")
    return "link: adapter/adapter_model.safetensors"


def _linked_folder(folder: Path) -> str:
    shutil.move(folder / "adapter", folder.parent.parent / "elsewhere")
    (folder / "adapter").symlink_to(folder.parent.parent / "elsewhere")
    return "link: adapter"


def _piped(folder: Path) -> str:
    (folder / "dossier.html").unlink()
    os.mkfifo(folder / "dossier.html")
    return "not a regular file: dossier.html"


def _swapped(folder: Path) -> str:
    first, second = folder / "dossier.json", folder / "threats.json"
    one, two = first.read_bytes(), second.read_bytes()
    first.write_bytes(two)
    second.write_bytes(one)
    return "changed: dossier.json"


def _emptied(folder: Path) -> str:
    (folder / "approvals" / "01-ada.dsse.json").write_bytes(b"")
    return "changed: approvals/01-ada.dsse.json"


ATTACKS = [_added, _added_folder, _hidden, _removed, _renamed, _linked, _linked_folder, _piped, _swapped, _emptied]


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__.strip("_"))
def test_a_changed_tree_is_refused_with_the_exact_difference(
    home: Lineage, folder: Path, ring: KeyRing, attack: Callable[[Path], str]
) -> None:
    expected = attack(folder)
    assert expected in check_release(folder, ring)
    with (
        pytest.raises(IntegrityError, match=r"does not verify|cannot be read whole"),
        verified_adapter(home.workspace.releases, home.workspace.keys),
    ):
        pytest.fail("it was loaded")


def test_a_renamed_release_is_refused(folder: Path, ring: KeyRing) -> None:
    renamed = folder.with_name("better-name")
    folder.rename(renamed)
    assert f"renamed: signed as {folder.name}, found as better-name" in check_release(renamed, ring)


def test_a_manifest_of_an_older_release_is_refused(home: Lineage, folder: Path, ring: KeyRing) -> None:
    newer = home.released(0.7)
    shutil.copy(folder / MANIFEST, newer / MANIFEST)
    found = check_release(newer, ring)
    assert f"renamed: signed as {folder.name}, found as {newer.name}" in found
    assert "changed: adapter/adapter_model.safetensors" in found


def test_an_older_pointer_put_back_is_told_by_the_log_and_mended_by_the_next_event(
    home: Lineage, ring: KeyRing
) -> None:
    old = (home.workspace.releases / "current").read_bytes()
    newer = home.released(0.7)
    (home.workspace.releases / "current").write_bytes(old)
    assert "the log" in disagreement(home.workspace.releases, home.log.entries(), ring)
    assert any("current says" in line for line in check_release(newer, ring, home.log))


def test_an_older_release_under_the_name_of_the_current_one_is_not_loaded(home: Lineage, folder: Path) -> None:
    newer = home.released(0.7)
    shutil.rmtree(newer)
    shutil.copytree(folder, newer)
    with pytest.raises(IntegrityError, match="renamed"), verified_adapter(home.workspace.releases, home.workspace.keys):
        pytest.fail("it was loaded")


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
