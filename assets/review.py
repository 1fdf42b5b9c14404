"""What people decided on the rows and findings that wait (``assets.waiting``).

A decision is an entry of kind ``review`` in the log of decisions, with name and reason. It is applied when the stage
runs next, and replayed whenever it runs again: the log is an input of the stage like its rows. A decision on a row
holds for that row; one on a finding holds for its fingerprint, in every drop.

======== ======================================= =====================================================
action   on a row                                on a finding
======== ======================================= =====================================================
release  it passes, whatever rule it broke       it is fine: it flags nothing, here and later
reject   it is rejected for good                 it is poison: its rows are rejected, the drop goes on
======== ======================================= =====================================================
"""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from assets.feedback import write_feedback
from assets.outcome import Outcome
from assets.record import Record
from assets.waiting import Item
from resources.clock import utc
from resources.decision_log import DecisionLog, Entry
from resources.digests import digest_json
from resources.errors import InputError, UsageError
from resources.object_store import ObjectStore
from resources.signer import SigningKey

KIND = "review"

Action = Literal["release", "reject"]


@dataclass(frozen=True, slots=True)
class Decision:
    action: Action
    target: str
    stage: str
    reviewer: str
    reason: str
    at: str = ""


def decisions(entries: Iterable[Entry], stage: str | None = None) -> list[Decision]:
    """The decisions among entries of the log, oldest first; of one stage if given."""
    found = [Decision(**entry.body, at=entry.at) for entry in entries if entry.kind == KIND]
    return [decision for decision in found if stage in (None, decision.stage)]


@dataclass(frozen=True, slots=True)
class Decisions:
    """The latest decision on each target of one stage."""

    by_target: Mapping[str, Decision]

    @classmethod
    def read(cls, log: DecisionLog, stage: str) -> "Decisions":
        """From the log, whose chain is checked."""
        return cls({decision.target: decision for decision in decisions(log.entries(KIND), stage)})

    @property
    def digest(self) -> str:
        return digest_json({name: dataclasses.asdict(decision) for name, decision in self.by_target.items()})

    def among(self, targets: Iterable[str], action: Action) -> frozenset[str]:
        """Those targets on which the decision is ``action``."""
        known = self.by_target
        return frozenset(name for name in targets if name in known and known[name].action == action)

    @property
    def released(self) -> frozenset[str]:
        return self.among(self.by_target, "release")

    @property
    def rejected(self) -> frozenset[str]:
        return self.among(self.by_target, "reject")

    def overrule(self, outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
        """The outcomes with the decisions applied; only quarantined rows wait for one."""
        for outcome in outcomes:
            removal = outcome.removal
            if outcome.fate != "quarantined" or removal is None:
                yield outcome
                continue
            decision = self.by_target.get(outcome.record.row_id) or self.by_target.get(removal.fingerprint or "-")
            if decision is None:
                yield outcome
            elif decision.action == "release":
                yield Outcome(outcome.record)
            else:
                reason = f"{removal.reason}; rejected by {decision.reviewer}: {decision.reason}"
                yield Outcome(outcome.record, "rejected", dataclasses.replace(removal, reason=reason))


def decide(log: DecisionLog, items: Iterable[Item], action: Action, reviewer: str, reason: str) -> list[Decision]:
    """Record a decision on each item, all or none; ``UsageError`` without a name and a reason."""
    if not reviewer.strip() or not reason.strip():
        raise UsageError("a decision needs a reviewer and a reason")
    made = [Decision(action, item.name, item.stage, reviewer, reason.strip()) for item in items]
    bodies = [dataclasses.asdict(decision) for decision in made]
    for body in bodies:
        del body["at"]
    entries = log.append_all([(KIND, body) for body in bodies])
    return [dataclasses.replace(decision, at=entry.at) for decision, entry in zip(made, entries, strict=True)]


def correct(
    log: DecisionLog,
    store: ObjectStore,
    key: SigningKey,
    item: Item,
    record: Record,
    answer: str,
    *,
    reviewer: str,
    reason: str,
) -> str:
    """Put the row with ``answer`` as its answer into the store, as a drop of kind feedback, and reject the old row.

    ``key`` is the pipeline's. Returns the drop's folder. The corrected row meets every wall like any other.
    """
    if not reviewer.strip() or not reason.strip():
        raise UsageError("a decision needs a reviewer and a reason")
    fields = corrected(record, answer)
    folder = f"feedback-{item.name}-{digest_json([fields, reviewer])[:8]}"
    described = {"source": "review", "author": reviewer, "created_at": utc()}
    write_feedback(store, folder, fields, described, {"item": item.name, "reviewer": reviewer}, key)
    decide(log, [item], "reject", reviewer, f"corrected in {folder}: {reason}")
    return folder


def corrected(record: Record, answer: str) -> dict[str, Any]:
    """The row's fields with ``answer`` as its (last) answer; ``InputError`` where the row has none to correct."""
    texts = dict(record.texts())
    read = record.conversation()
    answers = (turn for turn in read.turns if turn.role == "assistant" and not read.plain)
    paths = [part.path for turn in answers for part in turn.parts if part.path in texts]
    if not paths:
        raise InputError(
            "the row has no answer to correct",
            object_key=record.origin.object_key,
            line=record.origin.line,
            rule="row-has-answer",
        )
    return record.with_texts({paths[-1]: answer}).fields
