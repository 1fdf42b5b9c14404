"""Decisions on held calls, and the one-time grant that an approved call carries to the tool's own service.

A reviewer's *decision* is an in-toto statement over the call and over the arguments that he lets through. When enough
reviewers have approved the same arguments, the pipeline's key signs a *grant* over call, arguments, release, requester
and expiry. What travels is the grant with the decisions beside it::

    {"grant": envelope, "decisions": [envelope, ...]}

The tool's service proves it with public keys only (``prove_grant``): the pipeline's signature alone is not enough, each
of the quorum's decisions is checked too, so that whoever holds the gateway's key still cannot act without a reviewer.
Then it takes the grant (``Spent.take``): the second time is refused. A service that asks for grants needs no trust in
whoever brings them, and going round the gateway gains nothing.

Nothing here needs more than securesystemslib and cryptography: it is part of ``hallmark-verify``.
"""

import base64
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from resources.clock import utc
from resources.digests import digest_json
from resources.errors import ApprovalRefused, IntegrityError, StoreError
from resources.signer import KeyRing, SigningKey, statement, subjects

Outcome = Literal["approve", "reject"]
DECISION = "https://hallmark.invalid/predicate/held-decision/v1"
GRANT = "https://hallmark.invalid/predicate/grant/v1"
Envelope = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Decision:
    """A reviewer's word on a held call, read from its envelope. ``proposal`` is the digest of what was let through."""

    held: str
    call: str
    proposal: str
    outcome: Outcome
    reviewer: str
    reason: str
    edited: bool
    at: str
    keyid: str
    envelope: Envelope

    @classmethod
    def read(cls, envelope: Any, ring: KeyRing) -> "Decision":
        """The decision in an envelope that a trusted reviewer signed; else ``IntegrityError``."""
        body, key = ring.check(envelope, "reviewer")
        word = cls._of(body, key.keyid, envelope)
        if word.reviewer != key.name:
            raise IntegrityError(f"signed by {key.name}'s key in the name of {word.reviewer}")
        if revoked := ring.revoked.get(key.keyid):  # whenever: a thief can date his word back
            raise IntegrityError(f"the key of {key.name} was revoked as of {revoked.since} ({revoked.reason})")
        return word

    @classmethod
    def kept(cls, envelope: Envelope) -> "Decision":
        """A decision that was proven when it was taken; its key may have been revoked since."""
        keyid = str(envelope["signatures"][0]["keyid"])
        return cls._of(json.loads(base64.b64decode(envelope["payload"])), keyid, envelope)

    @classmethod
    def _of(cls, body: dict[str, Any], keyid: str, envelope: Envelope) -> "Decision":
        try:
            said, named = body["predicate"], subjects(body)
            if body["predicateType"] != DECISION or said["outcome"] not in ("approve", "reject"):
                raise IntegrityError(f"a {body['predicateType']} is signed, not a decision on a held call")
            return cls(
                str(said["held"]), named["call"], named["proposal"], said["outcome"], str(said["reviewer"]),
                str(said["reason"]), bool(said["edited"]), str(said["at"]), keyid, envelope,
            )  # fmt: skip
        except (KeyError, TypeError) as error:
            raise IntegrityError("what is signed is not a whole decision") from error


def decision_statement(
    held: str, call: str, proposal: Any, outcome: Outcome, reviewer: str, reason: str, *, edited: bool, at: str
) -> dict[str, Any]:
    """What a reviewer signs. ``call`` is the held call's digest, ``proposal`` the arguments or text let through."""
    said = {"held": held, "outcome": outcome, "reviewer": reviewer, "reason": reason, "edited": edited, "at": at}
    return statement(DECISION, {"call": call, "proposal": digest_json(proposal)}, said)


@dataclass(frozen=True, slots=True)
class Grant:
    """A one-time permission. Times are UTC; ``reviewers`` are those whose approvals were proven."""

    held: str
    tool: str
    requester: str
    release: str
    issued_at: str
    expires_at: str
    reviewers: tuple[str, ...]


