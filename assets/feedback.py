"""Corrections return as drops of kind ``feedback``, and somebody answers for each of them by a signature.

A correction counts more than another row (``correction_weight``) and carries a person's name, so that the words
``"kind": "feedback"`` in a manifest are not enough: ingest asks for a statement over the bytes of the drop. Such a drop
is a folder in the store that the sensor watches::

    feedback-.../row.jsonl           what should have been said or done
    feedback-.../_signed.dsse.json   digests of every other file, and who corrected
    feedback-.../manifest.json       written last: now it is a drop

Who may sign:

===============================  =============  ==================================================================
a correction made                signed by      proven besides
===============================  =============  ==================================================================
of a held answer or call         the pipeline   the reviewers' own signed words, which let just this correction through
in the queue of rows             the pipeline   (its item stands in the log of decisions)
elsewhere, ``review sign``       the reviewer   that the manifest names no other author
===============================  =============  ==================================================================

It passes every wall like the rest: a correction is data, too.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from assets.raw.drops import MANIFEST, Drop, DropManifest
from assets.served.approval.grants import Decision
from resources.digests import canonical_json, digest_bytes, digest_json
from resources.errors import InputError, IntegrityError
from resources.object_store import ObjectStore
from resources.signer import KeyRing, SigningKey, statement, subjects, write_envelope

PREDICATE = "https://hallmark.invalid/predicate/feedback/v1"
ROW, SIGNED = "row.jsonl", "_signed.dsse.json"
LIMIT = 16 << 20  # bytes of a statement, a manifest or a held correction


class UnsignedFeedback(IntegrityError):
    """Nobody signed a drop of kind feedback."""


@dataclass(frozen=True, slots=True)
class Signed:
    """What a signature says of a drop: who corrected, and the SHA-256 of each file by its path in the folder."""

    author: str
    digests: Mapping[str, str]


def write_feedback(
    store: ObjectStore, folder: str, row: Mapping[str, Any], described: Mapping[str, Any], said: Any, key: SigningKey
) -> None:
    """Put one corrected row into the store as a signed drop. Writing it twice writes the same rows.

    ``described`` is the manifest without its ``kind`` and objects, ``said`` the predicate of the statement.
    """
    body = canonical_json(row) + b"\n"
    manifest = canonical_json(
        {**described, "kind": "feedback", "objects": [{"key": ROW, "sha256": digest_bytes(body)}]}
    )
    store.put(body, f"{folder}/{ROW}")
    bound = {ROW: digest_bytes(body), MANIFEST: digest_bytes(manifest)}
    store.put(canonical_json(key.sign(statement(PREDICATE, bound, dict(said)))) + b"\n", f"{folder}/{SIGNED}")
    store.put(manifest, f"{folder}/{MANIFEST}")


def sign_feedback(folder: Path, key: SigningKey) -> int:
    """Sign a folder of corrections as its reviewer, before it goes into the store; the number of files signed.

    ``InputError`` where its manifest cannot be read, or names another kind or reviewer.
    """
    reviewer = key.public.name
    try:
        manifest = DropManifest.model_validate_json((folder / MANIFEST).read_bytes())
    except (OSError, ValidationError) as error:
        raise InputError(
            f"cannot be read as a manifest: {error}", object_key=str(folder / MANIFEST), rule="drop-manifest"
        ) from error
    if (manifest.kind, manifest.author) != ("feedback", reviewer):
        raise InputError(
            f"says kind {manifest.kind} by {manifest.author or 'nobody'}, not feedback by {reviewer}",
            object_key=str(folder / MANIFEST), rule="feedback-author",
        )  # fmt: skip
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != SIGNED]
    bound = {path.relative_to(folder).as_posix(): digest_bytes(path.read_bytes()) for path in files}
    write_envelope(folder / SIGNED, key.sign(statement(PREDICATE, bound, {"reviewer": reviewer})))
    return len(bound)


def prove_feedback(store: ObjectStore, drop: Drop, ring: KeyRing) -> Signed:
    """What is signed of a drop of kind feedback; ``IntegrityError`` where nothing is, or not this drop.

    The manifest is proven here; whoever reads the other files holds them against ``digests``.
    """
    if store.head(drop.folder + SIGNED) is None:
        raise UnsignedFeedback(f"is of kind feedback, and has no {SIGNED} that says who answers for it")
    try:
        envelope = json.loads(_read(store, drop.folder + SIGNED))
        signers = {str(signature["keyid"]) for signature in envelope["signatures"]}
    except (ValueError, KeyError, TypeError) as error:
        raise IntegrityError(f"has a {SIGNED} that is no signed statement") from error
    reviewed = bool(signers & {key.keyid for key in ring.of("reviewer")})
    body, key = ring.check(envelope, "reviewer" if reviewed else "pipeline")
    if revoked := ring.revoked.get(key.keyid):  # whenever: a thief can date his word back
        raise IntegrityError(f"the key of {key.name} was revoked as of {revoked.since} ({revoked.reason})")
    if body.get("predicateType") != PREDICATE:
        raise IntegrityError(f"is signed as {body.get('predicateType')}, not as feedback")
    digests, manifest = subjects(body), _read(store, drop.folder + MANIFEST)
    if digests.get(MANIFEST) != digest_bytes(manifest) or not _says(manifest, drop):
        raise IntegrityError(f"has a {MANIFEST} that is not what was signed")
    names = (key.name,) if reviewed else _reviewers(store, drop, body["predicate"], digests, ring)
    if not drop.manifest.author or drop.manifest.author not in names:
        raise IntegrityError(f"says it is by {drop.manifest.author or 'nobody'}, and is signed by {', '.join(names)}")
    return Signed(drop.manifest.author, digests)


def _read(store: ObjectStore, key: str) -> bytes:
    head = store.head(key)
    if head is None:
        raise IntegrityError(f"{key} is gone")
    return store.read(head.info, LIMIT)


def _says(manifest: bytes, drop: Drop) -> bool:
    """Whether the drop was listed under this very manifest."""
    try:
        return DropManifest.model_validate_json(manifest) == drop.manifest
    except ValidationError:
        return False


def _reviewers(
    store: ObjectStore, drop: Drop, said: Mapping[str, Any], digests: Mapping[str, str], ring: KeyRing
) -> tuple[str, ...]:
    """Who corrected, by the pipeline's statement. The words of a held call's reviewers are proven here, one by one."""
    if "held" not in said:
        return (str(said.get("reviewer", "")),)
    row = _read(store, drop.folder + ROW)
    words = [Decision.read(envelope, ring) for envelope in said.get("decisions") or ()]
    passed = digest_json(_correction(row))
    if digests.get(ROW) != digest_bytes(row) or not words or any(
        (word.outcome, word.held, word.proposal) != ("approve", said["held"], passed) for word in words
    ):  # fmt: skip
        raise IntegrityError("is a correction that no reviewer let through in this form")
    return tuple(word.reviewer for word in words)


def _correction(row: bytes) -> Any:
    """What a reviewer let through: the arguments of the last turn's call, or its text."""
    try:
        last = json.loads(row)["messages"][-1]
        calls = last.get("tool_calls")
        return json.loads(calls[0]["function"]["arguments"]) if calls else last["content"]
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise IntegrityError(f"has a {ROW} that is no corrected conversation") from error
