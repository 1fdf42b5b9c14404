"""The log of decisions: append-only JSON lines, each carrying the digest of the line before.

A changed, removed or reordered line breaks the chain. Cutting lines off the end does not, so the head (how many
entries, the digest of the last, the size in bytes) is kept in a second file beside the log, and every approval and
release signs the head it saw: whoever shortens the log and its head is still contradicted by a signature.

A line is written in one call, then the head. A writer killed between the two leaves one whole line more than the head
knows: the next ``append`` adopts it. A line torn by a power cut was never acknowledged: the next ``append`` removes it.

>>> import tempfile
>>> log = DecisionLog(Path(tempfile.mkdtemp()) / "decisions.jsonl")
>>> first, second = log.append("review", {"row": "r1"}), log.append("approval", {"candidate": "ab12"})
>>> second.previous == first.digest, [entry.kind for entry in log.entries("approval")], log.head().entries
(True, ['approval'], 2)
"""

import dataclasses
import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from resources.artifacts import write_whole
from resources.digests import canonical_json, digest_json
from resources.errors import Conflict, IntegrityError, StoreError

GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class Entry:
    """One decision. ``digest`` covers kind, body, at and previous; ``at`` is UTC, ISO 8601, whole seconds."""

    kind: str
    body: dict[str, Any]
    at: str
    previous: str
    digest: str


@dataclass(frozen=True, slots=True)
class Head:
    """Where the log ends. ``size`` is in bytes."""

    entries: int = 0
    digest: str = GENESIS
    size: int = 0

    def anchor(self) -> dict[str, Any]:
        """What a signed record says about the log it was made beside."""
        return {"entries": self.entries, "digest": self.digest}


