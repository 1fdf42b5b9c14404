"""Who is at the desk: sessions kept in memory, named by a random cookie, ended by time or by restarting the server.

The cookie's value is kept as a digest only. Signing in always starts a *new* session: a cookie that somebody planted
in the browser before never becomes the signed-in one (session fixation).
"""

import hashlib
import secrets
import threading
import time
from dataclasses import dataclass, field
from typing import Any, Literal

IDLE = 30 * 60  # seconds without a page
LONGEST = 12 * 60 * 60  # seconds since signing in
NAMELESS = 10 * 60  # seconds that a ceremony of signing in may take
MOST_NAMELESS = 2000  # browsers that are just signing in; older ones are forgotten
PENDING = 10 * 60  # seconds that a statement waits to be signed
MOST_PENDING = 20


@dataclass(frozen=True, slots=True)
class Pending:
    """A statement that waits for the reviewer's passkey. ``target`` is the candidate or the held action."""

    kind: Literal["candidate", "held"]
    target: str
    title: str
    facts: tuple[tuple[str, str], ...]
    statement: dict[str, Any]
    back: str
    edited: Any = None
    made: float = field(default_factory=time.monotonic)


@dataclass(slots=True)
class Session:
    """``reviewer`` is empty until somebody has signed in, with the passkey ``keyid``.

    ``challenge`` is for one ceremony of signing in.
    """

    reviewer: str = ""
    keyid: str = ""
    csrf: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    challenge: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    started: float = field(default_factory=time.monotonic)
    seen: float = field(default_factory=time.monotonic)
    notices: list[tuple[str, str]] = field(default_factory=list)
    pending: dict[str, Pending] = field(default_factory=dict)

    @property
    def over(self) -> bool:
        now = time.monotonic()
        if not self.reviewer:
            return now - self.started > NAMELESS
        return now - self.seen > IDLE or now - self.started > LONGEST

    def wait_for(self, pending: Pending) -> str:
        """Keep a statement to be signed; its name."""
        for name in [name for name, each in self.pending.items() if time.monotonic() - each.made > PENDING]:
            del self.pending[name]
        while len(self.pending) >= MOST_PENDING:
            self.pending.pop(next(iter(self.pending)))
        name = secrets.token_urlsafe(12)
        self.pending[name] = pending
        return name

    def waiting(self, name: str) -> Pending | None:
        found = self.pending.get(name)
        return found if found and time.monotonic() - found.made <= PENDING else None


class Sessions:
    """All sessions of one server. Safe for threads."""

    def __init__(self) -> None:
        self._known: dict[str, Session] = {}
        self._lock = threading.Lock()

    def start(self, reviewer: str = "", keyid: str = "") -> tuple[str, Session]:
        """A new session and the value of its cookie."""
        cookie, session = secrets.token_urlsafe(32), Session(reviewer, keyid)
        with self._lock:
            self._known = {name: each for name, each in self._known.items() if not each.over}
            nameless = [name for name, each in self._known.items() if not each.reviewer]
            for name in nameless[: max(0, len(nameless) - MOST_NAMELESS + 1)]:
                del self._known[name]
            self._known[_name(cookie)] = session
        return cookie, session

    def find(self, cookie: str, *, touch: bool = True) -> Session | None:
        with self._lock:
            session = self._known.get(_name(cookie))
            if session is None or session.over:
                return None
            if touch:
                session.seen = time.monotonic()
            return session

    def end(self, cookie: str) -> None:
        with self._lock:
            self._known.pop(_name(cookie), None)


def _name(cookie: str) -> str:
    return hashlib.sha256(cookie.encode()).hexdigest()
