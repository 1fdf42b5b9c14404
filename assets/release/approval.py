"""Approvals and rejections: a person's signed word on one candidate.

An approval is an in-toto statement over the digests of the adapter, of its verdict (``evaluation``) and of the policy,
signed with the reviewer's own key and appended to the log of decisions. It cannot be used for anything else, after its
expiry, by the author, or for a candidate that failed; nothing approves by itself.

``approve`` and ``reject`` sign with a reviewer's key file. A passkey signs elsewhere: ``draft`` gives the statement,
``accept`` takes the envelope. ``why_not`` says whether one approval counts, ``standing`` whether all of them together
allow a release.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from assets.release.rules import ApprovalRules, override_gap
from assets.release.signed import APPROVAL
from assets.verdict.candidate import announced, find, prove
from assets.verdict.threat import ThreatModel
from assets.verdict.verdict import Verdict
from expectations.policy import Policy
from resources.clock import not_before, utc
from resources.decision_log import DecisionLog
from resources.digests import digest_json
from resources.errors import ApprovalRefused, IntegrityError
from resources.signer import KeyRing, SigningKey, sound_name, statement, subjects
from resources.workspace import Workspace

Decision = Literal["approve", "reject"]
BOUND = ("adapter", "evaluation", "policy")
_DONE = {"approve": "approved", "reject": "rejected"}


@dataclass(frozen=True, slots=True)
class Approval:
    """A decision, read from its envelope. Times are UTC; ``log`` is the end of the log that the signer saw."""

    decision: Decision
    candidate: str
    reviewer: str
    keyid: str
    reason: str
    issued_at: str
    expires_at: str
    overrides: dict[str, str]
    digests: dict[str, str]
    log: dict[str, Any]
    envelope: dict[str, Any]

    @classmethod
    def read(cls, envelope: Any, ring: KeyRing) -> "Approval":
        """The decision in an envelope signed by a trusted reviewer; else ``IntegrityError``."""
        body, key = ring.check(envelope, "reviewer")
        if body.get("predicateType") != APPROVAL:
            raise IntegrityError(f"{key.name} signed a {body.get('predicateType')}, not an approval")
        try:
            word = cls(**body["predicate"], keyid=key.keyid, digests=subjects(body), envelope=envelope)
        except (TypeError, KeyError) as error:
            raise IntegrityError(f"what {key.name} signed is not a whole approval") from error
        if word.reviewer != key.name:
            raise IntegrityError(f"signed by {key.name}'s key in the name of {word.reviewer}")
        return word

    def to_json(self) -> dict[str, Any]:
        """What people are shown of it."""
        names = ("decision", "candidate", "reviewer", "keyid", "reason", "issued_at", "expires_at", "overrides")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a candidate stands: what counts, what does not and why. Nothing ``missing``: it may be released."""

    counted: tuple[Approval, ...]
    refused: tuple[tuple[str, str], ...]
    missing: str


def draft(
    workspace: Workspace,
    policy: Policy,
    threats: ThreatModel,
    candidate: str,
    decision: Decision,
    *,
    reviewer: str,
    reason: str,
    overrides: Mapping[str, str] | None = None,
    days: int | None = None,
    now: datetime | None = None,
) -> dict[str, Any]:
    """The statement that a reviewer signs, or ``ApprovalRefused`` saying what stands in its way."""
    rules = ApprovalRules.of(policy)
    log, verdict, moment = _prepare(workspace, policy, threats, candidate, reason, now)
    given = dict(overrides or {})
    if days is not None and not 1 <= days <= rules.max_days:
        raise ApprovalRefused(f"an approval may be used for 1 to {rules.max_days} days, not {days}")
    refusal = rules.refuses(sound_name(reviewer), verdict.author if decision == "approve" else "")
    if decision == "approve":
        refusal = refusal or _verdict_gap(verdict, given, rules)
    if refusal:
        raise ApprovalRefused(f"{verdict.candidate} cannot be {_DONE[decision]}: {refusal}")
    said = {
        "decision": decision, "candidate": verdict.candidate, "reviewer": reviewer, "reason": reason.strip(),
        "issued_at": utc(moment), "expires_at": utc(moment + timedelta(days=days or rules.max_days)),
        "overrides": given if decision == "approve" else {}, "log": log.head().anchor(),
    }  # fmt: skip
    bound = {**verdict.digests, "evaluation": verdict.digest}
    return statement(APPROVAL, {name: bound[name] for name in BOUND}, said)


def accept(
    workspace: Workspace,
    policy: Policy,
    threats: ThreatModel,
    candidate: str,
    envelope: dict[str, Any],
    *,
    now: datetime | None = None,
) -> Approval:
    """Take a signed word on ``candidate`` into the log. Everything that ``draft`` asked is asked again."""
    rules, ring = ApprovalRules.of(policy), KeyRing.open(workspace.keys)
    word = Approval.read(envelope, ring)
    log, verdict, moment = _prepare(workspace, policy, threats, candidate, word.reason, now)
    if word.candidate != verdict.candidate:
        raise ApprovalRefused(f"{word.reviewer} signed a word on {word.candidate}, not on {verdict.candidate}")
    refusal = why_not(word, verdict, rules, ring, utc(moment))
    if word.decision == "reject":
        refusal = _not_bound(word, verdict) or rules.refuses(word.reviewer, "")
    if refusal:
        raise ApprovalRefused(f"the word of {word.reviewer} on {verdict.candidate} does not count: {refusal}")
    return _record(log, word)


