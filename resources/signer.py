"""Signing keys and signed statements.

Two kinds of key, never the same: the *pipeline* signs what it made, a *reviewer* signs what a person decided. Both are
ECDSA P-256, the one curve that in-toto, DSSE and the model-signing library all take. Private keys are PKCS #8 PEM files
with mode 0600, encrypted when ``HALLMARK_KEY_PASSPHRASE`` is set; they are made on first use::

    keys/pipeline.key    keys/pipeline.pub        pipeline*.pub are all trusted, so that a key can be rotated
    keys/reviewers/<name>.key    <name>.pub       a reviewer's private key may live on another machine
    keys/passkeys/<key id>.json                   a reviewer's passkey: see ``resources.passkey``
    keys/revoked.json                             {key id: {"since": UTC time, "reason": text}}

A statement is an in-toto Statement v1 in a DSSE envelope (https://github.com/secure-systems-lab/dsse), made and
proven by securesystemslib. An envelope has one spelling only: any other bytes of the same content are refused.
"""

import base64
import binascii
import json
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import CryptoSigner, Key, SSlibKey  # type: ignore[attr-defined]

from resources.digests import canonical_json
from resources.errors import HallmarkError, IntegrityError, StoreError, UsageError
from resources.passkey import Passkey, PasskeyKey, passkeys

Role = Literal["pipeline", "reviewer"]
PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PASSPHRASE = "HALLMARK_KEY_PASSPHRASE"  # noqa: S105 (the name of a variable)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A trusted key. ``name`` is the reviewer's, or ``pipeline``; ``keyid`` is securesystemslib's."""

    role: Role
    name: str
    key: Key
    path: Path

    @property
    def keyid(self) -> str:
        return str(self.key.keyid)

    @property
    def passkey(self) -> Passkey | None:
        """What is known of it where it is a passkey; None for the key of a file."""
        return self.key.passkey if isinstance(self.key, PasskeyKey) else None


