"""What can be proven of a release with public keys and next to no library: who signed it, its bytes, who approved it.

``assets.release.verify`` goes further (it judges every gate again from the evidence and checks the model signature);
this is what a machine that only serves needs, and it is part of ``hallmark-verify``.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assets.release.safety import inspect_adapter
from assets.release.tree import differences
from resources.digests import digest_file, digest_json, digest_tree
from resources.errors import HallmarkError, IntegrityError
from resources.signer import KeyRing, read_envelope, subjects

PREDICATE = "https://hallmark.invalid/predicate/release/v1"
APPROVAL = "https://hallmark.invalid/predicate/approval/v1"
MANIFEST = "release.dsse.json"
ADAPTER = "adapter"
APPROVALS = "approvals"


@dataclass(frozen=True, slots=True)
class Signed:
    """What the signed manifest of a release says. ``files`` is ``{path: hex SHA-256}``, ``manifest`` its own digest."""

    name: str
    candidate: str
    released_at: str
    log: dict[str, Any]
    files: dict[str, str]
    keyid: str
    manifest: str


def read_signed(folder: Path, ring: KeyRing) -> Signed:
    """The manifest of a release, if a trusted pipeline key signed it; else ``IntegrityError``."""
    path = folder / MANIFEST
    if not path.is_file() or path.is_symlink():
        raise IntegrityError(f"{folder.name} has no signed manifest")
    body, key = ring.check(read_envelope(path), "pipeline")
    try:
        said, files = body["predicate"], subjects(body)
        signed = Signed(
            said["name"], said["candidate"], said["released_at"], said["log"], files, key.keyid, digest_file(path)
        )
    except (KeyError, TypeError) as error:
        raise IntegrityError(f"{folder.name}: what is signed is no manifest of a release") from error
    if body["predicateType"] != PREDICATE:
        raise IntegrityError(f"{folder.name}: a {body['predicateType']} is signed, not a release")
    return signed


def signed_differences(folder: Path, ring: KeyRing) -> tuple[Signed | None, list[str]]:
    """The signed manifest (None: there is none to trust) and every way in which the folder is not what it says."""
    try:
        signed = read_signed(folder, ring)
    except (HallmarkError, OSError) as error:
        return None, [f"{MANIFEST}: {error}"]
    found = [f"renamed: signed as {signed.name}, found as {folder.name}"] if signed.name != folder.name else []
    if revoked := ring.revoked.get(signed.keyid):
        found.append(f"{MANIFEST}: its key was revoked as of {revoked.since} ({revoked.reason})")
    return signed, found + differences(folder, signed.files, frozenset({MANIFEST}))


def prove_signed(folder: Path, ring: KeyRing) -> Signed:
    """The manifest of a release that is signed, whole, safe to load and approved; else ``IntegrityError`` lists why."""
    signed, found = signed_differences(folder, ring)
    if signed is not None and not found:
        found = [*_unsafe(folder), *_unapproved(folder, signed, ring)]
    if signed is None or found:
        raise IntegrityError(f"release {folder.name} does not verify", tuple(found))
    return signed


def _unsafe(folder: Path) -> Iterator[str]:
    try:
        inspect_adapter(folder / ADAPTER)
    except HallmarkError as error:
        yield str(error)


def _unapproved(folder: Path, signed: Signed, ring: KeyRing) -> Iterator[str]:
    """What is wrong with the approvals: each must be a reviewer's, for this adapter, and good when it was released."""
    adapter = digest_json(digest_tree(folder / ADAPTER))
    counted = set()
    for path in sorted((folder / APPROVALS).glob("*")):
        try:
            body, key = ring.check(read_envelope(path), "reviewer")
            said = body["predicate"]
            sound = (
                body["predicateType"] == APPROVAL
                and subjects(body)["adapter"] == adapter
                and (said["decision"], said["reviewer"]) == ("approve", key.name)
                and said["issued_at"] <= signed.released_at < said["expires_at"]
                and ring.revocation(key.keyid, signed.released_at) is None
            )
        except (HallmarkError, KeyError, TypeError) as error:
            yield f"{APPROVALS}/{path.name}: {error}"
            continue
        if not sound:
            yield f"{APPROVALS}/{path.name} is no approval of this adapter that counted at {signed.released_at}"
        else:
            counted.add(key.name)
    policy: Any = json.loads((folder / "policy.json").read_bytes())
    quorum = policy["settings"].get("evaluated_adapter", {}).get("approval", {}).get("quorum", 1)
    if len(counted) < max(1, int(quorum)):
        yield f"{len(counted)} of {quorum} approvals"
