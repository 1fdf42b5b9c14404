"""The log of decisions in an object store: writers on several machines, one chain.

An append is one object, ``<number of its first entry>.jsonl``, created only if there is none of that name. Two writers
that saw the same end name the same object; one of them creates it, the other reads on and tries at the new end. So the
chain cannot fork, with no lock and no server beside the store.

Objects cut off the end are noticed by every machine that saw them (the head it saw is kept beside its cache), and by
every approval and release, which sign the head they saw (``contradiction``).
"""

import dataclasses
import json
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from resources.artifacts import write_whole
from resources.decision_log import GENESIS, DecisionLog, Entry, Head, parse, seal, spell
from resources.digests import canonical_json
from resources.errors import Conflict, IntegrityError, StoreError
from resources.object_store import ObjectStore

LIMIT = 16 << 20  # bytes of one append
ATTEMPTS = 200  # while others append, too


class SharedDecisionLog(DecisionLog):
    """``path`` is where this machine keeps the head it saw last; the entries are in ``store``."""

    def __init__(self, path: Path, store: ObjectStore) -> None:
        super().__init__(path)
        self.store = store
        self._known: list[Entry] = []
        self._after, self._size_read = "", 0
        self._reading = threading.Lock()  # the threads of one process share what was read

    def _append(self, decisions: Sequence[tuple[str, dict[str, Any]]], entries: int | None = None) -> list[Entry]:
        if not decisions:
            return []
        for _ in range(ATTEMPTS):
            chain = self.verify()
            if entries is not None and len(chain) != entries:
                raise Conflict(f"{self.store.uri} has {len(chain)} entries, not {entries}: somebody decided meanwhile")
            at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            made: list[Entry] = []
            for kind, body in decisions:
                previous = made[-1].digest if made else chain[-1].digest if chain else GENESIS
                made.append(seal(kind, body, at, previous))
            try:
                self.store.put_if(b"".join(map(spell, made)), _name(len(chain)), etag=None)
            except Conflict:
                continue
            self.verify()
            return made
        raise StoreError(f"{self.store.uri} is appended to all the time by others; run again")

    def head(self) -> Head:
        return self.following(Head())[1]

    def verify(self) -> list[Entry]:
        """Read what is new; ``IntegrityError`` where the chain breaks or is shorter than this machine has seen it."""
        with self._reading:
            return self._verify()

    def _verify(self) -> list[Entry]:
        for info in self.store.list(after=self._after):
            if not info.key.endswith(".jsonl"):
                continue
            if info.key != _name(len(self._known)):
                raise IntegrityError(f"{self.store.uri}/{info.key}: {_name(len(self._known))} should come next")
            data = self.store.read(info, LIMIT)
            self._known += list(self._entries(data, info.key))
            self._after, self._size_read = info.key, self._size_read + len(data)
        seen = self._seen()
        if len(self._known) < seen.entries or (seen.entries and self._known[seen.entries - 1].digest != seen.digest):
            raise IntegrityError(
                f"{self.store.uri} was cut or rewritten: this machine has seen {seen.entries} entries, "
                f"{len(self._known)} are there"
            )
        if len(self._known) > seen.entries:
            head = Head(len(self._known), self._known[-1].digest, self._size_read)
            write_whole(self._head_path, canonical_json(dataclasses.asdict(head)) + b"\n")
        return list(self._known)

    def following(self, after: Head) -> tuple[list[Entry], Head]:
        chain = self.verify()
        if len(chain) < after.entries or (after.entries and chain[after.entries - 1].digest != after.digest):
            raise IntegrityError(f"{self.store.uri} is not the log that was read before: it was cut or rewritten")
        return chain[after.entries :], Head(len(chain), chain[-1].digest if chain else GENESIS, self._size_read)

    def _entries(self, data: bytes, where: str) -> Iterator[Entry]:
        previous = self._known[-1].digest if self._known else GENESIS
        for line in data.splitlines(keepends=True):
            entry = parse(line, f"{self.store.uri}/{where}")
            if entry.previous != previous:
                raise IntegrityError(f"{self.store.uri}/{where} does not follow the entry before it")
            previous = entry.digest
            yield entry

    def _seen(self) -> Head:
        try:
            return Head(**json.loads(self._head_path.read_bytes()))
        except FileNotFoundError:
            return Head()
        except (ValueError, TypeError) as error:
            raise IntegrityError(f"{self._head_path} is not readable") from error


def _name(entries: int) -> str:
    return f"{entries:012d}.jsonl"
