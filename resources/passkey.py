"""Passkeys: a reviewer's signing key that lives in a phone, a laptop or a security key, and never leaves it.

A passkey signs a statement by a WebAuthn *assertion* (https://www.w3.org/TR/webauthn-3/) whose challenge is the SHA-256
of what DSSE signs: the statement and its type. The assertion takes the place of the bare signature in the envelope, so
that whatever checks an envelope (``resources.signer.KeyRing``) checks a passkey's offline too. Beside the challenge it
proves that the person was verified (PIN, finger, face), and for which host the browser asked.

The public half is a file of the keys folder, and as trusted as that folder is::

    keys/passkeys/<first digits of the key id>.json     name, credential, public_key, host, label, created_at
"""

import base64
import binascii
import dataclasses
import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import UnverifiedSignatureError
from securesystemslib.signer import Key, Signature  # type: ignore[attr-defined]

from resources.digests import canonical_json, digest_json
from resources.errors import IntegrityError

FOLDER = "passkeys"
PARTS = ("authenticatorData", "clientDataJSON", "signature")  # of an assertion; base64url without padding
FILE_DIGITS = 16
_COUNTER = slice(33, 37)  # of the authenticator data, big-endian
LOCAL = "localhost"  # the one host whose pages may use passkeys without TLS


@dataclass(frozen=True, slots=True)
class Passkey:
    """The public half. ``host`` is WebAuthn's relying party; ``credential`` and ``public_key`` (COSE) are base64url."""

    name: str
    credential: str
    public_key: str
    host: str
    label: str = ""
    created_at: str = ""

    @property
    def keyid(self) -> str:
        """Of the key itself, whoever's name stands beside it."""
        return digest_json([self.host, self.credential, self.public_key])

    def write(self, folder: Path) -> Path:
        """Into a keys folder: from now on it is trusted in this name."""
        from resources.artifacts import write_whole

        path = folder / FOLDER / f"{self.keyid[:FILE_DIGITS]}.json"
        write_whole(path, canonical_json(dataclasses.asdict(self)) + b"\n")
        return path

    @classmethod
    def read(cls, path: Path) -> "Passkey":
        try:
            found = cls(**json.loads(path.read_bytes()))
            whole = all(isinstance(part, str) for part in dataclasses.astuple(found))
        except (ValueError, TypeError) as error:
            raise IntegrityError(f"{path} is not a passkey") from error
        if not whole or not found.keyid.startswith(path.stem) or len(path.stem) != FILE_DIGITS:
            raise IntegrityError(f"{path} is not the passkey that its name says")
        return found


def passkeys(folder: Path) -> list[tuple[Passkey, Path]]:
    """Those of a keys folder, and their files."""
    return [(Passkey.read(path), path) for path in sorted((folder / FOLDER).glob("*.json"))]


class PasskeyKey(Key):
    """A passkey as securesystemslib takes it. Its signature is the canonical JSON of an assertion's ``PARTS``."""

    def __init__(self, passkey: Passkey) -> None:
        super().__init__(passkey.keyid, "webauthn", "webauthn", {"public": passkey.public_key})
        self.passkey = passkey

    @classmethod
    def from_dict(cls, keyid: str, key_dict: dict[str, Any]) -> "PasskeyKey":
        raise NotImplementedError("a passkey is read from its file")

    def to_dict(self) -> dict[str, Any]:
        return self._to_dict()

    def verify_signature(self, signature: Signature, data: bytes) -> None:
        try:
            parts = _parts(bytes.fromhex(signature.signature))
            _verify(self.passkey, parts, hashlib.sha256(data).digest())
        except ImportError as error:
            raise IntegrityError("a passkey signed this: checking it needs the library webauthn") from error
        except Exception as error:  # the library raises many kinds on bytes made to break it; none of them is a yes
            raise UnverifiedSignatureError(f"the assertion of {self.passkey.name} does not hold: {error}") from error


