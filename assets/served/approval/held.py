"""Held calls: what a model proposed and a person must decide on. The one store that gateway and desk share.

::

    store = HeldStore.open(workspace)                       # served/held.sqlite; any number of processes at once
    held  = store.hold(Proposed(...), ruling.hold, why)     # durable on return; the same call again: the same held
    calls = store.page("waiting", after="", limit=50)       # oldest first; go on with after=calls[-1].held
    held  = store.get(held.held)                            # HeldNotFound
    body  = store.draft(held, "approve", "ada", "checked")  # what ada signs; edited=... lets other arguments through
    envelope = SigningKey.reviewer(keys, "ada").sign(body)  # or a passkey: any envelope that KeyRing.check admits
    held  = store.decide(held.held, envelope, keys, roles, edited=...)      # ApprovalRefused says why not
    held.status   waiting -> approved | rejected | expired (silence is no); once left, it never changes again
    held.final    the arguments or text that were let through, once approved
    held.token    for an approved call: the one-time grant, see ``assets.served.approval.grants``

The store enforces the rules, whoever calls it: only who the rule names decides, never the requester; a reviewer has one
word; one rejection rejects; approvals count when enough different reviewers let the *same* arguments through; nothing
is decided after expiry, nor by a clock that stands before the call itself.

It is an SQLite database in WAL mode with full synchronisation: a call is on disk before anybody hears of it, a killed
process leaves whole transactions, a full disk is a ``StoreError`` and changes nothing. What was said is encrypted at
rest with the vault's key, like everything that is not sanitised (law 7).
"""

import contextlib
import json
import secrets
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from assets.served.approval.actions import Hold
from assets.served.approval.grants import Decision, Outcome, decision_statement, sign_grant
from resources.clock import TOLERANCE, parse, utc
from resources.digests import canonical_json, digest_json
from resources.errors import ApprovalRefused, InputError, IntegrityError, StoreError
from resources.line_cipher import LineCipher
from resources.shared_database import connect
from resources.signer import KeyRing, SigningKey
from resources.vault import read_secret
from resources.workspace import Workspace

Status = Literal["waiting", "approved", "rejected", "expired"]
_SCHEMA = """
CREATE TABLE IF NOT EXISTS held (
  held TEXT PRIMARY KEY, retry TEXT NOT NULL UNIQUE, tool TEXT NOT NULL, requester TEXT NOT NULL, release TEXT NOT NULL,
  why TEXT NOT NULL, rule TEXT NOT NULL, sealed TEXT NOT NULL, created_at TEXT NOT NULL, expires_at TEXT NOT NULL,
  status TEXT NOT NULL, decided_at TEXT NOT NULL DEFAULT '', final TEXT NOT NULL DEFAULT '',
  token TEXT NOT NULL DEFAULT '', followed INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS held_by_status ON held (status, created_at, held);
CREATE TABLE IF NOT EXISTS decision (
  held TEXT NOT NULL, reviewer TEXT NOT NULL, envelope TEXT NOT NULL, sealed TEXT NOT NULL,
  PRIMARY KEY (held, reviewer));
"""
_COLUMNS = "held, tool, requester, release, why, rule, sealed, created_at, expires_at, status, decided_at, final, token"


class HeldNotFound(InputError):
    """No held call has this name."""

    def __init__(self, held: str) -> None:
        super().__init__("nothing is held under this name", object_key=held[:64], rule="held-exists")


