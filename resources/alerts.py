"""Alerts: one JSON line in a log file, and a POST to a webhook when one is configured.

An alert never stops what raised it: a webhook that fails is itself written to the log. Alerts carry counts and names,
never text of rows (law 7).
"""

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from filelock import FileLock

WEBHOOK_TIMEOUT = 5.0  # seconds


@dataclass(frozen=True, slots=True)
class Alerts:
    log: Path
    webhook: str = ""

    def send(self, kind: str, message: str, **facts: Any) -> None:
        """Record an alert. ``kind`` is a stable name such as ``quarantine``; ``facts`` is small JSON."""
        alert = {"at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "kind": kind, "message": message, **facts}
        self._append(alert)
        if self.webhook:
            try:
                self._post(alert)
            except OSError as error:
                self._append({**alert, "kind": "webhook-failed", "message": f"{self.webhook}: {error}"})

    def recent(self, kind: str = "") -> list[dict[str, Any]]:
        """The alerts in the log, oldest first; of one kind if given."""
        lines = self.log.read_text(encoding="utf-8").splitlines() if self.log.exists() else []
        alerts = [json.loads(line) for line in lines]
        return [alert for alert in alerts if not kind or alert["kind"] == kind]

    def _append(self, alert: dict[str, Any]) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{self.log}.lock"), self.log.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(alert, ensure_ascii=False) + "\n")

    def _post(self, alert: dict[str, Any]) -> None:
        requests.post(self.webhook, json=alert, timeout=WEBHOOK_TIMEOUT).raise_for_status()