def challenge(statement: dict[str, Any], payload_type: str) -> bytes:
    """What an authenticator is asked to sign for a statement; 32 bytes."""
    return hashlib.sha256(_unsigned(statement, payload_type).pae()).digest()


def envelope(statement: dict[str, Any], payload_type: str, keyid: str, assertion: Any) -> dict[str, Any]:
    """The statement in a DSSE envelope signed by a browser's ``assertion`` (its JSON form). Nothing is checked yet."""
    try:
        parts = {name: str(assertion["response"][name]) for name in PARTS}
    except (KeyError, TypeError) as error:
        raise IntegrityError("this is not an assertion of a passkey") from error
    made = _unsigned(statement, payload_type)
    made.signatures[keyid] = Signature(keyid, canonical_json(parts).hex())
    body: dict[str, Any] = made.to_dict()
    return body


def prove(passkey: Passkey, assertion: Any, expected: bytes, origin: str) -> int:
    """The counter of a browser's fresh ``assertion`` over a challenge, for a page of ``origin`` alone.

    ``IntegrityError`` if it does not hold.
    """
    try:
        response = assertion["response"]
        parts = {name: _decoded(response[name]) for name in PARTS}
        if json.loads(parts["clientDataJSON"])["origin"] != origin:
            raise ValueError("it was made for another page")
        _verify(passkey, parts, expected)
    except Exception as error:  # as above: whatever is wrong with it, it is not a yes
        raise IntegrityError(f"the passkey's answer does not hold: {error}") from error
    return int.from_bytes(parts["authenticatorData"][_COUNTER], "big")


def _unsigned(statement: dict[str, Any], payload_type: str) -> Envelope:
    return Envelope(canonical_json(statement), payload_type, {})


def _parts(signature: bytes) -> dict[str, bytes]:
    """The decoded parts of an assertion; one spelling only."""
    body = json.loads(signature)
    if not isinstance(body, dict) or sorted(body) != sorted(PARTS) or canonical_json(body) != signature:
        raise ValueError("not an assertion in canonical form")
    return {name: _decoded(body[name]) for name in PARTS}


def _decoded(text: str) -> bytes:
    if not isinstance(text, str) or not re.fullmatch(r"[A-Za-z0-9_-]*", text):
        raise ValueError("not base64url")
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error as error:
        raise ValueError("not base64url") from error
    if base64.urlsafe_b64encode(data).rstrip(b"=").decode() != text:
        raise ValueError("base64url in an unusual spelling")
    return data


def _verify(passkey: Passkey, parts: dict[str, bytes], expected: bytes) -> None:
    """Raises unless the passkey signed ``expected`` for a page of its host, with the person verified.

    The counter is not asked here: an old signature stays one. Who takes a new signature asks it.
    """
    from webauthn import verify_authentication_response
    from webauthn.helpers.structs import AuthenticationCredential, AuthenticatorAssertionResponse

    origin = str(json.loads(parts["clientDataJSON"]).get("origin", ""))
    if not _may_ask(passkey.host, origin):
        raise ValueError(f"it was asked for by {origin[:80]!r}, not by a page of {passkey.host}")
    response = AuthenticatorAssertionResponse(
        parts["clientDataJSON"], parts["authenticatorData"], parts["signature"]
    )  # fmt: skip
    verify_authentication_response(
        credential=AuthenticationCredential(passkey.credential, _decoded(passkey.credential), response),
        expected_challenge=expected,
        expected_rp_id=passkey.host,
        expected_origin=origin,
        credential_public_key=_decoded(passkey.public_key),
        credential_current_sign_count=0,
        require_user_verification=True,
    )


def _may_ask(host: str, origin: str) -> bool:
    parts = urlsplit(origin)
    name = parts.hostname or ""
    return (name == host or name.endswith(f".{host}")) and (parts.scheme == "https" or name == host == LOCAL)
