"""Reading on every core: further processes, each with an engine of its own, that take their share of a batch.

A reading depends on nothing but the passage and the policy, so that a batch can be read in parts, by anyone, in any
place. Loading an engine takes seconds, hence the other processes are started only for a drop that is or has proven to
be large, and share the work from when they are ready. Each is started as ``python -m assets.sanitized.readers`` and
spoken to over its own pipes, a line of JSON a message; it ends with its input, so none outlives this process.
"""

import json
import os
import select
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import astuple
from typing import IO, TYPE_CHECKING, Any

from assets.sanitized.detector import Detector, Passage
from assets.sanitized.settings import SanitizeSettings
from resources.errors import HallmarkError
from resources.process import cores

if TYPE_CHECKING:
    from resources.pii_engine import Span

LARGE = 20_000  # rows from which another engine pays for its loading
FEWEST = 32  # passages worth sending elsewhere


class Readers:
    """A detector's likes in other processes, if the drop is large. Close it when the drop is done."""

    def __init__(self, settings: SanitizeSettings) -> None:
        self._settings = settings
        self._others: list[_Reader] = []
        self._started = False

    def expect(self, rows: int) -> None:
        """So many rows there are at least: enough, perhaps, to call for help."""
        if self._started or rows < LARGE:
            return
        self._started = True
        processes = self._settings.processes or cores()
        self._others = [_Reader(self._settings) for _ in range(processes - 1)]

    def detect(self, detector: Detector, passages: Sequence[Passage]) -> "list[list[Span]]":
        """As ``detector.detect``."""
        from resources.pii_engine import Span

        distinct = list(dict.fromkeys(passages))
        ready = [other for other in self._others if other.ready()] if len(distinct) >= FEWEST else []
        if not ready:
            return detector.detect(passages)
        own, *shares = _split(distinct, 1 + len(ready))
        for other, share in zip(ready, shares, strict=True):
            other.send([astuple(passage) for passage in share])
        found = detector.detect(own)
        for other in ready:
            found += [[Span(*span) for span in spans] for spans in other.receive()]
        by_passage = dict(zip(distinct, found, strict=True))
        return [by_passage[passage] for passage in passages]

    def close(self) -> None:
        for other in self._others:
            other.close()
        self._others, self._started = [], False


class _Reader:
    """This end of another process."""

    def __init__(self, settings: SanitizeSettings) -> None:
        self._ready = False
        self._process = subprocess.Popen(
            [sys.executable, "-m", "assets.sanitized.readers"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.send(settings.model_dump())

    def ready(self) -> bool:
        """Whether its engine is loaded; asking does not wait."""
        assert self._process.stdout is not None
        if not self._ready and select.select([self._process.stdout], [], [], 0)[0]:
            self.receive()
            self._ready = True
        return self._ready

    def send(self, body: Any) -> None:
        assert self._process.stdin is not None
        try:
            _put(self._process.stdin, body)
        except BrokenPipeError as error:
            raise self._ended() from error

    def receive(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line.endswith(b"\n"):
            raise self._ended()
        return json.loads(line)

    def close(self) -> None:
        self._process.kill()  # it may still be loading, and holds nothing of its own
        self._process.communicate()

    def _ended(self) -> HallmarkError:
        return HallmarkError(
            f"a process that reads passages ended with status {self._process.wait()}, perhaps for want of memory: "
            "run again, with settings.sanitized_records.processes: 1 in the policy to read in one process"
        )


def serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    """Load an engine by the settings that come first, then answer every share of passages with their spans."""
    detector = Detector(SanitizeSettings.model_validate(json.loads(requests.readline())))
    _put(answers, True)
    for line in requests:
        found = detector.detect([Passage(*passage) for passage in json.loads(line)])
        _put(answers, [[astuple(span) for span in spans] for spans in found])


def _put(stream: IO[bytes], body: Any) -> None:
    stream.write(json.dumps(body).encode() + b"\n")
    stream.flush()


def _split(passages: list[Passage], parts: int) -> list[list[Passage]]:
    """Neighbours stay together; every part has about as many characters."""
    whole = sum(len(passage.text) for passage in passages) or 1
    shares: list[list[Passage]] = [[] for _ in range(parts)]
    read = 0
    for passage in passages:
        shares[min(parts - 1, read * parts // whole)].append(passage)
        read += len(passage.text)
    return shares


def _main() -> None:
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that asked
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints is no answer
    serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    _main()
