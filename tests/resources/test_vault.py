"""The vault opens for who holds the key, and for nobody else."""

import base64
from pathlib import Path

import pytest

from resources.errors import VaultError
from resources.vault import KEY_VARIABLE, Entry, Fingerprinter, Vault, read_secret

SECRET = bytes(range(32))
ENTRY = Entry("row1", "text", 3, 8, "PERSON", "Añna\ud800", "[PERSON_1]")


def test_entries_come_back_and_the_file_shows_nothing(tmp_path: Path) -> None:
    vault = Vault(tmp_path / "v.jsonl", SECRET)
    assert vault.store([ENTRY, ENTRY]) == 2
    assert list(Vault(tmp_path / "v.jsonl", SECRET).entries()) == [ENTRY, ENTRY]
    lines = (tmp_path / "v.jsonl").read_bytes().splitlines()
    assert lines[0] != lines[1] and all(b"nna" not in base64.b64decode(line) for line in lines)
    assert (tmp_path / "v.jsonl").stat().st_mode & 0o077 == 0


def test_another_key_another_vault_or_a_changed_byte_does_not_open(tmp_path: Path) -> None:
    path = tmp_path / "v.jsonl"
    Vault(path, SECRET, name="a").store([ENTRY])
    for vault in (Vault(path, bytes(32), name="a"), Vault(path, SECRET, name="b")):
        with pytest.raises(VaultError, match="does not open"):
            list(vault.entries())
    damaged = bytearray(base64.b64decode(path.read_bytes()))
    damaged[20] ^= 1
    path.write_bytes(base64.b64encode(bytes(damaged)) + b"\n")
    with pytest.raises(VaultError, match=r"v\.jsonl:1"):
        list(Vault(path, SECRET, name="a").entries())


def test_the_key_comes_from_the_environment_then_from_a_private_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    with pytest.raises(VaultError, match="no vault key"):
        read_secret()
    key = tmp_path / "keys" / "vault.key"
    made = read_secret(key, create=True)
    assert read_secret(key) == made and key.stat().st_mode & 0o077 == 0
    key.chmod(0o644)
    with pytest.raises(VaultError, match="chmod 600"):
        read_secret(key)
    monkeypatch.setenv(KEY_VARIABLE, SECRET.hex())
    assert read_secret(key) == SECRET
    monkeypatch.setenv(KEY_VARIABLE, "not a key")
    with pytest.raises(VaultError) as error:
        read_secret(key)
    assert "not a key" not in str(error.value)


def test_fingerprints_are_keyed() -> None:
    one, two = Fingerprinter(SECRET), Fingerprinter(bytes(32))
    assert one.fingerprint(" Ann@X.example ") == one.fingerprint("ann@x.example") != two.fingerprint("ann@x.example")
    assert Vault(None, SECRET).fingerprint("a") == one.fingerprint("a")
    assert one.fingerprint("\ud800")


def test_in_a_pod_no_key_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each pod would have its own, and none could open what another one sealed."""
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.96.0.1")
    with pytest.raises(VaultError, match="comes from a secret"):
        read_secret(tmp_path / "vault.key", create=True)
    assert not (tmp_path / "vault.key").exists()