class DecisionLog:
    """The log at ``path``; its head is ``<path>.head``, its lock ``<path>.lock``. Safe for concurrent writers."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._head_path = path.with_name(f"{path.name}.head")

    def append(self, kind: str, body: dict[str, Any]) -> Entry:
        """Add a decision and return it. ``body`` is JSON; a log that does not fit its head is an ``IntegrityError``."""
        return self.append_all([(kind, body)])[0]

    def append_at(self, entries: int, kind: str, body: dict[str, Any]) -> Entry:
        """As ``append``, only if the log has exactly so many ``entries``; else ``Conflict``: somebody decided first."""
        return self._append([(kind, body)], entries)[0]

    def append_all(self, decisions: Sequence[tuple[str, dict[str, Any]]]) -> list[Entry]:
        """As ``append`` for several ``(kind, body)``, in order, with one write for all: all of them or none."""
        return self._append(decisions)

    def _append(self, decisions: Sequence[tuple[str, dict[str, Any]]], entries: int | None = None) -> list[Entry]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._lock():
            head = self._recover()
            if entries is not None and head.entries != entries:
                raise Conflict(f"{self.path} has {head.entries} entries, not {entries}: somebody decided meanwhile")
            at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            made: list[Entry] = []
            for kind, body in decisions:
                made.append(seal(kind, body, at, made[-1].digest if made else head.digest))
            lines = b"".join(map(spell, made))
            if made:
                self._write_line(lines, head.size)
                self._write_head(Head(head.entries + len(made), made[-1].digest, head.size + len(lines)))
        return made

    def entries(self, kind: str | None = None) -> list[Entry]:
        """The decisions, oldest first, of one kind if given; the chain is checked while reading."""
        found, _ = self.following(Head())
        return [entry for entry in found if kind is None or entry.kind == kind]

    def following(self, after: Head) -> tuple[list[Entry], Head]:
        """The whole entries behind ``after``, each proven against the one before, and where the last of them ends.

        For a reader that goes on where it stopped; ``Head()`` is the beginning. A torn last line is left out.
        """
        size = self._size()
        if size < after.size:
            raise IntegrityError(f"{self.path} was cut: {size} bytes, {after.size} were read before")
        found: list[Entry] = []
        number, digest, end = after.entries, after.digest, after.size
        if size == end:
            return found, after
        with self.path.open("rb") as stream:
            stream.seek(end)
            for line in stream:
                if not line.endswith(b"\n"):
                    break
                number, end = number + 1, end + len(line)
                entry = parse(line, f"{self.path}:{number}")
                if entry.previous != digest:
                    raise IntegrityError(f"{self.path}:{number} does not follow the line before it")
                digest = entry.digest
                found.append(entry)
        return found, Head(number, digest, end)

    def head(self) -> Head:
        """The recorded head; the empty head where nothing was ever decided."""
        try:
            return Head(**json.loads(self._head_path.read_bytes()))
        except FileNotFoundError:
            if self.path.exists() and self.path.stat().st_size:
                raise IntegrityError(f"{self.path} has entries but its head {self._head_path.name} is gone") from None
            return Head()
        except (ValueError, TypeError) as error:
            raise IntegrityError(f"{self._head_path} is not readable") from error

    def verify(self) -> list[Entry]:
        """Read every line and return them; ``IntegrityError`` says where the chain breaks or that its end is gone."""
        if not self.path.parent.exists():
            return []
        with self._lock():
            head, size = self.head(), self._size()
            chain, _ = self.following(Head())
        if len(chain) < head.entries or size < head.size:
            raise IntegrityError(f"{self.path} was cut: {len(chain)} entries, its head counts {head.entries}")
        if head.entries and chain[head.entries - 1].digest != head.digest:
            raise IntegrityError(f"{self.path}: entry {head.entries} is not the one its head names")
        return chain

    def _lock(self) -> FileLock:
        return FileLock(f"{self.path}.lock")

    def _size(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    def _recover(self) -> Head:
        """The head to append to; after a killed writer, adopts its whole lines and drops its torn one."""
        head, size = self.head(), self._size()
        if size < head.size:
            raise IntegrityError(f"{self.path} was cut: {size} bytes, its head counts {head.size}")
        if size == head.size:
            return head
        _, end = self.following(head)
        if end.size < size:
            with self.path.open("r+b") as stream:
                stream.truncate(end.size)
        return end

    def _write_line(self, line: bytes, size: int) -> None:
        target = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            if os.write(target, line) != len(line):
                raise OSError(f"only a part of the entry fitted on the disk of {self.path}")
            os.fsync(target)
        except OSError as error:
            os.ftruncate(target, size)
            raise StoreError(f"the decision was not recorded: {error}") from error
        finally:
            os.close(target)

    def _write_head(self, head: Head) -> None:
        write_whole(self._head_path, canonical_json(dataclasses.asdict(head)) + b"\n")


def contradiction(chain: Sequence[Entry], anchor: Mapping[str, Any]) -> str:
    """Why a log cannot be the one a signed record was made beside (see ``Head.anchor``); empty if it can."""
    count, digest = int(anchor["entries"]), str(anchor["digest"])
    if len(chain) < count:
        return f"the log has {len(chain)} entries, a signed record saw {count}: it was cut"
    found = chain[count - 1].digest if count else GENESIS
    return "" if found == digest else f"entry {count} of the log is not the one a signed record saw: it was rewritten"


def seal(kind: str, body: dict[str, Any], at: str, previous: str) -> Entry:
    return Entry(kind, body, at, previous, digest_json({"kind": kind, "body": body, "at": at, "previous": previous}))


def spell(entry: Entry) -> bytes:
    """The one spelling of an entry. (``dataclasses.asdict`` would copy the body first.)"""
    return canonical_json({field.name: getattr(entry, field.name) for field in dataclasses.fields(entry)}) + b"\n"


def parse(line: bytes, where: str) -> Entry:
    try:
        entry = Entry(**json.loads(line))
        sealed = seal(entry.kind, entry.body, entry.at, entry.previous)
        honest = sealed.digest == entry.digest and spell(entry) == line
    except (ValueError, TypeError) as error:
        raise IntegrityError(f"{where} is not a decision") from error
    if not honest:
        raise IntegrityError(f"{where} was changed: its digest does not fit its content")
    return entry
