"""An alert is always in the log; a webhook that fails is an alert of its own and stops nothing."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from resources.alerts import Alerts


def test_an_alert_is_a_line_in_the_log(tmp_path: Path) -> None:
    alerts = Alerts(tmp_path / "logs" / "alerts.jsonl")
    alerts.send("quarantine", "too many rows left", drop="d1", share=0.4)
    alerts.send("run-failed", "prove_drop failed")
    assert [alert["kind"] for alert in alerts.recent()] == ["quarantine", "run-failed"]
    assert alerts.recent("quarantine")[0]["share"] == 0.4


def test_a_webhook_gets_the_alert(tmp_path: Path) -> None:
    got: list[dict] = []

    class Sink(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Sink)
    threading.Thread(target=server.handle_request, daemon=True).start()
    Alerts(tmp_path / "a.jsonl", f"http://127.0.0.1:{server.server_port}/hook").send("quarantine", "rows left", rows=3)
    server.server_close()
    assert got[0]["kind"] == "quarantine" and got[0]["rows"] == 3


def test_a_webhook_that_is_down_is_itself_an_alert(tmp_path: Path) -> None:
    alerts = Alerts(tmp_path / "a.jsonl", "http://127.0.0.1:9/nobody")
    alerts.send("quarantine", "rows left")
    assert [alert["kind"] for alert in alerts.recent()] == ["quarantine", "webhook-failed"]
