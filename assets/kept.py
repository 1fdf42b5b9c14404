"""What is made once for a base and kept for every later candidate: controls, calibrations, the base's own answers.

Each is named where it is made by a digest of all it hangs on. Here stands only what was made when, and how long it
took, for whoever asks where a run's time went.
"""

import contextlib
import json
import time
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path

LEDGER = "kept.jsonl"
_inside: ContextVar[bool] = ContextVar("inside", default=False)


@contextlib.contextmanager
def making(cache: Path, what: str) -> Iterator[None]:
    """Note in the ledger of ``cache`` that ``what`` was made, once the block has ended well.

    What is made within it is a part of it and not noted again.
    """
    if _inside.get():
        yield
        return
    started, token = time.monotonic(), _inside.set(True)
    try:
        yield
    finally:
        _inside.reset(token)
    line = {"what": what, "at": time.time(), "seconds": round(time.monotonic() - started, 3)}
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / LEDGER).open("a", encoding="utf-8") as stream:  # one short write: lines of two processes do not mix
        stream.write(json.dumps(line) + "\n")


def made_since(cache: Path, moment: float) -> dict[str, float]:
    """Seconds by what was made after ``moment`` (seconds since the epoch), in the order in which it was."""
    found: dict[str, float] = {}
    path = cache / LEDGER
    for line in path.read_text("utf-8").splitlines() if path.exists() else ():
        with contextlib.suppress(ValueError):  # the last line of a process that was killed
            entry = json.loads(line)
            if entry["at"] >= moment:
                found[entry["what"]] = found.get(entry["what"], 0.0) + entry["seconds"]
    return found
