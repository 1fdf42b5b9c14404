"""What is plugged in, as its signed file says: the half of ``assets.release.plug`` that needs public keys only."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from resources.digests import digest_bytes
from resources.errors import IntegrityError
from resources.signer import KeyRing, read_envelope, subjects

PREDICATE = "https://hallmark.invalid/predicate/plug/v1"
NOTHING = digest_bytes(b"")  # the subject of an event after which no release is plugged in
POINTER = "current"
EVENTS = ("promotion", "rollback")


@dataclass(frozen=True, slots=True)
class Plug:
    """What is plugged in: the name of a release and the digest of its manifest, or two empty strings."""

    event: str = ""
    release: str = ""
    manifest: str = ""
    previous: str = ""
    at: str = ""
    envelope: dict[str, Any] | None = None


def read_plug(releases: Path, ring: KeyRing) -> Plug:
    """What ``current`` says, if a trusted pipeline key signed it, else ``IntegrityError``. No file: nothing."""
    path = releases / POINTER
    if path.is_symlink():
        raise IntegrityError(f"{path.name} is a link, not the signed event")
    if not path.exists():
        return Plug()
    plug, keyid = read_event(read_envelope(path), ring)
    if revoked := ring.revoked.get(keyid):
        raise IntegrityError(f"{POINTER} is signed by a pipeline key revoked as of {revoked.since} ({revoked.reason})")
    return plug


def read_event(envelope: dict[str, Any], ring: KeyRing) -> tuple[Plug, str]:
    """A promotion or rollback in its envelope, and the id of the pipeline key that signed it."""
    body, key = ring.check(envelope, "pipeline")
    try:
        said = body["predicate"]
        if body["predicateType"] != PREDICATE or said["event"] not in EVENTS:
            raise IntegrityError("signed, but not a promotion or a rollback")
        manifest = subjects(body)["release"]
        release, previous, at, event = (str(said[name]) for name in ("release", "previous", "at", "event"))
    except (KeyError, TypeError) as error:
        raise IntegrityError("signed, but not a whole event") from error
    if Path(release).name != release or release.startswith("."):
        raise IntegrityError(f"{release!r} is no name of a release")
    return Plug(event, release, "" if manifest == NOTHING else manifest, previous, at, envelope), key.keyid
