"""The record of the release in use: who asked, which release answered, what was held, decided, refused, withheld.

It is a log like that of decisions (``resources.decision_log``): hash-chained, append-only, its head kept beside it. A
line says names and numbers only: the key's name, the release, counts of tokens, the kind of a finding and its keyed
fingerprint. No prompt, no answer, no argument is in it (law 7).

Every request leaves one ``asked`` before its first token goes out and one of the ``ENDS`` after its last. What a killed
gateway left open is closed as ``interrupted`` when it starts again, so that the counts are conserved (law 1)::

    asked == answered + held + forbidden + withheld + unplugged + failed + interrupted + (open now)

>>> import tempfile
>>> record = Traffic(Path(tempfile.mkdtemp()) / "traffic.jsonl")
>>> record.note("asked", request="r1", key="shop"), record.note("answered", request="r1", tokens=12)
(None, None)
>>> record.note("asked", request="r2", key="shop"), record.close_interrupted("gateway-1")
(None, 1)
>>> record.tally().counts["interrupted"], record.tally().unaccounted
(1, 0)
"""

import queue
import threading
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from resources.decision_log import DecisionLog, Entry
from resources.errors import HallmarkError, StoreError

TRAFFIC = "traffic.jsonl"  # in the workspace's folder of the served release
ENDS = ("answered", "held", "forbidden", "withheld", "unplugged", "failed", "interrupted")
EVENTS = ("asked", *ENDS, "turned-away", "decided", "release", "alarm")
BATCH = 256  # lines written together at most
LINGER = 0.1  # seconds that a line which nobody waits for is kept for the next that somebody does
_Job = tuple[str, dict[str, Any], "Future[None]", bool]


@dataclass(slots=True)
class Tally:
    """What the lines of a record add up to. ``open`` are requests that were asked and have not ended."""

    counts: Counter[str] = field(default_factory=Counter)
    tokens: int = 0
    delays: list[float] = field(default_factory=list)
    open: set[str] = field(default_factory=set)
    stray: int = 0

    def add(self, entry: Entry) -> None:
        self.counts[entry.kind] += 1
        request = str(entry.body.get("request", ""))
        if entry.kind == "asked":
            self.open.add(request)
        elif entry.kind in ENDS:
            self.stray += request not in self.open
            self.open.discard(request)
            self.tokens += int(entry.body.get("tokens", 0))
            if "seconds" in entry.body:
                self.delays.append(float(entry.body["seconds"]))

    @property
    def unaccounted(self) -> int:
        """Requests that ended without having been asked, or that ended twice."""
        return self.stray


class Traffic:
    """The record at ``path``. ``note`` returns once the line is on disk; ``submit`` lets many wait for one write."""

    def __init__(self, path: Path) -> None:
        self.log = DecisionLog(path)
        self._queue: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._writer: threading.Thread | None = None
        self._starting = threading.Lock()

    def note(self, kind: str, **body: Any) -> None:
        """Write one line. ``StoreError`` where the disk does not take it."""
        self.log.append(_known(kind), body)

    def submit(self, kind: str, *, urgent: bool = True, **body: Any) -> "Future[None]":
        """Write a line with whatever else waits at the moment; the future ends when it is on disk, or fails.

        A write costs the same for one line as for many: one that is not ``urgent`` waits a moment for others.
        """
        with self._starting:
            if self._writer is None:
                self._writer = threading.Thread(target=self._write, name="traffic", daemon=True)
                self._writer.start()
        done: Future[None] = Future()
        self._queue.put((_known(kind), body, done, urgent))
        return done

    def close(self) -> None:
        """Write what waits and end the writer."""
        if self._writer is not None:
            self._queue.put(None)
            self._writer.join()
            self._writer = None

    def close_interrupted(self, gateway: str) -> int:
        """End the requests of one gateway that was killed; how many there were. Only when it does not run."""
        left = sorted(self.tally(gateway).open)
        self.log.append_all([("interrupted", {"request": request, "gateway": gateway}) for request in left])
        return len(left)

    def tally(self, gateway: str | None = None) -> Tally:
        """What the record says so far, of one gateway if given; the chain is checked while reading."""
        return tally(entry for entry in self.log.entries() if gateway in (None, entry.body.get("gateway", gateway)))

    def open_by_gateway(self) -> list[str]:
        """The gateways that have requests open by the record."""
        begun: dict[str, str] = {}
        for entry in self.log.entries():
            if entry.kind == "asked":
                begun[str(entry.body["request"])] = str(entry.body.get("gateway", ""))
            elif entry.kind in ENDS:
                begun.pop(str(entry.body["request"]), None)
        return sorted({name for name in begun.values() if name})

    def _write(self) -> None:
        going = True
        while going:
            jobs, going = self._gathered()
            if not jobs:
                continue
            try:
                self.log.append_all([(kind, body) for kind, body, *_ in jobs])
            except (HallmarkError, OSError) as error:
                fault = error if isinstance(error, HallmarkError) else StoreError(f"the record: {error}")
                for _, _, done, _ in jobs:
                    done.set_exception(fault)
            else:
                for _, _, done, _ in jobs:
                    done.set_result(None)

    def _gathered(self) -> tuple[list[_Job], bool]:
        """What is written next, and whether more may come."""
        jobs: list[_Job] = []
        until, urgent = 0.0, False
        while len(jobs) < BATCH:
            left = None if not jobs else 0.0 if urgent else max(0.0, until - time.monotonic())
            try:
                job = self._queue.get(block=left != 0.0, timeout=left)
            except queue.Empty:
                break
            if job is None:
                return jobs, False
            until = until or time.monotonic() + LINGER
            urgent = urgent or job[3]
            jobs.append(job)
        return jobs, True


def tally(entries: Iterable[Entry]) -> Tally:
    found = Tally()
    for entry in entries:
        found.add(entry)
    return found


def _known(kind: str) -> str:
    if kind not in EVENTS:
        raise ValueError(f"{kind} is no event of the record")
    return kind