def approve(
    workspace: Workspace, policy: Policy, threats: ThreatModel, candidate: str, *, reviewer: str, **said: Any
) -> Approval:
    """Sign an approval with the reviewer's key file into the log; ``said`` as for ``draft``."""
    body = draft(workspace, policy, threats, candidate, "approve", reviewer=reviewer, **said)
    return _signed(workspace, reviewer, body)


def reject(
    workspace: Workspace, policy: Policy, threats: ThreatModel, candidate: str, *, reviewer: str, **said: Any
) -> Approval:
    """Sign a rejection into the log; it blocks a release until the same person approves."""
    body = draft(workspace, policy, threats, candidate, "reject", reviewer=reviewer, **said)
    return _signed(workspace, reviewer, body)


def why_not(approval: Approval, verdict: Verdict, rules: ApprovalRules, ring: KeyRing, at: str) -> str:
    """Why an approval does not count for this verdict at the time ``at``; empty if it does."""
    if other := _not_bound(approval, verdict):
        return other
    if approval.issued_at > at:
        return f"it is dated {approval.issued_at}, after {at}"
    if approval.expires_at <= at:
        return f"it expired at {approval.expires_at}"
    if revoked := ring.revocation(approval.keyid, at):
        return f"the key of {approval.reviewer} was revoked as of {revoked.since} ({revoked.reason})"
    return rules.refuses(approval.reviewer, verdict.author) or _verdict_gap(verdict, approval.overrides, rules)


def standing(log: DecisionLog, ring: KeyRing, verdict: Verdict, rules: ApprovalRules, at: str) -> Standing:
    """Every decision on the candidate, each person's last counting. Rejections block, rollbacks spend approvals."""
    latest: dict[str, tuple[Approval, str]] = {}
    refused: list[tuple[str, str]] = []
    seen: set[str] = set()
    for entry in log.entries():
        if entry.kind == "rollback" and entry.body.get("evaluation") == verdict.digest:
            latest = {
                name: (word, "it was used by a release that was rolled back") for name, (word, _) in latest.items()
            }
        if entry.kind not in ("approval", "rejection") or entry.body.get("candidate") != verdict.candidate:
            continue
        try:
            word = Approval.read(entry.body["envelope"], ring)
        except IntegrityError as error:
            refused.append((str(entry.body.get("reviewer", "?")), str(error)))
            continue
        if (digest := digest_json(word.envelope)) in seen:
            continue  # a copy says nothing new: it would count again after a rollback
        seen.add(digest)
        latest[word.reviewer] = (word, why_not(word, verdict, rules, ring, at) if word.decision == "approve" else "")
    rejected = [word for word, _ in latest.values() if word.decision == "reject"]
    counted = tuple(word for word, why in latest.values() if word.decision == "approve" and not why)
    refused += [(name, why) for name, (_, why) in latest.items() if why]
    missing = rules.lacks(word.reviewer for word in counted)
    if rejected:
        missing = f"{rejected[-1].reviewer} rejected it at {rejected[-1].issued_at}: {rejected[-1].reason}"
    return Standing(counted, tuple(refused), missing)


def _not_bound(approval: Approval, verdict: Verdict) -> str:
    bound = {**verdict.digests, "evaluation": verdict.digest}
    other = [name for name in BOUND if approval.digests.get(name) != bound.get(name) or not bound.get(name)]
    return f"it is for another {' and '.join(other)}" if other else ""


def _verdict_gap(verdict: Verdict, overrides: Mapping[str, str], rules: ApprovalRules) -> str:
    if verdict.flaws:
        return f"its evidence cannot be used ({verdict.flaws[0]})"
    blocking: dict[str, str] = {item.name: item.result.verdict for item in verdict.blocking()}
    return override_gap(blocking, overrides, rules)


def _prepare(
    workspace: Workspace, policy: Policy, threats: ThreatModel, candidate: str, reason: str, now: datetime | None
) -> tuple[DecisionLog, Verdict, datetime]:
    """The log, the proven verdict and the time; refuses a blank reason, a broken log, an unsigned verdict."""
    if not reason.strip():
        raise ApprovalRefused("a decision needs a reason")
    log = workspace.decision_log
    chain = log.verify()
    moment = not_before(chain, now)
    found = find(workspace.artifacts, candidate)
    prove(workspace.artifacts, found, policy, threats)
    if announced(chain, KeyRing.open(workspace.keys), found.verdict) is None:
        raise ApprovalRefused(f"the pipeline never signed a verdict on {found.verdict.candidate} into the log")
    return log, found.verdict, moment


def _signed(workspace: Workspace, reviewer: str, body: dict[str, Any]) -> Approval:
    """The statement signed with the reviewer's key file, made if there is none, and logged."""
    key = SigningKey.reviewer(workspace.keys, reviewer)
    ring = KeyRing.open(workspace.keys)
    if revoked := ring.revocation(key.public.keyid, body["predicate"]["issued_at"]):
        raise ApprovalRefused(f"the key of {reviewer} was revoked as of {revoked.since} ({revoked.reason})")
    return _record(workspace.decision_log, Approval.read(key.sign(body), ring))


def _record(log: DecisionLog, word: Approval) -> Approval:
    kind = "approval" if word.decision == "approve" else "rejection"
    log.append(kind, {"candidate": word.candidate, "reviewer": word.reviewer, "envelope": word.envelope})
    return word
