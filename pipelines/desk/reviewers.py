"""Reviewers and their passkeys: invitations, registration, signing in, and counters that only go up.

Below the workspace's ``desk`` folder::

    invitations.json   {SHA-256 of the link's token: name, expires_at}: each is for one passkey, then it is gone
    counters.json      {key id: how often the passkey said it was used}

Who may invite is who may run commands in the workspace: the same person could put a reviewer's key file there.
"""

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from filelock import FileLock

from resources.artifacts import write_whole
from resources.clock import utc
from resources.digests import digest_bytes
from resources.errors import ApprovalRefused, IntegrityError
from resources.passkey import Passkey, prove
from resources.signer import KeyRing, PublicKey, sound_name
from resources.workspace import Workspace

INVITED = timedelta(hours=24)
KIND = "passkey"  # of the entry in the log of decisions


@dataclass(frozen=True, slots=True)
class Reviewers:
    """``origin`` is the address that browsers show, such as ``http://localhost:3001``."""

    workspace: Workspace
    origin: str

    @property
    def host(self) -> str:
        """WebAuthn's relying party."""
        return urlsplit(self.origin).hostname or ""

    def invite(self, name: str, *, now: datetime | None = None) -> str:
        """A link with which ``name`` registers one passkey."""
        token, until = secrets.token_urlsafe(32), utc((now or datetime.now(UTC)) + INVITED)
        invitation = {"name": sound_name(name), "expires_at": until}
        self._change("invitations", lambda known: {**_valid(known, utc(now)), _digest(token): invitation})
        return f"{self.origin}/invitation/{token}"

    def invited(self, token: str) -> str:
        """The name an invitation is for; ``ApprovalRefused`` if there is none, or no longer."""
        found = _valid(self._read("invitations"), utc()).get(_digest(token))
        if found is None:
            raise ApprovalRefused("this invitation was used, has expired or never was; ask for another")
        return str(found["name"])

    def register(self, token: str, credential: Any, challenge: bytes, label: str) -> Passkey:
        """Trust the passkey that a browser made for an invitation, and use the invitation up."""
        from webauthn import verify_registration_response
        from webauthn.helpers import bytes_to_base64url

        name = self.invited(token)
        try:
            made = verify_registration_response(
                credential=credential,
                expected_challenge=challenge,
                expected_rp_id=self.host,
                expected_origin=self.origin,
                require_user_verification=True,
            )
        except Exception as error:  # the library raises many kinds on bytes made to break it
            raise IntegrityError(f"the new passkey does not hold: {error}") from error
        public = bytes_to_base64url(made.credential_public_key)
        passkey = Passkey(name, bytes_to_base64url(made.credential_id), public, self.host, label[:60], utc())
        used = self._change(
            "invitations", lambda known: {key: it for key, it in known.items() if key != _digest(token)}
        )
        if _digest(token) not in used:
            raise ApprovalRefused("this invitation was used meanwhile; ask for another")
        said = {"name": name, "keyid": passkey.keyid, "host": self.host, "label": passkey.label}
        self.workspace.decision_log.append(KIND, said)
        passkey.write(self.workspace.keys)
        self.count(passkey.keyid, made.sign_count, first=True)
        return passkey

    def sign_in(self, assertion: Any, challenge: bytes) -> PublicKey:
        """The passkey that answered; ``ApprovalRefused`` or ``IntegrityError`` if nobody's did."""
        ring = KeyRing.open(self.workspace.keys)
        credential = assertion.get("id") if isinstance(assertion, dict) else None
        found = next((key for key in self._usable(ring) if key.passkey and key.passkey.credential == credential), None)
        if found is None or found.passkey is None:
            raise ApprovalRefused("this passkey is not registered here, or was revoked")
        self.count(found.keyid, prove(found.passkey, assertion, challenge, self.origin))
        return found

    def passkeys(self, name: str) -> list[PublicKey]:
        """The passkeys with which ``name`` can sign at this desk."""
        return [key for key in self._usable(KeyRing.open(self.workspace.keys)) if key.name == name]

    def anybody(self) -> bool:
        """Whether anybody could sign in."""
        return bool(self._usable(KeyRing.open(self.workspace.keys)))

    def count(self, keyid: str, count: int, *, first: bool = False) -> None:
        """Note a passkey's counter. One that does not go up was copied, or its answer is replayed: refused."""

        def advanced(known: dict[str, Any]) -> dict[str, Any]:
            before = int(known.get(keyid, 0))
            if not first and (count or before) and count <= before:
                raise IntegrityError(f"the passkey's counter stands at {before} and this answer says {count}: refused")
            return {**known, keyid: max(count, before)}

        self._change("counters", advanced)

    def _usable(self, ring: KeyRing) -> list[PublicKey]:
        keys = [key for key in ring.of("reviewer") if key.passkey and key.passkey.host == self.host]
        return [key for key in keys if not ring.revocation(key.keyid, utc())]

    def _path(self, name: str) -> Path:
        return self.workspace.root / "desk" / f"{name}.json"

    def _read(self, name: str) -> dict[str, Any]:
        try:
            body: dict[str, Any] = json.loads(self._path(name).read_bytes())
        except FileNotFoundError:
            return {}
        except ValueError as error:
            raise IntegrityError(f"{self._path(name)} is not readable") from error
        return body

    def _change(self, name: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
        """Change a file under its lock; what it held before."""
        path = self._path(name)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with FileLock(f"{path}.lock"):
            before = self._read(name)
            write_whole(path, json.dumps(change(before), indent=1, sort_keys=True).encode() + b"\n")
        return before


def _digest(token: str) -> str:
    return digest_bytes(token.encode())


def _valid(known: dict[str, Any], at: str) -> dict[str, Any]:
    return {key: invitation for key, invitation in known.items() if invitation["expires_at"] > at}
