"""``hallmark ui``: webserver, daemon, desk and a local S3 endpoint, all on 127.0.0.1, until interrupted."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import dagster as dg

from pipelines.governance import PORTS
from pipelines.instance import prepare
from resources.errors import HallmarkError
from resources.local_s3 import LocalS3, serve
from resources.process import end
from resources.workspace import Workspace

BUCKET = "drops"
POLL = 0.5  # seconds


@click.command("ui")
@click.option("--home", type=click.Path(path_type=Path), help="Workspace; default $HALLMARK_HOME or ./.hallmark.")
@click.option("--port", type=PORTS, default=3000, show_default=True, help="Port of the web page.")
@click.option("--desk-port", type=PORTS, default=3001, show_default=True, help="Port of the desk, where people decide.")
@click.option("--s3-port", type=PORTS, default=9000, show_default=True, help="Port of the local S3 endpoint.")
def command(home: Path | None, port: int, desk_port: int, s3_port: int) -> None:
    """Watch the lineage in a browser, and drop files into a local S3 bucket.

    Starts Dagster's webserver and daemon, the desk, and an S3 endpoint over the workspace's own store. A file put into
    the bucket is found by the sensor within half a minute, run, and shown.
    """
    workspace = Workspace.locate(home)
    prepare(workspace)
    with dg.DagsterInstance.get():
        pass  # makes Dagster's database here: webserver and daemon that make it at once can leave it broken
    with serve(workspace.drops.parent, port=s3_port, log=workspace.logs / "s3.log") as s3:
        os.environ.update(s3.environment(), HALLMARK_STORE=f"s3://{BUCKET}")
        _instructions(port, desk_port, s3)
        _run_until_interrupted(workspace, port, desk_port)


def _instructions(port: int, desk_port: int, s3: LocalS3) -> None:
    click.echo(f"""
Dagster   http://127.0.0.1:{port}
Desk      http://localhost:{desk_port}  (hallmark desk invite NAME lets somebody in)
S3        {s3.endpoint}  bucket {BUCKET}

Drop a file with any S3 client, for example from Python:

  import boto3
  boto3.client("s3", endpoint_url="{s3.endpoint}", region_name="us-east-1",
               aws_access_key_id="{s3.access_key}", aws_secret_access_key="{s3.secret_key}",
  ).upload_file("my.jsonl", "{BUCKET}", "my.jsonl", ExtraArgs={{"Metadata": {{"source": "me"}}}})

Ctrl-C ends everything.
""")


def _run_until_interrupted(workspace: Workspace, port: int, desk_port: int) -> None:
    module = ["-m", "pipelines.definitions"]
    commands = {
        "webserver": ["dagster-webserver", "--host", "127.0.0.1", "--port", str(port), *module],
        "daemon": ["dagster-daemon", "run", *module],
        "desk": ["python", "-m", "pipelines.command", "desk", "--home", str(workspace.root), "--port", str(desk_port)],
    }
    with contextlib.ExitStack() as stack:
        told_to_end: list[int] = []  # an exception could come while a process is started, which nobody would then end
        for number in (signal.SIGINT, signal.SIGTERM):
            stack.callback(signal.signal, number, signal.signal(number, lambda number, _: told_to_end.append(number)))
        processes: dict[str, subprocess.Popen[bytes]] = {}
        stack.callback(lambda: end(*processes.values(), patience=10))
        for name, arguments in commands.items():
            log = stack.enter_context((workspace.logs / f"{name}.log").open("ab"))
            program = sys.executable if name == "desk" else str(Path(sys.executable).with_name(arguments[0]))
            processes[name] = subprocess.Popen([program, *arguments[1:]], stdout=log, stderr=log)
        while not told_to_end:
            for name, process in processes.items():
                if process.poll() is not None:
                    raise HallmarkError(
                        f"the {name} ended (status {process.returncode}); see {workspace.logs / name}.log"
                    )
            time.sleep(POLL)
