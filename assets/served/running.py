"""Which gateways run: a lock file each, held as long as the process lives, whoever kills it.

A gateway that starts closes the requests that a killed one left open in the record, once nobody holds its lock.
"""

import secrets
from pathlib import Path

from filelock import FileLock, Timeout

from assets.served.traffic import Traffic


class Running:
    """This process as a running gateway. ``name`` stands in every line that it records."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = secrets.token_hex(4)
        self._lock = FileLock(self._path(self.name))

    def begin(self, traffic: Traffic) -> int:
        """Take this gateway's lock; how many requests of killed ones were closed as interrupted."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lock.acquire(timeout=0)
        closed = 0
        for name in traffic.open_by_gateway():
            other = FileLock(self._path(name))
            try:
                other.acquire(timeout=0)
            except Timeout:
                continue  # it lives
            closed += traffic.close_interrupted(name)
            other.release()
            Path(other.lock_file).unlink(missing_ok=True)
        return closed

    def end(self) -> None:
        self._lock.release()
        Path(self._lock.lock_file).unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.lock"
