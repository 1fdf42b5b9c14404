"""A SQLite file that several processes share, made by whichever of them comes first.

SQLite does not wait for its turn when a file is changed to a write-ahead log (https://sqlite.org/wal.html): of two
processes that open a new file at once, one is told that it is locked. So a file is looked at, and made, behind a lock
of its own.
"""

import sqlite3
from pathlib import Path

from filelock import FileLock

PATIENCE = 20.0  # seconds that a writer waits for another
MADE = 1  # the file's ``user_version`` once it has its tables


def connect(path: Path, schema: str, *, check_same_thread: bool = True) -> sqlite3.Connection:
    """A connection to the file, which has the tables of ``schema`` (``CREATE TABLE IF NOT EXISTS``) and a write-ahead
    log. ``sqlite3.Error`` or ``OSError`` where it cannot be opened."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with FileLock(f"{path}.lock", timeout=PATIENCE):
        database = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None, check_same_thread=check_same_thread)
        try:
            if database.execute("PRAGMA user_version").fetchone()[0] < MADE:
                database.executescript(f"PRAGMA journal_mode = WAL; {schema}; PRAGMA user_version = {MADE}")
        except BaseException:
            database.close()
            raise
    return database