@dataclass(frozen=True, slots=True)
class Revocation:
    """From ``since`` on (UTC, ISO 8601) nothing this key signed counts."""

    since: str
    reason: str


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key in memory. ``path`` is its PEM file."""

    public: PublicKey
    path: Path
    _signer: CryptoSigner

    @classmethod
    def pipeline(cls, folder: Path) -> "SigningKey":
        """The pipeline's key below ``folder``, made if there is none."""
        return cls._load(folder / "pipeline.key", "pipeline", "pipeline")

    @classmethod
    def reviewer(cls, folder: Path, name: str) -> "SigningKey":
        """The key of the reviewer ``name`` below ``folder``, made if there is none."""
        return cls._load(folder / "reviewers" / f"{sound_name(name)}.key", "reviewer", name)

    @classmethod
    def _load(cls, path: Path, role: Role, name: str) -> "SigningKey":
        public_path = path.with_suffix(".pub")
        if not (path.exists() and public_path.exists()):
            _create(path, public_path)
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise StoreError(f"{path} can be read by others; chmod 600 it and consider the key known")
        signer = CryptoSigner(_read_private(path))
        public = _read_public(public_path, role, name)
        if public.keyid != signer.public_key.keyid:
            raise IntegrityError(f"{public_path} is not the public half of {path.name}: one of them was swapped")
        return cls(public, path, signer)

    def sign(self, statement: dict[str, Any]) -> dict[str, Any]:
        """The statement in a signed DSSE envelope, as JSON."""
        envelope = Envelope(canonical_json(statement), PAYLOAD_TYPE, {})
        envelope.sign(self._signer)
        body: dict[str, Any] = envelope.to_dict()
        return body


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The public keys a verifier trusts, and those it no longer does. Needs no private key."""

    keys: tuple[PublicKey, ...]
    revoked: dict[str, Revocation]

    @classmethod
    def open(cls, folder: Path) -> "KeyRing":
        """Read a keys folder. A key that is both the pipeline's and a reviewer's is an ``IntegrityError``."""
        pipeline = [_read_public(path, "pipeline", "pipeline") for path in sorted(folder.glob("pipeline*.pub"))]
        reviewers = [_read_public(path, "reviewer", path.stem) for path in sorted((folder / "reviewers").glob("*.pub"))]
        reviewers += [PublicKey("reviewer", found.name, PasskeyKey(found), path) for found, path in passkeys(folder)]
        owners: dict[str, PublicKey] = {}
        for key in [*pipeline, *reviewers]:
            if key.keyid in owners:
                raise IntegrityError(
                    f"{key.path} and {owners[key.keyid].path} are one key; each signer needs an own one"
                )
            owners[key.keyid] = key
        return cls((*pipeline, *reviewers), _read_revoked(folder / "revoked.json"))

    def of(self, role: Role) -> tuple[PublicKey, ...]:
        return tuple(key for key in self.keys if key.role == role)

    def check(self, envelope: Any, role: Role) -> tuple[dict[str, Any], PublicKey]:
        """The statement in an envelope and the trusted key that signed it; else ``IntegrityError`` says why not."""
        parsed = _parse(envelope)
        signed_by = set(parsed.signatures)
        trusted = [key for key in self.of(role) if key.keyid in signed_by]
        if not trusted:
            names = ", ".join(sorted(keyid[:12] for keyid in signed_by)) or "nobody"
            raise IntegrityError(f"signed by {names}, which is no trusted {role} key")
        try:
            parsed.verify([key.key for key in trusted], 1)
        except VerificationError as error:
            raise IntegrityError(f"the signature of {trusted[0].name} does not fit the content") from error
        statement = json.loads(parsed.payload)
        if canonical_json(statement) != parsed.payload or statement.get("_type") != STATEMENT_TYPE:
            raise IntegrityError("the signed content is not an in-toto statement in canonical form")
        return statement, trusted[0]

    def revocation(self, keyid: str, at: str) -> Revocation | None:
        """The revocation that covers what ``keyid`` signed at ``at``, if any."""
        found = self.revoked.get(keyid)
        return found if found and at >= found.since else None


def sound_name(name: str) -> str:
    """The name of a reviewer, if it can be one: letters, digits and ``. _ @ + -``; else ``UsageError``."""
    if not _NAME.fullmatch(name):
        raise UsageError(f"a reviewer's name is letters, digits and . _ @ + - (at most 64), not {name!r}")
    return name


def revoke(folder: Path, keyid: str, since: str, reason: str) -> None:
    """Write a revocation into the keys folder; an earlier one of the same key can only be moved back in time."""
    from resources.artifacts import write_whole

    path = folder / "revoked.json"
    revoked = _read_revoked(path)
    if keyid in revoked:
        since = min(since, revoked[keyid].since)
    revoked[keyid] = Revocation(since, reason)
    body = {key: {"since": entry.since, "reason": entry.reason} for key, entry in revoked.items()}
    write_whole(path, json.dumps(body, indent=1, sort_keys=True).encode() + b"\n")


def statement(predicate_type: str, subject: dict[str, str], predicate: dict[str, Any]) -> dict[str, Any]:
    """An in-toto Statement v1. ``subject`` is ``{name: hex SHA-256}``."""
    return {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": name, "digest": {"sha256": digest}} for name, digest in sorted(subject.items())],
        "predicateType": predicate_type,
        "predicate": predicate,
    }


def subjects(body: dict[str, Any]) -> dict[str, str]:
    """``{name: hex SHA-256}`` of a statement; a name given twice is an ``IntegrityError``."""
    found: dict[str, str] = {}
    for item in body["subject"]:
        if item["name"] in found:
            raise IntegrityError(f"the statement names {item['name']} twice")
        found[item["name"]] = item["digest"]["sha256"]
    return found


def write_envelope(path: Path, envelope: dict[str, Any]) -> None:
    path.write_bytes(canonical_json(envelope) + b"\n")


def read_envelope(path: Path) -> dict[str, Any]:
    """An envelope in a file; ``IntegrityError`` if the bytes are not its one spelling."""
    data = path.read_bytes()
    try:
        body = json.loads(data)
        canonical = canonical_json(body) + b"\n" == data
    except ValueError:
        body, canonical = None, False
    if not canonical or not isinstance(body, dict):
        raise IntegrityError(f"{path.name} is not a DSSE envelope in canonical form")
    return body


def _parse(envelope: Any) -> Envelope:
    """A fresh ``Envelope`` of JSON; base64 or fields in any other than the one spelling are refused."""
    try:
        copy = json.loads(canonical_json(envelope))
        for field in (copy["payload"], *(signature["sig"] for signature in copy["signatures"])):
            if base64.b64encode(base64.b64decode(field, validate=True)).decode() != field:
                raise ValueError("base64 in an unusual spelling")
        parsed = Envelope.from_dict(copy)
        if parsed.payload_type != PAYLOAD_TYPE or len(parsed.signatures) != 1 or parsed.to_dict() != envelope:
            raise ValueError("unexpected fields, or not exactly one signature")
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error, HallmarkError) as error:
        raise IntegrityError(f"not a DSSE envelope of an in-toto statement ({error})") from error
    return parsed


def _create(path: Path, public_path: Path) -> None:
    """Make what is missing of a key pair; of two at once the first one's stays."""
    from filelock import FileLock  # here, because who only verifies needs neither

    from resources.artifacts import write_whole

    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with FileLock(path.with_name(".lock")):
        if not path.exists():
            private = ec.generate_private_key(ec.SECP256R1())
            pem = private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, _encryption())
            partial = path.with_name(f".{path.name}.partial")
            partial.unlink(missing_ok=True)  # of a killed process
            target = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                os.write(target, pem)
                os.fsync(target)
            finally:
                os.close(target)
            partial.rename(path)
        if not public_path.exists():
            write_whole(public_path, _public_pem(_read_private(path)))