@dataclass(frozen=True, slots=True)
class Proposed:
    """What the model proposed. A held text has no ``tool``; its ``proposal`` is the text itself.

    ``retry`` makes holding idempotent: equal for requests that are one (the client's idempotency key, else a digest of
    the conversation and the call). ``conversation`` is what led to it, in OpenAI's message form, and ``tools``
    are those that it could choose from.
    """

    tool: str
    proposal: Any
    conversation: Sequence[Mapping[str, Any]]
    requester: str
    release: str
    retry: str
    tools: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class Held:
    """A held call as it stands. Times are UTC; ``call`` is the digest that decisions and grant are bound to."""

    held: str
    tool: str
    proposal: Any
    conversation: tuple[Mapping[str, Any], ...]
    requester: str
    release: str
    why: str
    rule: Hold
    created_at: str
    expires_at: str
    status: Status
    decided_at: str
    final: Any
    token: dict[str, Any] | None
    decisions: tuple[Decision, ...]
    edits: Mapping[str, Any]
    """By reviewer, what he would let through where that is not what the model proposed."""
    tools: tuple[Mapping[str, Any], ...] = ()

    @property
    def call(self) -> str:
        bound = (self.held, self.tool, self.proposal, self.requester, self.release, self.created_at, self.expires_at)
        return digest_json(bound)

    @property
    def edited(self) -> bool:
        """Whether what was let through is not what the model proposed."""
        return self.status == "approved" and digest_json(self.final) != digest_json(self.proposal)

    @property
    def agreed(self) -> tuple[Decision, ...]:
        """The words that let this very form through, once it is approved."""
        passed = digest_json(self.final)
        return tuple(word for word in self.decisions if (word.outcome, word.proposal) == ("approve", passed))