def sign_grant(
    key: SigningKey,
    decisions: Sequence[Decision],
    *,
    tool: str,
    requester: str,
    release: str,
    quorum: int,
    issued_at: str,
    expires_at: str,
) -> dict[str, Any]:
    """The grant for approvals that agree, signed with the pipeline's key, and the approvals beside it."""
    first = decisions[0]
    said = {
        "held": first.held, "tool": tool, "requester": requester, "release": release, "quorum": quorum,
        "issued_at": issued_at, "expires_at": expires_at,
    }  # fmt: skip
    envelope = key.sign(statement(GRANT, {"call": first.call, "proposal": first.proposal}, said))
    return {"grant": envelope, "decisions": [word.envelope for word in decisions]}


def prove_grant(
    token: Any,
    ring: KeyRing,
    *,
    tool: str,
    arguments: Any,
    requester: str | None = None,
    release: str | None = None,
    quorum: int = 1,
    now: datetime | None = None,
) -> Grant:
    """The grant in ``token`` if it holds for this very call now; ``IntegrityError`` or ``ApprovalRefused`` if not.

    ``arguments`` are the JSON arguments about to be used. ``quorum`` is what the service itself demands; the grant's
    own quorum counts where it is higher. It is proven, not used up: see ``Spent``.
    """
    if not isinstance(token, dict) or set(token) != {"grant", "decisions"} or not isinstance(token["decisions"], list):
        raise IntegrityError("a grant comes as {grant, decisions}")
    body, key = ring.check(token["grant"], "pipeline")
    try:
        said, named = body["predicate"], subjects(body)
        if body["predicateType"] != GRANT:
            raise IntegrityError(f"a {body['predicateType']} is signed, not a grant")
        texts = {name: str(said[name]) for name in ("held", "tool", "requester", "release", "issued_at", "expires_at")}
        needed = max(int(said["quorum"]), quorum, 1)
        call, proposal = named["call"], named["proposal"]
    except (KeyError, TypeError, ValueError) as error:
        raise IntegrityError("what is signed is not a whole grant") from error
    if revoked := ring.revoked.get(key.keyid):
        raise IntegrityError(f"the grant's key was revoked as of {revoked.since} ({revoked.reason})")
    _same(texts, tool, arguments, proposal, requester, release, utc(now))
    approved = {
        word.reviewer
        for word in (Decision.read(envelope, ring) for envelope in token["decisions"])
        if (word.outcome, word.held, word.call, word.proposal) == ("approve", texts["held"], call, proposal)
    }
    if len(approved) < needed:
        raise ApprovalRefused(f"{len(approved)} of {needed} reviewers approved this call")
    return Grant(**texts, reviewers=tuple(sorted(approved)))


def _same(
    said: dict[str, str],
    tool: str,
    arguments: Any,
    proposal: str,
    requester: str | None,
    release: str | None,
    at: str,
) -> None:
    wanted = {"tool": tool, "requester": requester, "release": release}
    for name, value in wanted.items():
        if value is not None and said[name] != value:
            raise ApprovalRefused(f"the grant is for {name} {said[name]!r}, not {value!r}")
    if digest_json(arguments) != proposal:
        raise ApprovalRefused("the grant is for other arguments")
    if at >= said["expires_at"]:
        raise ApprovalRefused(f"the grant expired at {said['expires_at']}")


class Spent:
    """The grants that a service has used up: one small file each, made only once, whichever process comes first."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def take(self, grant: Grant) -> None:
        """Use a proven grant up, durably, before acting on it; ``ApprovalRefused`` if it was used before."""
        self.folder.mkdir(parents=True, exist_ok=True)
        name = self.folder / digest_json([grant.held])
        try:
            target = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise ApprovalRefused(f"the grant of {grant.held} was used before") from None
        except OSError as error:
            raise StoreError(f"the grant of {grant.held} cannot be used up: {error.strerror}") from error
        os.close(target)
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
