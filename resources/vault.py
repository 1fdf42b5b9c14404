"""The vault: the only place where removed values live, encrypted; and the key that makes fingerprints.

A vault is an append-only file of sealed entries, one a line. Each entry is encrypted by AES-256-GCM (NIST SP 800-38D)
with a fresh 96-bit nonce and bound to its place: its associated data is the vault's name, so that a line moved from
another vault does not open. Two keys are derived from the one secret by HKDF (RFC 5869): one encrypts, one makes
fingerprints (HMAC-SHA-256), so that knowing a fingerprint key opens nothing.

The secret comes from ``HALLMARK_VAULT_KEY`` (base64 or hex, 32 bytes) or from a key file readable by its owner only.

>>> vault = Vault.in_memory()
>>> vault.fingerprint("a@b.example") == vault.fingerprint("a@b.example"), len(vault.fingerprint("a@b.example"))
(True, 24)
"""

import base64
import binascii
import hashlib
import hmac
import json
import os
import secrets
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from resources.errors import VaultError

KEY_VARIABLE = "HALLMARK_VAULT_KEY"
POD_VARIABLE = "KUBERNETES_SERVICE_HOST"  # Kubernetes sets it in every pod
KEY_BYTES = 32
NONCE_BYTES = 12


@dataclass(frozen=True, slots=True)
class Entry:
    """One removed value and where it stood: characters ``start`` to ``end`` of ``field`` of row ``row_id``."""

    row_id: str
    field: str
    start: int
    end: int
    type: str
    value: str
    placeholder: str


class Fingerprinter:
    """Keyed names of values: equal values have equal fingerprints, and nobody without the key can try guesses."""

    def __init__(self, secret: bytes) -> None:
        self._key = derived(secret, b"hallmark fingerprint v1")

    @classmethod
    def ephemeral(cls) -> "Fingerprinter":
        """With a key that lives as long as the process: fingerprints join rows of one report, not of two."""
        return cls(secrets.token_bytes(KEY_BYTES))

    def fingerprint(self, value: str) -> str:
        """24 hex digits (96 bits) of HMAC-SHA-256 over the value, case and spacing at the ends ignored."""
        # The separate derivation keeps this HMAC key from ever serving as the encryption key.
        data = value.strip().casefold().encode("utf-8", "surrogatepass")
        return hmac.new(self._key, data, hashlib.sha256).hexdigest()[:24]


class Vault:
    """Appends entries to ``path`` (None: keeps none, for a dry run) and opens them again for who holds the key."""

    def __init__(self, path: Path | None, secret: bytes, name: str = "vault") -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        if len(secret) != KEY_BYTES:
            raise VaultError(f"the vault key must have {KEY_BYTES} bytes, this one has {len(secret)}")
        self.path, self._bound_to, self._secret = path, name.encode(), secret
        self._cipher = AESGCM(derived(secret, b"hallmark vault v1"))
        self._fingerprinter = Fingerprinter(secret)

    @classmethod
    def in_memory(cls) -> "Vault":
        return cls(None, secrets.token_bytes(KEY_BYTES))

    @classmethod
    def open(cls, path: Path, *, key_file: Path | None = None, create_key: bool = False) -> "Vault":
        """With the key of the environment, else of ``key_file``; ``create_key`` makes that file if it is absent."""
        return cls(path, read_secret(key_file, create=create_key), name=path.name)

    def fingerprint(self, value: str) -> str:
        return self._fingerprinter.fingerprint(value)

    def store(self, entries: Iterable[Entry]) -> int:
        """Append entries, flushed to disk before returning; the number written."""
        lines = [self._seal(entry) for entry in entries]
        if lines and self.path is not None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, stat.S_IRUSR | stat.S_IWUSR)
            with os.fdopen(descriptor, "ab") as stream:
                stream.write(b"".join(lines))
                stream.flush()
                os.fsync(stream.fileno())
        return len(lines)

    def anew(self) -> "Vault":
        """An empty vault of the same name, which is to take this one's place (``take``) when all is in it.

        Until then this one stays as it is; what a killed attempt has stored goes with the next one.
        """
        assert self.path is not None
        path = self.path.with_name(f".{self.path.name}.part")
        path.unlink(missing_ok=True)
        return Vault(path, self._secret, self._bound_to.decode())

    def take(self, fresh: "Vault") -> None:
        """Put ``fresh`` in this one's place; without an entry in it there is then no file."""
        assert self.path is not None and fresh.path is not None
        if fresh.path.exists():
            fresh.path.replace(self.path)
        else:
            self.path.unlink(missing_ok=True)

    def entries(self) -> Iterator[Entry]:
        """Every entry, decrypted. ``VaultError`` names the line that this key does not open."""
        from cryptography.exceptions import InvalidTag

        if self.path is None or not self.path.exists():
            return
        with self.path.open("rb") as stream:
            for number, line in enumerate(stream, 1):
                try:
                    sealed = base64.b64decode(line, validate=False)
                    plain = self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], self._bound_to)
                    yield Entry(**json.loads(plain))
                except (InvalidTag, ValueError, TypeError) as error:
                    raise VaultError(
                        f"{self.path}:{number} does not open: another key, another vault's line, or damage"
                    ) from error

    def restore(self, row_id: str, texts: Mapping[str, str]) -> dict[str, str]:
        """The original texts of a row from its redacted ones: placeholders of this row replaced by their values."""
        restored = dict(texts)
        for entry in self.entries():
            if entry.row_id == row_id and entry.field in restored and entry.placeholder:
                restored[entry.field] = restored[entry.field].replace(entry.placeholder, entry.value, 1)
        return restored

    def _seal(self, entry: Entry) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        plain = json.dumps(asdict(entry)).encode()
        return base64.b64encode(nonce + self._cipher.encrypt(nonce, plain, self._bound_to)) + b"\n"


def read_secret(key_file: Path | None = None, *, create: bool = False) -> bytes:
    """32 bytes from the environment or the key file. Errors never show the key."""
    if text := os.environ.get(KEY_VARIABLE):
        return _decode(text, KEY_VARIABLE)
    if key_file is None:
        raise VaultError(f"no vault key: set {KEY_VARIABLE} or name a key file")
    if create and not key_file.exists():
        if os.environ.get(POD_VARIABLE):
            # A key made here would be this pod's own: what one run encrypts no other could open.
            raise VaultError(f"no vault key: in a cluster {KEY_VARIABLE} comes from a secret, the same for every pod")
        key_file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, stat.S_IRUSR | stat.S_IWUSR)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
    try:
        if key_file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise VaultError(f"{key_file} can be read by others: chmod 600 it")
        return _decode(key_file.read_text(encoding="ascii"), str(key_file))
    except (OSError, UnicodeDecodeError) as error:
        raise VaultError(f"vault key file {key_file}: {type(error).__name__}") from error


def _decode(text: str, where: str) -> bytes:
    stripped = text.strip()
    try:
        key = bytes.fromhex(stripped) if len(stripped) == 2 * KEY_BYTES else base64.b64decode(stripped, validate=True)
    except (ValueError, binascii.Error):
        raise VaultError(f"{where} is neither base64 nor hex") from None
    if len(key) != KEY_BYTES:
        raise VaultError(f"{where} holds {len(key)} bytes, {KEY_BYTES} are needed")
    return key


def derived(secret: bytes, purpose: bytes) -> bytes:
    """A key of 32 bytes for one purpose (HKDF-SHA-256, RFC 5869)."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(algorithm=hashes.SHA256(), length=KEY_BYTES, salt=None, info=purpose).derive(secret)
