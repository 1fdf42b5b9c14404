"""An alert is always in the log; a webhook that fails is an alert of its own, stops nothing and loses nothing."""

import base64
import contextlib
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

from resources.alerts import Alerts, webhook_secret


@dataclass
class Receiver:
    """A webhook's receiver, which checks as the Standard Webhooks specification says."""

    secret: bytes = b""
    answer: int = 204
    got: list[dict[str, Any]] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)

    @contextlib.contextmanager
    def listening(self, port: int = 0) -> Iterator[str]:
        receiver = self

        class Sink(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.take(dict(self.headers), body)
                self.send_response(receiver.answer)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        server = HTTPServer(("127.0.0.1", port), Sink)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/hook"
        finally:
            server.shutdown()
            server.server_close()

    def take(self, headers: dict[str, str], body: bytes) -> None:
        if self.secret:
            said = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
            digest = base64.b64encode(hmac.new(self.secret, said, hashlib.sha256).digest()).decode()
            assert headers["webhook-signature"] == f"v1,{digest}"
        if self.answer < 300:
            self.got.append(json.loads(body))
        self.ids.append(headers["webhook-id"])


def test_an_alert_is_a_line_in_the_log(tmp_path: Path) -> None:
    alerts = Alerts(tmp_path / "logs" / "alerts.jsonl")
    alerts.send("quarantine", "too many rows left", drop="d1", share=0.4)
    alerts.send("run-failed", "prove_drop failed")
    assert [alert["kind"] for alert in alerts.recent()] == ["quarantine", "run-failed"]
    assert alerts.recent("quarantine")[0]["share"] == 0.4


def test_a_webhook_gets_the_alert_and_can_check_who_sent_it(tmp_path: Path) -> None:
    key = tmp_path / "keys" / "vault.key"
    receiver = Receiver(webhook_secret(key))
    with receiver.listening() as url:
        alerts = Alerts(tmp_path / "a.jsonl", url, lambda: webhook_secret(key))
        alerts.send("quarantine", "rows left", rows=3)
        assert alerts.deliver() == 0
    [got] = receiver.got
    assert got["kind"] == "quarantine" and got["rows"] == 3
    receiver.secret = bytes(32)
    with receiver.listening() as url:  # an attacker's secret: the receiver breaks off
        Alerts(tmp_path / "b.jsonl", url, lambda: webhook_secret(key)).send("quarantine", "rows left")
    assert len(receiver.got) == 1


def test_a_webhook_that_is_down_is_itself_an_alert_and_loses_none(tmp_path: Path) -> None:
    receiver = Receiver()
    with receiver.listening() as url:
        port = int(url.split(":")[2].split("/")[0])
    alerts = Alerts(tmp_path / "a.jsonl", url)
    for number in range(3):
        alerts.send("held", f"call {number} waits")
    kinds = [alert["kind"] for alert in alerts.recent()]
    assert kinds == ["held", "webhook-failed", "held", "held"]  # said once; later ones were not tried
    assert alerts.deliver() == 3
    receiver.answer = 503
    with receiver.listening(port):
        assert alerts.deliver() == 3 and len(set(receiver.ids)) == 3
        receiver.answer = 200
        assert Alerts(tmp_path / "a.jsonl", url).deliver() == 0  # another process takes it up
        assert alerts.deliver() == 0
    assert [got["message"] for got in receiver.got] == [f"call {number} waits" for number in range(3)]
    assert receiver.ids[:3] == receiver.ids[3:]  # sent again under the same name


def test_an_alert_that_the_receiver_refuses_does_not_keep_the_others(tmp_path: Path) -> None:
    receiver = Receiver(answer=400)
    with receiver.listening() as url:
        alerts = Alerts(tmp_path / "a.jsonl", url)
        alerts.send("held", "first")
        receiver.answer = 204
        alerts.send("held", "second")
        assert alerts.deliver() == 0 and [got["message"] for got in receiver.got] == ["first", "second"]
