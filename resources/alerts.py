"""Alerts: one JSON line in a log file, and a POST to a webhook when one is configured.

An alert never stops what raised it, and a webhook that is down loses none: what was not delivered waits in a folder
beside the log, and is sent again by whoever raises the next alert and, ever more rarely, by a gateway that runs.
Alerts carry counts and names, never text of rows (law 7).

A POST is signed as the Standard Webhooks specification says (https://www.standardwebhooks.com), so that a receiver can
check with any of its libraries who sent it, and that it is new::

    webhook-id: msg_...              the same when it is sent again
    webhook-timestamp: 1764244800    seconds; a receiver refuses what is old
    webhook-signature: v1,BASE64     HMAC-SHA-256 of "id.timestamp.body" with the secret's bytes
"""

import base64
import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from filelock import FileLock, Timeout

from resources.artifacts import write_whole
from resources.errors import HallmarkError
from resources.vault import derived, read_secret

WEBHOOK_TIMEOUT = 5.0  # seconds
MOST_WAITING = 10_000  # undelivered alerts that are kept for sending; the log keeps all


@dataclass(frozen=True, slots=True)
class Alerts:
    """``secret`` gives the webhook's when there is something to sign; without it a POST is not signed."""

    log: Path
    webhook: str = ""
    secret: Callable[[], bytes] | None = None

    def send(self, kind: str, message: str, **facts: Any) -> None:
        """Record an alert. ``kind`` is a stable name such as ``quarantine``; ``facts`` is small JSON."""
        alert = {"at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "kind": kind, "message": message, **facts}
        self._append(alert)
        if self.webhook:
            name = f"msg_{time.time_ns():020d}_{uuid.uuid4().hex[:8]}"
            write_whole(self._waiting / f"{name}.json", json.dumps(alert, ensure_ascii=False).encode())
            self.deliver()

    def deliver(self) -> int:
        """Send what waits, oldest first; how much still does. Where another process is at it, nothing is done."""
        waiting = sorted(self._waiting.glob("msg_*.json")) if self.webhook else []
        if not waiting:
            return 0
        try:
            with FileLock(self._waiting / ".lock", timeout=0):
                return self._deliver(waiting)
        except Timeout:
            return len(waiting)

    def recent(self, kind: str = "") -> list[dict[str, Any]]:
        """The alerts in the log, oldest first; of one kind if given."""
        lines = self.log.read_text(encoding="utf-8").splitlines() if self.log.exists() else []
        alerts = [json.loads(line) for line in lines]
        return [alert for alert in alerts if not kind or alert["kind"] == kind]

    @property
    def _waiting(self) -> Path:
        return self.log.with_name(f"{self.log.stem}.waiting")

    def _deliver(self, waiting: list[Path]) -> int:
        for path in waiting[:-MOST_WAITING]:
            for old in (path, path.with_suffix(".failed")):
                old.unlink(missing_ok=True)
        left = 0
        for number, path in enumerate(waiting := waiting[-MOST_WAITING:]):
            try:
                body = path.read_bytes()
            except FileNotFoundError:
                continue  # somebody delivered it since it was listed
            try:
                self._post(path.stem, body)
                for done in (path, path.with_suffix(".failed")):
                    done.unlink(missing_ok=True)
            except (OSError, HallmarkError) as error:  # requests' errors are OSErrors
                self._failed(path, json.loads(body), error)
                left += 1
                if not isinstance(error, requests.HTTPError):  # nobody is there: the others need not be tried
                    return left + len(waiting) - number - 1
        return left

    def _failed(self, path: Path, alert: dict[str, Any], error: Exception) -> None:
        """Say once of each alert that it could not be delivered."""
        if not (seen := path.with_suffix(".failed")).exists():
            seen.touch()
            self._append({**alert, "kind": "webhook-failed", "message": f"{self.webhook}: {error}"})

    def _append(self, alert: dict[str, Any]) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{self.log}.lock"), self.log.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(alert, ensure_ascii=False) + "\n")

    def _post(self, name: str, body: bytes) -> None:
        headers = {"content-type": "application/json", "webhook-id": name}
        if self.secret:
            headers |= signed(self.secret(), name, int(time.time()), body)
        requests.post(self.webhook, data=body, headers=headers, timeout=WEBHOOK_TIMEOUT).raise_for_status()


def signed(secret: bytes, name: str, at: int, body: bytes) -> dict[str, str]:
    """The headers that sign a message."""
    digest = hmac.new(secret, f"{name}.{at}.".encode() + body, hashlib.sha256).digest()
    return {"webhook-timestamp": str(at), "webhook-signature": f"v1,{base64.b64encode(digest).decode()}"}


def webhook_secret(key_file: Path) -> bytes:
    """32 bytes of the webhook's own, derived from the vault's key: whoever knows them opens nothing else."""
    return derived(read_secret(key_file, create=True), b"hallmark webhook v1")