class HeldStore:
    """The held calls in one database file; see the module's text."""

    def __init__(self, path: Path, cipher: LineCipher) -> None:
        self.path, self._cipher = path, cipher

    @classmethod
    def open(cls, workspace: Workspace) -> "HeldStore":
        secret = read_secret(workspace.keys / "vault.key", create=True)
        return cls(workspace.served / "held.sqlite", LineCipher(secret))

    def hold(self, proposed: Proposed, rule: Hold, why: str, *, now: datetime | None = None) -> Held:
        """Hold a call; on return it is on disk. A call whose ``retry`` is known is returned as it stands by now."""
        created = utc(now)
        expires = utc(parse(created) + timedelta(minutes=rule.minutes))
        said = {
            "proposal": proposed.proposal,
            "conversation": [dict(turn) for turn in proposed.conversation],
            "tools": [dict(tool) for tool in proposed.tools],
        }
        held = f"held_{secrets.token_hex(12)}"
        row = (
            held, digest_json([proposed.requester, proposed.retry]), proposed.tool, proposed.requester,
            proposed.release, why, rule.model_dump_json(include=set(Hold.model_fields)), self._seal(said),
            created, expires, "waiting",
        )  # fmt: skip
        with self._transaction() as database:
            known = database.execute("SELECT held FROM held WHERE retry = ?", (row[1],)).fetchone()
            if known is None:
                columns = "held, retry, tool, requester, release, why, rule, sealed, created_at, expires_at, status"
                database.execute(f"INSERT INTO held ({columns}) VALUES (?,?,?,?,?,?,?,?,?,?,?)", row)  # noqa: S608
            return self._read(database, known[0] if known else held, utc(now))

    def get(self, held: str, *, now: datetime | None = None) -> Held:
        with self._transaction() as database:
            return self._read(database, held, utc(now))

    def page(
        self, status: Status | None = None, *, after: str = "", limit: int = 100, now: datetime | None = None
    ) -> list[Held]:
        """Held calls of one status (None: any), oldest first, from behind the call named ``after``."""
        with self._transaction() as database:
            self._expire(database, utc(now))
            start = ("", "")
            if after:
                row = database.execute("SELECT created_at, held FROM held WHERE held = ?", (after,)).fetchone()
                if row is None:
                    raise HeldNotFound(after)
                start = (row[0], row[1])
            found = database.execute(
                "SELECT held FROM held WHERE (? IS NULL OR status = ?) AND (created_at, held) > (?, ?) "
                "ORDER BY created_at, held LIMIT ?",
                (status, status, *start, limit),
            ).fetchall()
            return [self._read(database, row[0], utc(now)) for row in found]

    def counts(self, *, now: datetime | None = None) -> dict[str, int]:
        """How many calls have each status."""
        with self._transaction() as database:
            self._expire(database, utc(now))
            found = database.execute("SELECT status, COUNT(*) FROM held GROUP BY status").fetchall()
        return {"waiting": 0, "approved": 0, "rejected": 0, "expired": 0, **dict(found)}

    def draft(
        self,
        held: Held,
        outcome: Outcome,
        reviewer: str,
        reason: str,
        *,
        edited: Any = None,
        now: datetime | None = None,
    ) -> dict[str, Any]:
        """The in-toto statement that a reviewer signs. ``edited`` (arguments or text) approves in another form."""
        if not reason.strip():
            raise ApprovalRefused("a decision needs a reason")
        proposal = held.proposal if edited is None else edited
        changed = digest_json(proposal) != digest_json(held.proposal)
        return decision_statement(
            held.held, held.call, proposal, outcome, reviewer, reason.strip(), edited=changed, at=utc(now)
        )

    def decide(
        self,
        held: str,
        envelope: Any,
        keys: Path,
        roles: Mapping[str, Sequence[str]],
        *,
        edited: Any = None,
        now: datetime | None = None,
    ) -> Held:
        """Take a reviewer's signed word. ``roles`` is ``{reviewer: roles}`` of the policy; ``edited`` as in ``draft``.

        The same word again changes nothing. ``ApprovalRefused`` or ``IntegrityError`` say why a word does not count.
        """
        word = Decision.read(envelope, KeyRing.open(keys))
        with self._transaction() as database:
            found = self._read(database, held, utc(now))
            proposal = found.proposal if edited is None else edited
            known = next((each for each in found.decisions if each.reviewer == word.reviewer), None)
            if known is not None and (known.outcome, known.proposal) == (word.outcome, word.proposal):
                return found
            _refuse(found, word, proposal, known, roles, utc(now))
            database.execute(
                "INSERT INTO decision (held, reviewer, envelope, sealed) VALUES (?,?,?,?)",
                (held, word.reviewer, canonical_json(envelope).decode(), self._seal(proposal)),
            )
            self._settle(database, found, word, proposal, keys, utc(now))
            return self._read(database, held, utc(now))

    def settled(self, *, now: datetime | None = None) -> list[Held]:
        """Calls that were decided or expired and that nobody has followed up yet: see ``followed``."""
        with self._transaction() as database:
            self._expire(database, utc(now))
            found = database.execute("SELECT held FROM held WHERE status <> 'waiting' AND followed = 0").fetchall()
            return [self._read(database, row[0], "") for row in found]

    def followed(self, held: str) -> None:
        """Note that a settled call is in the record, and its correction in the store of drops."""
        with self._transaction() as database:
            database.execute("UPDATE held SET followed = 1 WHERE held = ?", (held,))

    def _settle(
        self, database: sqlite3.Connection, found: Held, word: Decision, proposal: Any, keys: Path, at: str
    ) -> None:
        """Reject, or approve once the quorum has let the same proposal through; the grant is part of the same step."""
        status, token = "waiting", ""
        agreed = [
            each for each in (*found.decisions, word) if (each.outcome, each.proposal) == ("approve", word.proposal)
        ]
        if word.outcome == "reject":
            status = "rejected"
        elif len(agreed) >= found.rule.quorum:
            status = "approved"
            if found.tool:
                until = utc(parse(at) + timedelta(minutes=found.rule.grant_minutes))
                grant = sign_grant(
                    SigningKey.pipeline(keys), agreed, tool=found.tool, requester=found.requester,
                    release=found.release, quorum=found.rule.quorum, issued_at=at, expires_at=until,
                )  # fmt: skip
                token = canonical_json(grant).decode()
        if status != "waiting":
            database.execute(
                "UPDATE held SET status = ?, decided_at = ?, final = ?, token = ? WHERE held = ?",
                (status, at, self._seal(proposal) if status == "approved" else "", token, found.held),
            )

    def _expire(self, database: sqlite3.Connection, at: str) -> None:
        """What nobody decided on in time is refused for good, whatever the clock says later."""
        database.execute(
            "UPDATE held SET status = 'expired', decided_at = ? WHERE status = 'waiting' AND expires_at <= ?", (at, at)
        )

    def _read(self, database: sqlite3.Connection, held: str, at: str) -> Held:
        if at:
            self._expire(database, at)
        row = database.execute(f"SELECT {_COLUMNS} FROM held WHERE held = ?", (held,)).fetchone()  # noqa: S608
        if row is None:
            raise HeldNotFound(held)
        said = self._open(row[6])
        kept = database.execute(
            "SELECT envelope, sealed FROM decision WHERE held = ? ORDER BY rowid", (held,)
        ).fetchall()
        words = tuple(Decision.kept(json.loads(envelope)) for envelope, _ in kept)
        return Held(
            held=row[0], tool=row[1], proposal=said["proposal"], conversation=tuple(said["conversation"]),
            tools=tuple(said.get("tools", ())),
            requester=row[2], release=row[3], why=row[4], rule=Hold.model_validate_json(row[5]), created_at=row[7],
            expires_at=row[8], status=row[9], decided_at=row[10], final=self._open(row[11]) if row[11] else None,
            token=json.loads(row[12]) if row[12] else None,
            decisions=words, edits={
                word.reviewer: self._open(sealed) for word, (_, sealed) in zip(words, kept, strict=True) if word.edited
            },
        )  # fmt: skip

    def _seal(self, value: Any) -> str:
        return self._cipher.seal(canonical_json(value).decode())

    def _open(self, sealed: str) -> Any:
        return json.loads(self._cipher.open(sealed))

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """One write transaction: all of it happens or nothing, and no other process is between its steps."""
        try:
            database = connect(self.path, _SCHEMA)
            try:
                database.execute("PRAGMA synchronous = FULL")
                database.execute("BEGIN IMMEDIATE")
                yield database
                database.execute("COMMIT")
            finally:
                database.close()  # what was not committed is rolled back
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"the held calls in {self.path} cannot be read or written: {error}") from error


