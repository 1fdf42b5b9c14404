"""A passkey signs a statement like a key file does: checked offline, for one statement, one host, one person."""

import base64
import json
from pathlib import Path

import pytest
from authenticator import PRESENT, Authenticator
from hypothesis import given
from hypothesis import strategies as st

from resources.errors import IntegrityError, UsageError
from resources.passkey import Passkey, prove
from resources.signer import KeyRing, SigningKey, revoke, sound_name, statement

CLAIM = statement("https://hallmark.invalid/test", {"a": "2" * 64}, {"said": "é ✓"})
OTHER = statement("https://hallmark.invalid/test", {"a": "3" * 64}, {"said": "é ✓"})


@pytest.fixture
def phone(tmp_path: Path) -> Authenticator:
    device = Authenticator()
    device.passkey("ada").write(tmp_path)
    return device


def test_what_a_passkey_signed_is_checked_like_any_other_signature(tmp_path: Path, phone: Authenticator) -> None:
    SigningKey.reviewer(tmp_path, "ada")  # beside her key file, not in its place
    signed = phone.sign(CLAIM)
    said, key = KeyRing.open(tmp_path).check(signed, "reviewer")
    assert said == CLAIM and key.name == "ada" and key.passkey == phone.passkey("ada")


def test_a_fresh_answer_is_for_one_challenge_and_one_page_and_says_its_counter(phone: Authenticator) -> None:
    passkey, asked = phone.passkey("ada"), bytes(range(32))
    assert [prove(passkey, phone.get(asked), asked, phone.origin) for _ in range(2)] == [1, 2]
    with pytest.raises(IntegrityError, match="does not hold"):
        prove(passkey, phone.get(asked), bytes(32), phone.origin)
    with pytest.raises(IntegrityError, match="another page"):
        prove(passkey, phone.get(asked), asked, "http://localhost:8080")


def test_an_assertion_counts_for_no_other_statement(tmp_path: Path, phone: Authenticator) -> None:
    signed, other = phone.sign(CLAIM), phone.sign(OTHER)
    with pytest.raises(IntegrityError, match="the signature of ada does not fit"):
        KeyRing.open(tmp_path).check({**signed, "payload": other["payload"]}, "reviewer")


def test_a_passkey_is_no_pipelines_key(tmp_path: Path, phone: Authenticator) -> None:
    with pytest.raises(IntegrityError, match="no trusted pipeline key"):
        KeyRing.open(tmp_path).check(phone.sign(CLAIM), "pipeline")


def test_without_the_person_verified_or_for_a_page_elsewhere_it_does_not_count(tmp_path: Path) -> None:
    device = Authenticator()
    device.passkey("ada").write(tmp_path)
    ring = KeyRing.open(tmp_path)
    ring.check(device.sign(CLAIM), "reviewer")
    with pytest.raises(IntegrityError, match="does not fit"):
        ring.check(device.sign(CLAIM, flags=PRESENT), "reviewer")
    for origin in ("http://localhost.evil.example", "https://evil.example", "http://127.0.0.1:3001", "null"):
        device.origin = origin
        with pytest.raises(IntegrityError, match="does not fit"):
            ring.check(device.sign(CLAIM), "reviewer")


def test_behind_a_proxy_a_passkey_is_its_domains_and_needs_tls(tmp_path: Path) -> None:
    device = Authenticator("desk.example.org", "https://desk.example.org")
    device.passkey("ada").write(tmp_path)
    ring = KeyRing.open(tmp_path)
    ring.check(device.sign(CLAIM), "reviewer")
    device.origin = "http://desk.example.org"
    with pytest.raises(IntegrityError, match="does not fit"):
        ring.check(device.sign(CLAIM), "reviewer")


def test_a_strangers_passkey_and_a_revoked_one_are_told_apart(tmp_path: Path, phone: Authenticator) -> None:
    ring = KeyRing.open(tmp_path)
    with pytest.raises(IntegrityError, match="no trusted reviewer key"):
        ring.check(Authenticator().sign(CLAIM), "reviewer")
    keyid = ring.of("reviewer")[0].keyid
    revoke(tmp_path, keyid, "2026-01-01T00:00:00Z", "lost")
    assert KeyRing.open(tmp_path).revocation(keyid, "2026-02-01T00:00:00Z") is not None


def test_a_passkey_file_is_what_its_name_says(tmp_path: Path, phone: Authenticator) -> None:
    [path] = (tmp_path / "passkeys").iterdir()
    assert Passkey.read(path) == phone.passkey("ada")
    body = json.loads(path.read_bytes())
    for change in ({"public_key": "AAAA"}, {"host": "evil.example"}, {"credential": 7}, {"more": "x"}):
        path.write_text(json.dumps({**body, **change}))
        with pytest.raises(IntegrityError, match="passkey"):
            KeyRing.open(tmp_path)


def test_an_assertion_has_one_spelling(tmp_path: Path, phone: Authenticator) -> None:
    signed = phone.sign(CLAIM)
    [signature] = signed["signatures"]
    parts = json.loads(base64.b64decode(signature["sig"]))
    loose = json.dumps(parts, indent=1).encode()
    padded = json.dumps(
        {**parts, "signature": parts["signature"] + "="}, separators=(",", ":"), sort_keys=True
    ).encode()
    for other in (loose, padded):
        again = {**signed, "signatures": [{**signature, "sig": base64.b64encode(other).decode()}]}
        with pytest.raises(IntegrityError, match="does not fit"):
            KeyRing.open(tmp_path).check(again, "reviewer")


DEVICE = Authenticator()
SIGNED = DEVICE.sign(CLAIM)


@given(data=st.data())
def test_no_flipped_bit_of_an_assertion_is_admitted(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.getbasetemp() / "flipped"
    if not folder.exists():
        DEVICE.passkey("ada").write(folder)
    raw = bytearray(base64.b64decode(SIGNED["signatures"][0]["sig"]))
    place = data.draw(st.integers(0, 8 * len(raw) - 1))
    raw[place // 8] ^= 1 << place % 8
    [signature] = SIGNED["signatures"]
    changed = {**SIGNED, "signatures": [{**signature, "sig": base64.b64encode(bytes(raw)).decode()}]}
    with pytest.raises(IntegrityError):
        KeyRing.open(folder).check(changed, "reviewer")


def test_a_reviewers_name_leads_out_of_no_folder() -> None:
    assert sound_name("ada.l@example.org") == "ada.l@example.org"
    with pytest.raises(UsageError, match="a reviewer's name"):
        sound_name("../pipeline")
