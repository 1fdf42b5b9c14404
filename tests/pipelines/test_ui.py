"""`hallmark ui`, as a person uses it: a file put into the bucket by an ordinary S3 client is found, run and shown."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from resources.artifacts import Artifact, ArtifactStore
from resources.workspace import Workspace

ROWS = [
    {"prompt": f"Where can I hand in parcel {n}?", "completion": f"At counter {n} near the station."} for n in range(40)
]
PATIENCE = 240  # seconds


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Page:
    """A running `hallmark ui`."""

    def __init__(self, home: Path) -> None:
        self.workspace, self.port = Workspace(home), free_port()
        self.desk = free_port()
        arguments = ["ui", "--home", str(home), "--port", str(self.port), "--s3-port", str(free_port())]
        arguments += ["--desk-port", str(self.desk)]
        # A shell's background jobs ignore Ctrl-C, and so would all that they start.
        usual = signal.signal(signal.SIGINT, signal.default_int_handler)
        self.process = subprocess.Popen(
            [sys.executable, "-u", "-m", "pipelines.command", *arguments],
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ,
        )
        signal.signal(signal.SIGINT, usual)
        said = ""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            said += line
            if "Ctrl-C" in line:
                break
        self.said = said

    def bucket(self):
        endpoint, key, secret = re.search(
            r'endpoint_url="([^"]+)".*aws_access_key_id="([^"]+)", aws_secret_access_key="([^"]+)"',
            self.said,
            re.DOTALL,
        ).groups()
        return boto3.client("s3", endpoint_url=endpoint, aws_access_key_id=key, aws_secret_access_key=secret)

    def ask(self, query: str) -> dict:
        body = json.dumps({"query": query}).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/graphql", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)["data"]

    def wait_for(self, stage: str, count: int) -> list[Artifact]:
        store = ArtifactStore(self.workspace.root / "artifacts")
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            assert self.process.poll() is None, "hallmark ui ended"
            partitions = store.partitions(stage)
            if len(partitions) >= count:
                return [store.current(stage, partition) for partition in partitions]
            time.sleep(1)
        logs = "".join(path.read_text()[-2000:] for path in self.workspace.logs.glob("*.log"))
        raise AssertionError(f"no {stage} after {PATIENCE} s\n{logs}")


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    opened = Page(tmp_path / "home")
    yield opened
    opened.process.send_signal(signal.SIGINT)
    opened.process.wait(30)


@pytest.mark.timeout(600)
def test_a_dropped_file_is_found_run_and_shown(page: Page) -> None:
    text = "\n".join(json.dumps(row) for row in ROWS)
    page.bucket().put_object(Bucket="drops", Key="monday.jsonl", Body=text.encode(), Metadata={"source": "helpdesk"})
    [screened] = page.wait_for("screened_records", 1)
    assert screened.manifest.counts.rows_in == len(ROWS)
    partition = screened.manifest.partition
    runs = page.ask("{ runsOrError { ... on Runs { results { status tags { key value } } } } }")["runsOrError"][
        "results"
    ]
    mine = [run for run in runs if {"key": "dagster/partition", "value": partition} in run["tags"]]
    assert len(mine) == 1
    first = json.loads(screened.path("records.jsonl").read_text().splitlines()[0])
    assert first["origin"]["object_key"] == "monday.jsonl" and first["origin"]["source"] == "helpdesk"


def test_everything_it_started_ends_with_it(tmp_path: Path) -> None:
    opened = Page(tmp_path / "home")
    children = Path(f"/proc/{opened.process.pid}/task/{opened.process.pid}/children").read_text().split()
    deadline = time.monotonic() + 60
    while len(children) < 4 and time.monotonic() < deadline:
        time.sleep(0.2)
        children = Path(f"/proc/{opened.process.pid}/task/{opened.process.pid}/children").read_text().split()
    assert len(children) == 4  # S3, webserver, daemon, desk
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://localhost:{opened.desk}/rows") as answer:
            assert b"Sign in with a passkey" in answer.read()
            break
        time.sleep(0.2)
    else:
        pytest.fail("the desk does not answer")
    opened.process.send_signal(signal.SIGTERM)
    assert opened.process.wait(40) == 0
    assert not any(Path(f"/proc/{child}").exists() for child in children)