def passphrase() -> bytes | None:
    value = os.environ.get(PASSPHRASE)
    return value.encode() if value else None


def _encryption() -> serialization.KeySerializationEncryption:
    secret = passphrase()
    return serialization.BestAvailableEncryption(secret) if secret else serialization.NoEncryption()


def _read_private(path: Path) -> ec.EllipticCurvePrivateKey:
    data = path.read_bytes()
    try:
        private = serialization.load_pem_private_key(data, passphrase() if b"ENCRYPTED" in data else None)
    except (ValueError, TypeError) as error:
        raise StoreError(f"{path} cannot be opened; is {PASSPHRASE} the right one?") from error
    if not isinstance(private, ec.EllipticCurvePrivateKey) or private.curve.name != "secp256r1":
        raise StoreError(f"{path} is not an ECDSA P-256 key")
    return private


def _public_pem(private: ec.EllipticCurvePrivateKey) -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return private.public_key().public_bytes(serialization.Encoding.PEM, form)


def _read_public(path: Path, role: Role, name: str) -> PublicKey:
    try:
        public = serialization.load_pem_public_key(path.read_bytes())
    except ValueError as error:
        raise IntegrityError(f"{path} is not a public key") from error
    if not isinstance(public, ec.EllipticCurvePublicKey) or public.curve.name != "secp256r1":
        raise IntegrityError(f"{path} is not an ECDSA P-256 key")
    return PublicKey(role, name, SSlibKey.from_crypto(public), path)


def _read_revoked(path: Path) -> dict[str, Revocation]:
    try:
        return {keyid: Revocation(**entry) for keyid, entry in json.loads(path.read_bytes()).items()}
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, AttributeError) as error:
        raise IntegrityError(f"{path} is not readable; without it no key can be trusted") from error
