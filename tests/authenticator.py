"""An authenticator in software: what a browser and a security key do together, for tests without a browser.

It makes real P-256 keys and real assertions; a test says what to get wrong.
"""

import base64
import hashlib
import json
import secrets
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from resources.clock import utc
from resources.passkey import Passkey, challenge, envelope
from resources.signer import PAYLOAD_TYPE

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Authenticator:
    """One credential for one host. ``counter`` is what it says next; 0 stays 0, as with a passkey that is synced."""

    def __init__(self, host: str = "localhost", origin: str = "http://localhost:3001", counter: int = 1) -> None:
        self.host, self.origin, self.counter = host, origin, counter
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.credential, self.made = secrets.token_bytes(32), utc()

    @property
    def public_key(self) -> bytes:
        """COSE (RFC 9053): EC2, ES256, P-256."""
        numbers = self.key.public_key().public_numbers()
        return cbor2.dumps({1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")})

    def passkey(self, name: str) -> Passkey:
        return Passkey(name, b64(self.credential), b64(self.public_key), self.host, "test", self.made)

    def register(self, asked: bytes, *, flags: int = PRESENT | VERIFIED) -> dict[str, Any]:
        """What ``navigator.credentials.create()`` gives for a challenge, as JSON; no attestation."""
        attested = bytes(16) + len(self.credential).to_bytes(2, "big") + self.credential + self.public_key
        data = self._data(flags | ATTESTED) + attested
        self._used()
        response = {
            "clientDataJSON": b64(self._client("webauthn.create", asked)),
            "attestationObject": b64(cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})),
        }
        return self._credential(response)

    def get(self, asked: bytes, *, flags: int = PRESENT | VERIFIED) -> dict[str, Any]:
        """What ``navigator.credentials.get()`` gives for a challenge, as JSON."""
        client, data = self._client("webauthn.get", asked), self._data(flags)
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        self._used()
        response = {"clientDataJSON": b64(client), "authenticatorData": b64(data), "signature": b64(signature)}
        return self._credential(response)

    def sign(self, statement: dict[str, Any], **wrong: Any) -> dict[str, Any]:
        """A statement in an envelope signed by this passkey."""
        assertion = self.get(challenge(statement, PAYLOAD_TYPE), **wrong)
        return envelope(statement, PAYLOAD_TYPE, self.passkey("anybody").keyid, assertion)

    def _client(self, kind: str, asked: bytes) -> bytes:
        return json.dumps({"type": kind, "challenge": b64(asked), "origin": self.origin, "crossOrigin": False}).encode()

    def _data(self, flags: int) -> bytes:
        return hashlib.sha256(self.host.encode()).digest() + bytes([flags]) + self.counter.to_bytes(4, "big")

    def _used(self) -> None:
        if self.counter:
            self.counter += 1

    def _credential(self, response: dict[str, str]) -> dict[str, Any]:
        name = b64(self.credential)
        return {"id": name, "rawId": name, "type": "public-key", "response": response, "clientExtensionResults": {}}
