"""Which release is plugged in: one small signed file, ``releases/current``, switched in one rename.

The file is the envelope of the event that made it so (a promotion or a rollback), signed with the pipeline's key; the
same envelope stands in the log of decisions. It names the release and the digest of its signed manifest, or no
release at all: then the base model serves alone. A rollback writes the file first and the log after, because
unplugging must not wait; a promotion the other way round. What a crash leaves between the two is mended by the next
event, and told by ``verify``.
"""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from assets.release.pointer import EVENTS, NOTHING, POINTER, PREDICATE, Plug, read_event, read_plug
from resources.artifacts import write_whole
from resources.clock import utc
from resources.decision_log import DecisionLog, Entry
from resources.digests import canonical_json
from resources.errors import Conflict, GateRefused, IntegrityError, StoreError
from resources.signer import KeyRing, SigningKey, statement

ATTEMPTS = 50  # to record a promotion while others record reviews and releases
PATIENCE = 10.0  # seconds that an event waits for another to finish


def history(chain: Sequence[Entry], ring: KeyRing) -> list[Plug]:
    """Every promotion and rollback in the log, oldest first, each signature checked.

    A key revoked since may have signed some: the chain dates them, and what counts now is asked of ``current``.
    """
    return [read_event(entry.body["envelope"], ring)[0] for entry in chain if entry.kind in EVENTS]


def settle(releases: Path, log: DecisionLog, ring: KeyRing) -> Plug:
    """What is plugged in, with file and log brought to agree; nothing where ``current`` does not verify."""
    with _held(releases):
        return _mended(releases, log, ring)


def promote(
    releases: Path,
    log: DecisionLog,
    key: SigningKey,
    name: str,
    manifest: str,
    evaluation: str,
    expected: str,
    why: str,
) -> Plug:
    """Plug in a release. ``expected`` is what the caller saw plugged in; anything else now is ``GateRefused``.

    The event is recorded only at the end of the log that was read: of two machines that promote at once one is second,
    reads again, and finds something else plugged in than it expected.
    """
    with _held(releases):
        ring = KeyRing.open(key.path.parent)
        for _ in range(ATTEMPTS):
            head = log.head()
            now = _mended(releases, log, ring)
            if now.release != expected:
                raise GateRefused(
                    f"{now.release or 'nothing'} was plugged in meanwhile, not {expected or 'nothing'}; look again"
                )
            plug = _sign(key, head.anchor(), "promotion", name, manifest, now.release, why)
            with contextlib.suppress(Conflict):
                log.append_at(head.entries, plug.event, _body(plug, evaluation))
                _point(releases, plug)
                return plug
    raise StoreError("the log of decisions is written all the time by others; try again")


def unplug(releases: Path, log: DecisionLog, key: SigningKey, why: str) -> Plug:
    """Plug nothing in, at once, even where ``current`` or the log cannot be read; the log follows."""
    with _held(releases):
        ring, anchor = KeyRing.open(key.path.parent), {}
        with contextlib.suppress(IntegrityError):
            anchor = log.head().anchor()
        previous = _last_known(releases, log, ring)
        plug = _sign(key, anchor, "rollback", "", "", previous, why)
        _point(releases, plug)
        _record(log, plug, evaluation_of(log.entries(), previous))
    return plug


def _last_known(releases: Path, log: DecisionLog, ring: KeyRing) -> str:
    """The release that ``current`` names, else the one that the log's last event names, else none."""
    with contextlib.suppress(IntegrityError):
        return read_plug(releases, ring).release
    with contextlib.suppress(IntegrityError):
        return next((event.release for event in reversed(history(log.entries(), ring))), "")
    return ""


def evaluation_of(chain: Sequence[Entry], release: str) -> str:
    """The digest of the verdict with which a release was promoted; empty if it never was."""
    promotions = [entry for entry in chain if entry.kind == "promotion" and entry.body.get("release") == release]
    return str(promotions[-1].body["evaluation"]) if promotions else ""


def disagreement(releases: Path, chain: Sequence[Entry], ring: KeyRing) -> str:
    """How ``current`` contradicts the last event of the log; empty if it does not."""
    events = history(chain, ring)
    last = events[-1] if events else Plug()
    now = read_plug(releases, ring)
    if now.envelope == last.envelope:
        return ""
    return (
        f"current says {now.release or 'nothing'} since {now.at}, the log {last.release or 'nothing'} since {last.at}"
    )


def _sign(
    key: SigningKey, anchor: dict[str, Any], event: str, name: str, manifest: str, previous: str, why: str
) -> Plug:
    said = {"event": event, "release": name, "previous": previous, "at": utc(), "reason": why, "log": anchor}
    envelope = key.sign(statement(PREDICATE, {"release": manifest or NOTHING}, said))
    return Plug(event, name, manifest, previous, str(said["at"]), envelope)


def _body(plug: Plug, evaluation: str) -> dict[str, Any]:
    return {"release": plug.release, "previous": plug.previous, "evaluation": evaluation, "envelope": plug.envelope}


def _record(log: DecisionLog, plug: Plug, evaluation: str) -> Entry:
    return log.append(plug.event, _body(plug, evaluation))


def _point(releases: Path, plug: Plug) -> None:
    if plug.envelope is None:
        (releases / POINTER).unlink(missing_ok=True)
        return
    write_whole(releases / POINTER, canonical_json(plug.envelope) + b"\n")


def _mended(releases: Path, log: DecisionLog, ring: KeyRing) -> Plug:
    """What is plugged in, after mending what a crash left between file and log: the later of the two holds."""
    chain = log.entries()
    events = history(chain, ring)
    last = events[-1] if events else Plug()
    try:
        now = read_plug(releases, ring)
    except IntegrityError:
        return Plug()  # nothing can be loaded through it; the event that asked replaces it
    if now.envelope == last.envelope:
        return now
    unrecorded = all(now.envelope != event.envelope for event in events)  # else it is one that others went on from
    if now.event == "rollback" and now.at >= last.at and unrecorded:
        _record(log, now, evaluation_of(chain, now.previous))
        return now
    _point(releases, last)
    return last


@contextlib.contextmanager
def _held(releases: Path) -> Iterator[None]:
    releases.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(releases / ".lock", timeout=PATIENCE):
            yield
    except Timeout:
        raise StoreError("another promotion or rollback has been at work for too long; try again") from None
