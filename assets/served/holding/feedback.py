"""Corrections return: an edited answer or call becomes a row of a drop of kind ``feedback``, as any other data.

The drop is a folder in the store that the sensor watches::

    feedback-held_.../row.jsonl          the conversation, with what the reviewer let through as its answer
    feedback-held_.../_signed.dsse.json  digests of the other two, signed by the pipeline, with the reviewers' own words
    feedback-held_.../manifest.json      written last: now it is a drop

Writing it twice writes the same bytes. It passes every wall like the rest: a correction is data, too.
"""

import json
from dataclasses import dataclass
from typing import Any

from assets.served.holding.grants import Decision
from assets.served.holding.held import Held
from resources.digests import canonical_json, digest_bytes
from resources.errors import IntegrityError
from resources.object_store import ObjectStore
from resources.signer import KeyRing, SigningKey, statement, subjects

PREDICATE = "https://hallmark.invalid/predicate/feedback/v1"
ROW, SIGNED, MANIFEST = "row.jsonl", "_signed.dsse.json", "manifest.json"
LIMIT = 16 << 20  # bytes


@dataclass(frozen=True, slots=True)
class FeedbackStore:
    """``store`` is where drops arrive; ``key`` the pipeline's."""

    store: ObjectStore
    key: SigningKey

    def give_back(self, held: Held) -> str:
        """Write the correction of an edited call or text; the folder's name."""
        folder = f"feedback-{held.held}"
        row = canonical_json(corrected_row(held)) + b"\n"
        described = {
            "kind": "feedback",
            "source": "gateway",
            "author": held.decisions[-1].reviewer,
            "created_at": held.decided_at,
            "objects": [{"key": ROW, "sha256": digest_bytes(row)}],
        }
        manifest = canonical_json(described)
        approvals = [word.envelope for word in held.decisions if word.outcome == "approve"]
        said = {"held": held.held, "release": held.release, "decisions": approvals}
        bound = {ROW: digest_bytes(row), MANIFEST: digest_bytes(manifest)}
        self.store.put(row, f"{folder}/{ROW}")
        self.store.put(canonical_json(self.key.sign(statement(PREDICATE, bound, said))) + b"\n", f"{folder}/{SIGNED}")
        self.store.put(manifest, f"{folder}/{MANIFEST}")
        return folder


def corrected_row(held: Held) -> dict[str, Any]:
    """The conversation in OpenAI's form, ending in what should have been said or done."""
    turns = [dict(turn) for turn in held.conversation]
    if not held.tool:
        return {"messages": [*turns, {"role": "assistant", "content": str(held.final)}]}
    arguments = json.dumps(held.final, ensure_ascii=False, sort_keys=True)
    call = {"id": held.held, "type": "function", "function": {"name": held.tool, "arguments": arguments}}
    return {"messages": [*turns, {"role": "assistant", "content": "", "tool_calls": [call]}]}


def prove_feedback(store: ObjectStore, folder: str, ring: KeyRing) -> tuple[str, ...]:
    """The reviewers who signed a correction; ``IntegrityError`` where the drop is not what was signed."""
    bodies = {}
    for name in (ROW, SIGNED, MANIFEST):
        head = store.head(f"{folder}/{name}")
        if head is None:
            raise IntegrityError(f"{folder} has no {name}")
        bodies[name] = store.read(head.info, LIMIT)
    body, _ = ring.check(json.loads(bodies[SIGNED]), "pipeline")
    if body.get("predicateType") != PREDICATE:
        raise IntegrityError(f"{folder} is signed as {body.get('predicateType')}, not as feedback")
    found = {name: digest_bytes(bodies[name]) for name in (ROW, MANIFEST)}
    if subjects(body) != found:
        raise IntegrityError(f"{folder} is not what was signed")
    words = [Decision.read(envelope, ring) for envelope in body["predicate"]["decisions"]]
    if not words or any(word.held != body["predicate"]["held"] for word in words):
        raise IntegrityError(f"no reviewer signed the correction in {folder}")
    return tuple(word.reviewer for word in words)