def _refuse(
    found: Held, word: Decision, proposal: Any, known: Decision | None, roles: Mapping[str, Sequence[str]], at: str
) -> None:
    """Raise where a word does not count for this call."""
    if (word.held, word.call) != (found.held, found.call):
        raise IntegrityError(f"{word.reviewer} decided on another call than {found.held}")
    if word.proposal != digest_json(proposal):
        raise IntegrityError(f"{word.reviewer} signed other arguments than those given")
    if word.edited != (digest_json(proposal) != digest_json(found.proposal)):
        raise IntegrityError(f"{word.reviewer}'s word is wrong about whether the call was edited")
    if found.status != "waiting":
        raise ApprovalRefused(f"{found.held} is {found.status} since {found.decided_at}")
    if known is not None:
        raise ApprovalRefused(f"{word.reviewer} has decided on {found.held} already: {known.outcome}")
    if parse(at) < parse(found.created_at) - TOLERANCE:
        raise IntegrityError(f"the clock says {at}, but {found.held} was asked for at {found.created_at}")
    if word.reviewer.casefold() == found.requester.casefold():
        raise ApprovalRefused(f"{word.reviewer} asked for this call and may not decide on it")
    named = {word.reviewer, *roles.get(word.reviewer, ())}
    if roles and word.reviewer not in roles:
        raise ApprovalRefused(f"{word.reviewer} is no reviewer in the policy")
    if found.rule.by and not named & set(found.rule.by):
        raise ApprovalRefused(f"{found.held} is for {', '.join(found.rule.by)} to decide, not for {word.reviewer}")
