"""Budgets: how many requests, tokens and distinct prompts a key has a day (UTC).

What an answer may cost at most is set aside before it is made and given back after, so that no number of requests at
once overdraws; what a killed gateway had set aside stays spent until midnight. The counts live in SQLite and survive a
kill. A clock that is set back opens no new day: the latest day a key has seen goes on.
"""

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from resources.clock import parse, utc
from resources.errors import StoreError
from resources.shared_database import connect

_SCHEMA = """
CREATE TABLE IF NOT EXISTS spent (
  key TEXT NOT NULL, day TEXT NOT NULL, requests INTEGER NOT NULL, tokens INTEGER NOT NULL, PRIMARY KEY (key, day));
CREATE TABLE IF NOT EXISTS prompt (
  key TEXT NOT NULL, day TEXT NOT NULL, prompt TEXT NOT NULL, PRIMARY KEY (key, day, prompt)) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Budget:
    """What a key has a day."""

    requests: int
    tokens: int
    prompts: int


@dataclass(frozen=True, slots=True)
class Spent:
    requests: int
    tokens: int
    prompts: int


@dataclass(frozen=True, slots=True)
class Overdrawn:
    """Which budget is used up, and in how many seconds there is a new one."""

    what: str
    limit: int
    retry_after: int


class Budgets:
    """The counts in one database file. ``prompt`` is a keyed fingerprint, never the text."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._database: sqlite3.Connection | None = None

    def admit(
        self, key: str, prompt: str, tokens: int, budget: Budget, *, now: datetime | None = None
    ) -> tuple[str, Overdrawn | None]:
        """Count a request and set ``tokens`` aside; the day it counts for, and what stands in its way if anything."""
        moment = utc(now)
        with self._transaction() as database:
            latest = database.execute("SELECT MAX(day) FROM spent WHERE key = ?", (key,)).fetchone()[0] or ""
            day = max(latest, moment[:10])
            known = database.execute("SELECT 1 FROM prompt WHERE key=? AND day=? AND prompt=?", (key, day, prompt))
            new = known.fetchone() is None
            spent = _spent(database, key, day)
            wanted = {
                "requests": (spent.requests + 1, budget.requests),
                "tokens": (spent.tokens + tokens, budget.tokens),
                "distinct prompts": (spent.prompts + new, budget.prompts),
            }
            for what, (amount, limit) in wanted.items():
                if amount > limit:
                    return day, Overdrawn(what, limit, _until_midnight(moment, day))
            database.execute(
                "INSERT INTO spent VALUES (?,?,1,?) ON CONFLICT (key, day) "
                "DO UPDATE SET requests = requests + 1, tokens = tokens + excluded.tokens",
                (key, day, tokens),
            )
            if new:
                database.execute("INSERT INTO prompt VALUES (?,?,?)", (key, day, prompt))
        return day, None

    def settle(self, key: str, day: str, aside: int, used: int) -> None:
        """Give back what was set aside and not used."""
        with self._transaction() as database:
            database.execute("UPDATE spent SET tokens = tokens - ? WHERE key = ? AND day = ?", (aside - used, key, day))

    def spent(self, key: str, *, now: datetime | None = None) -> Spent:
        with self._transaction() as database:
            return _spent(database, key, utc(now)[:10])

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                database = self._database or self._open()
                database.execute("BEGIN IMMEDIATE")
                try:
                    yield database
                except BaseException:
                    database.execute("ROLLBACK")
                    raise
                database.execute("COMMIT")
            except (sqlite3.Error, OSError) as error:
                self._database = None
                raise StoreError(f"the budgets in {self.path} cannot be read or written: {error}") from error

    def _open(self) -> sqlite3.Connection:
        database = connect(self.path, _SCHEMA, check_same_thread=False)
        # NORMAL: a killed process loses nothing; a power cut may lose the last counts, which harms nobody's data.
        database.execute("PRAGMA synchronous = NORMAL")
        self._database = database
        return database


def _spent(database: sqlite3.Connection, key: str, day: str) -> Spent:
    row = database.execute("SELECT requests, tokens FROM spent WHERE key = ? AND day = ?", (key, day)).fetchone()
    prompts = database.execute("SELECT COUNT(*) FROM prompt WHERE key = ? AND day = ?", (key, day)).fetchone()[0]
    requests, tokens = row or (0, 0)
    return Spent(requests, tokens, prompts)


def _until_midnight(moment: str, day: str) -> int:
    midnight = parse(f"{day}T00:00:00Z") + timedelta(days=1)
    return max(1, int((midnight - parse(moment)).total_seconds()))
