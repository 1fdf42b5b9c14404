"""Keys are made once, kept private, told apart, and what they sign has one spelling."""

import concurrent.futures
import json
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from resources.errors import IntegrityError, StoreError, UsageError
from resources.signer import PASSPHRASE, KeyRing, SigningKey, read_envelope, revoke, statement, subjects, write_envelope

CLAIM = statement("https://hallmark.invalid/test", {"b": "1" * 64, "a": "2" * 64}, {"said": "é ✓", "n": 0.1})


def test_keys_are_made_on_first_use_and_kept_private(tmp_path: Path) -> None:
    key, reviewer = SigningKey.pipeline(tmp_path), SigningKey.reviewer(tmp_path, "ada.l@example.org")
    assert SigningKey.pipeline(tmp_path).public.keyid == key.public.keyid != reviewer.public.keyid
    for path in tmp_path.rglob("*.key"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert isinstance(serialization.load_pem_private_key(path.read_bytes(), None), ec.EllipticCurvePrivateKey)
    assert not list(tmp_path.rglob("*.partial"))


def test_two_at_once_make_one_key(tmp_path: Path) -> None:
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        first = pool.submit(SigningKey.pipeline, tmp_path)
        second = SigningKey.pipeline(tmp_path)
    assert first.result().public.keyid == second.public.keyid


def test_a_statement_comes_back_as_it_was_signed(tmp_path: Path) -> None:
    envelope = SigningKey.pipeline(tmp_path).sign(CLAIM)
    said, key = KeyRing.open(tmp_path).check(envelope, "pipeline")
    assert said == CLAIM and key.name == "pipeline"
    assert list(subjects(said)) == ["a", "b"]
    write_envelope(tmp_path / "x.json", envelope)
    assert read_envelope(tmp_path / "x.json") == envelope


def test_a_key_speaks_only_in_its_own_role(tmp_path: Path) -> None:
    by_pipeline, by_ada = SigningKey.pipeline(tmp_path).sign(CLAIM), SigningKey.reviewer(tmp_path, "ada").sign(CLAIM)
    ring = KeyRing.open(tmp_path)
    with pytest.raises(IntegrityError, match="no trusted reviewer key"):
        ring.check(by_pipeline, "reviewer")
    with pytest.raises(IntegrityError, match="no trusted pipeline key"):
        ring.check(by_ada, "pipeline")
    assert ring.check(by_ada, "reviewer")[1].name == "ada"


def test_another_statement_under_a_good_signature_is_refused(tmp_path: Path) -> None:
    key = SigningKey.pipeline(tmp_path)
    good, other = key.sign(CLAIM), key.sign(statement("https://hallmark.invalid/test", {}, {}))
    with pytest.raises(IntegrityError, match="does not fit"):
        KeyRing.open(tmp_path).check({**good, "payload": other["payload"]}, "pipeline")


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    SigningKey.pipeline(tmp_path).path.chmod(0o640)
    with pytest.raises(StoreError, match="can be read by others"):
        SigningKey.pipeline(tmp_path)


def test_a_passphrase_protects_a_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PASSPHRASE, "correct horse")
    key = SigningKey.reviewer(tmp_path, "ada")
    assert b"ENCRYPTED" in key.path.read_bytes()
    assert SigningKey.reviewer(tmp_path, "ada").public.keyid == key.public.keyid
    for wrong in ("battery staple", ""):
        monkeypatch.setenv(PASSPHRASE, wrong)
        with pytest.raises(StoreError, match="cannot be opened"):
            SigningKey.reviewer(tmp_path, "ada")


def test_one_key_in_two_roles_is_refused(tmp_path: Path) -> None:
    pipeline = SigningKey.pipeline(tmp_path)
    (tmp_path / "reviewers").mkdir()
    (tmp_path / "reviewers" / "ada.pub").write_bytes(pipeline.public.path.read_bytes())
    with pytest.raises(IntegrityError, match="each signer needs an own one"):
        KeyRing.open(tmp_path)


@pytest.mark.parametrize("name", ["", "..", "../x", "a/b", ".hidden", "x" * 65, "a b", "a\n"])
def test_a_reviewers_name_cannot_be_a_path(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError):
        SigningKey.reviewer(tmp_path, name)
    assert not list(tmp_path.iterdir())


def test_other_kinds_of_key_are_refused(tmp_path: Path) -> None:
    private = ed25519.Ed25519PrivateKey.generate()
    form = serialization.PrivateFormat.PKCS8
    pem = private.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    (tmp_path / "pipeline.key").write_bytes(pem)
    (tmp_path / "pipeline.key").chmod(0o600)
    with pytest.raises(StoreError, match="not an ECDSA P-256 key"):
        SigningKey.pipeline(tmp_path)
    (tmp_path / "pipeline.pub").write_bytes(b"not a key")
    with pytest.raises(IntegrityError, match="not a public key"):
        KeyRing.open(tmp_path)


def test_a_rotated_pipeline_key_stays_trusted(tmp_path: Path) -> None:
    old = SigningKey.pipeline(tmp_path)
    envelope = old.sign(CLAIM)
    old.path.unlink()
    old.public.path.rename(tmp_path / "pipeline-2025.pub")
    assert SigningKey.pipeline(tmp_path).public.keyid != old.public.keyid
    assert KeyRing.open(tmp_path).check(envelope, "pipeline")[1].keyid == old.public.keyid


def test_a_revocation_holds_from_its_date_on(tmp_path: Path) -> None:
    keyid = SigningKey.reviewer(tmp_path, "ada").public.keyid
    revoke(tmp_path, keyid, "2026-06-01T00:00:00Z", "stolen")
    ring = KeyRing.open(tmp_path)
    assert ring.revocation(keyid, "2026-05-31T23:59:59Z") is None
    found = ring.revocation(keyid, "2026-06-01T00:00:00Z")
    assert found is not None and found.reason == "stolen"
    assert ring.revocation("0" * 64, "2026-07-01T00:00:00Z") is None
    (tmp_path / "revoked.json").write_text("[]")
    with pytest.raises(IntegrityError, match="no key can be trusted"):
        KeyRing.open(tmp_path)


@pytest.mark.parametrize(
    "broken", [None, [], "x", {}, {"payload": "", "payloadType": "", "signatures": "x"}, {"payload": 1}]
)
def test_what_is_no_envelope_is_refused(tmp_path: Path, broken: object) -> None:
    SigningKey.pipeline(tmp_path)
    with pytest.raises(IntegrityError, match="not a DSSE envelope"):
        KeyRing.open(tmp_path).check(broken, "pipeline")
    (tmp_path / "x.json").write_text(json.dumps(broken, indent=2))
    with pytest.raises(IntegrityError, match="canonical form"):
        read_envelope(tmp_path / "x.json")
