"""What every page of the desk works with: the workspace, the rules in force, what is kept in memory between pages."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from assets.release.rules import ApprovalRules
from assets.review import Decision, decisions
from assets.served.approval.held import HeldStore
from assets.verdict.threat import ThreatModel
from assets.waiting import Item, Queue
from expectations.policy import Policy
from pipelines.desk.reviewers import Reviewers
from pipelines.desk.sessions import Sessions
from resources.decision_log import DecisionLog, Entry, Head
from resources.line_cipher import LineCipher
from resources.vault import read_secret
from resources.workspace import Workspace

FRESH = 0.9  # seconds


class Ledger:
    """The log of decisions, read on from where it was left, with the latest decision on everything that waited."""

    def __init__(self, log: DecisionLog) -> None:
        self._log, self._lock = log, threading.Lock()
        self._end = Head()
        self._entries: list[Entry] = []
        self._latest: dict[tuple[str, str], Decision] = {}

    def entries(self) -> Sequence[Entry]:
        """Every entry, oldest first."""
        with self._lock:
            new, self._end = self._log.following(self._end)
            if new:
                self._entries = [*self._entries, *new]  # a new list: a page may still read the old one
                self._latest |= {(each.stage, each.target): each for each in decisions(new)}
            return self._entries

    def decided(self) -> dict[tuple[str, str], Decision]:
        """By stage and name, the last decision on each row or finding."""
        self.entries()
        return self._latest


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something that waits, and the decision on it that the next run will apply, if there is one."""

    item: Item
    decision: Decision | None


@dataclass(slots=True)
class Desk:
    """One server's state. ``origin`` is its address in browsers, ``store`` where corrected rows go."""

    workspace: Workspace
    policy: Policy
    threats: ThreatModel
    store: str
    origin: str
    sessions: Sessions = field(default_factory=Sessions)
    closing: bool = False
    cipher: LineCipher = field(init=False)
    queue: Queue = field(init=False)
    ledger: Ledger = field(init=False)
    held: HeldStore = field(init=False)
    reviewers: Reviewers = field(init=False)
    _looking: threading.Lock = field(default_factory=threading.Lock)
    _looked: float = float("-inf")
    _stamps: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.cipher = LineCipher(read_secret(self.workspace.keys / "vault.key", create=True))
        self.queue = Queue(self.workspace.artifacts, self.cipher)
        self.ledger = Ledger(self.workspace.decision_log)
        self.held = HeldStore.open(self.workspace)
        self.reviewers = Reviewers(self.workspace, self.origin)

    @property
    def rules(self) -> ApprovalRules:
        return ApprovalRules.of(self.policy)

    @property
    def address(self) -> str:
        """Host and port, as the browser's ``Host`` header says them."""
        return urlsplit(self.origin).netloc

    @property
    def secure(self) -> bool:
        return self.origin.startswith("https:")

    def waiting(self) -> list[Waiting]:
        """Findings first, then rows, with what was decided and not yet applied."""
        latest = self.ledger.decided()
        return [Waiting(item, latest.get((item.stage, item.name))) for item in self.queue.items()]

    def counts(self) -> dict[str, int]:
        """What waits for a person: the numbers in the navigation."""
        undecided = [each.item for each in self.waiting() if each.decision is None]
        rows = sum(item.is_row for item in undecided)
        held = self.held.counts()["waiting"] if self.held.path.exists() else 0
        return {"rows": rows, "findings": len(undecided) - rows, "held": held}

    def stamps(self) -> dict[str, str]:
        """What changes when something of that kind has changed; looked at once a second, however many ask."""
        with self._looking:
            if time.monotonic() - self._looked > FRESH:
                self._stamps, self._looked = self._look(), time.monotonic()
            return self._stamps

    def _look(self) -> dict[str, str]:
        home = self.workspace
        stages = sorted((home.root / "artifacts").glob("*/*/current"))
        held = self.held.counts() if self.held.path.exists() else {}
        return {
            "decisions": str(len(self.ledger.entries())),
            "releases": _stamp(home.releases / "current"),
            "rows": ",".join(_stamp(path) for path in stages),
            "held": f"{_stamp(self.held.path)} {held}",
        }


def _stamp(path: Path) -> str:
    try:
        found = path.stat()
    except FileNotFoundError:
        return "-"
    return f"{found.st_mtime_ns}.{found.st_size}"
