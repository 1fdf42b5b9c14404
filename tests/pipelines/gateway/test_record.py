"""What the gateway recorded is conserved after a kill, and seen in Dagster."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import dagster as dg
import httpx
import openai
from lineage import Lineage

from assets.served.limits.keys import AccessKeys
from assets.served.running import Running
from assets.served.traffic import TRAFFIC, Traffic
from pipelines.gateway.build import KEYS
from pipelines.sensors import served_traffic
from resources.project import Project
from tests.pipelines.gateway.servers import VllmLike, say, serving

ROOT = Path(__file__).resolve().parents[3]


def test_served_release_is_observed_once_for_what_is_new(tmp_path: Path) -> None:
    project = Project(home=str(tmp_path))
    record = Traffic(tmp_path / "served" / TRAFFIC)
    record.note("asked", request="r1", release="rel-1", key="shop")
    record.note("answered", request="r1", tokens=7, seconds=0.5)
    record.note("turned-away", key="shop", why="sweep")
    context = dg.build_sensor_context(resources={"project": project})
    first = served_traffic(context)
    assert isinstance(first, dg.SensorResult)
    [seen] = first.asset_events
    shown = {name: value.value for name, value in seen.metadata.items()}
    assert seen.asset_key == dg.AssetKey("served_release")
    assert (shown["requests"], shown["tokens"], shown["turned_away"], shown["median_seconds"]) == (1, 7, 1, 0.5)
    again = served_traffic(dg.build_sensor_context(resources={"project": project}, cursor=first.cursor))
    assert isinstance(again, dg.SensorResult) and again.asset_events == []


def test_a_running_gateways_requests_are_left_alone_a_dead_ones_closed(tmp_path: Path) -> None:
    record = Traffic(tmp_path / TRAFFIC)
    alive = Running(tmp_path / "running")
    assert alive.begin(record) == 0
    record.note("asked", request="r1", gateway=alive.name)
    assert Running(tmp_path / "running").begin(record) == 0
    alive.end()
    assert Running(tmp_path / "running").begin(record) == 1


def start(home: Lineage, upstream: str, port: int) -> "subprocess.Popen[bytes]":
    policy, threats = home.workspace.root / "policy.yaml", home.workspace.root / "threats.yaml"
    shipped = (ROOT / "expectations" / "policy.yaml").read_text()
    text = shipped.replace("hold_back: 160", "mask: []\n    hold_back: 160")  # the sanitiser loads for seconds
    policy.write_text(text)
    threats.write_text((ROOT / "expectations" / "threats.yaml").read_text())
    command = ["-m", "pipelines.command", "serve", "--upstream", upstream, "--port", str(port)]
    options = ["--home", str(home.workspace.root), "--policy", str(policy), "--threats", str(threats)]
    return subprocess.Popen(
        [sys.executable, *command, *options], cwd=ROOT, env={**os.environ, "PYTHONPATH": f"{ROOT}:{os.environ['PYTHONPATH']}"}
    )  # fmt: skip


def wait_until_up(url: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{url}/healthz").status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.1)
    raise AssertionError("the gateway did not start")


def test_the_command_serves_and_a_kill_loses_no_count(home: Lineage) -> None:
    home.released()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    secret = AccessKeys(home.workspace.served / KEYS).create("shop")
    client = openai.OpenAI(base_url=f"{url}/v1", api_key=secret, max_retries=0)

    def ask(text: str) -> Any:
        return client.chat.completions.create(model="hallmark", messages=[{"role": "user", "content": text}])

    with serving(VllmLike(reply=lambda body: say("ok"), delay=0.4).app()) as upstream:
        first = start(home, upstream, port)
        try:
            wait_until_up(url)
            assert ask("hello there").choices[0].message.content == "ok"
            lost = [threading.Thread(target=lambda n=n: _try(lambda: ask(f"question {n}"))) for n in range(8)]  # type: ignore[misc]
            for thread in lost:
                thread.start()
            time.sleep(0.2)
        finally:
            os.kill(first.pid, signal.SIGKILL)
            first.wait(10)
        for thread in lost:
            thread.join(10)
        second = start(home, upstream, port)
        try:
            wait_until_up(url)
            assert ask("and again").choices[0].message.content == "ok"
        finally:
            second.terminate()
            second.wait(20)
    found = Traffic(home.workspace.served / TRAFFIC).tally()
    ends = sum(found.counts[end] for end in ("answered", "interrupted", "failed"))
    assert found.counts["answered"] == 2 and found.counts["interrupted"] >= 1
    assert (found.counts["asked"], found.unaccounted, found.open) == (ends, 0, set())


def _try(call: Any) -> None:
    try:
        call()
    except openai.APIError:
        return
