"""The review queue: rows and findings that wait for a person, and what people decided.

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
from pathlib import Path
from typing import Any, Literal

from assets.outcome import FILES, Outcome, Removal, read_lines
from assets.record import RESPONSE_FIELDS, Record
from resources.artifacts import ArtifactStore
from resources.decision_log import DecisionLog
from resources.digests import digest_json
from resources.errors import InputError, UsageError
from resources.line_cipher import LineCipher

KIND = "review"
STAGES = ("validated_records", "sanitized_records", "screened_records")
SEALED = ("validated_records",)  # their rows are encrypted at rest: not yet sanitised
SHORTEST = 4  # digits of a name

Action = Literal["release", "reject"]


@dataclass(frozen=True, slots=True)
class Decision:
    action: Action
    target: str
    stage: str
    reviewer: str
    reason: str
    at: str = ""


@dataclass(frozen=True, slots=True)
class Decisions:
    """The latest decision on each target of one stage."""

    by_target: Mapping[str, Decision]

    @classmethod
    def read(cls, log: Path, stage: str) -> "Decisions":
        """From the log, whose chain is checked."""
        entries = DecisionLog(log).entries(KIND)
        found = [Decision(**entry.body, at=entry.at) for entry in entries if entry.body["stage"] == stage]
        return cls({decision.target: decision for decision in found})

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


@dataclass(frozen=True, slots=True)
class Item:
    """Something that waits. ``name`` is the row's id or the finding's fingerprint; ``record`` None for a finding."""

    name: str
    stage: str
    drop: str
    rule: str
    reason: str
    evidence: str
    rows: int
    record: Record | None = None

    @property
    def readable(self) -> bool:
        """Whether the row's text may be shown: it has been sanitised."""
        return self.record is not None and self.stage not in SEALED


def queue(store: ArtifactStore, cipher: LineCipher) -> Iterator[Item]:
    """Everything that waits, drop by drop: open findings first, then quarantined rows that no finding explains."""
    for stage in STAGES:
        for drop in store.partitions(stage):
            artifact = store.current(stage, drop)
            assert artifact is not None
            explained = set()
            for finding in artifact.manifest.details.get("open", ()):
                explained.add(finding["fingerprint"])
                yield Item(
                    finding["fingerprint"], stage, drop, finding["kind"], finding["sentence"], "", finding["rows"]
                )
            lines = read_lines(artifact.path(FILES["quarantined"]), cipher if stage in SEALED else None)
            for body in lines:
                removal = Removal(**body.pop("removal"))
                if removal.fingerprint not in explained:
                    record = Record.from_json(body)
                    yield Item(
                        record.row_id, stage, drop, removal.rule, removal.reason, removal.evidence, 1, record
                    )  # fmt: skip


def find(items: Iterable[Item], name: str) -> Item:
    """The item whose name starts with ``name``."""
    matching = [item for item in items if len(name) >= SHORTEST and item.name.startswith(name)]
    if len({item.name for item in matching}) != 1:
        problem = "nothing that waits is called" if not matching else "several things that wait are called"
        raise UsageError(f"{problem} {name}; `hallmark review list` shows the queue")
    return matching[0]


def decide(log: Path, item: Item, action: Action, reviewer: str, reason: str) -> Decision:
    """Record a decision; ``UsageError`` without a name and a reason."""
    if not reviewer.strip() or not reason.strip():
        raise UsageError("a decision needs a reviewer and a reason")
    decision = Decision(action, item.name, item.stage, reviewer, reason)
    body = dataclasses.asdict(decision)
    del body["at"]
    entry = DecisionLog(log).append(KIND, body)
    return dataclasses.replace(decision, at=entry.at)


def corrected(record: Record, answer: str) -> dict[str, Any]:
    """The row's fields with ``answer`` as its (last) answer; ``InputError`` where the row has none to correct."""
    paths = [name for name in ("output", *RESPONSE_FIELDS) if name in record.fields]
    if record.form == "messages":
        turns = record.fields["messages"]
        paths = [f"messages[{place}].content" for place, turn in enumerate(turns) if turn["role"] == "assistant"]
    if not paths:
        raise InputError(
            "the row has no answer to correct",
            object_key=record.origin.object_key,
            line=record.origin.line,
            rule="row-has-answer",
        )
    return record.with_texts({paths[-1]: answer}).fields
