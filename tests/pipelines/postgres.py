"""A real Postgres of the test's own, on a free port of this machine; its data goes with the test."""

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

USER, DATABASE = "dagster", "dagster"


def binaries() -> Path:
    """The folder of the newest server; the test is skipped where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        pytest.skip("needs a Postgres server (Debian: postgresql)")
    return found[-1].parent


@contextlib.contextmanager
def server(folder: Path, password: str) -> Iterator[dict[str, str]]:
    """Start it, and give the environment that a workspace needs to use it."""
    data, secret = folder / "data", folder / "password"
    folder.mkdir(parents=True)
    secret.write_text(password)
    as_user: list[str] = []
    if os.geteuid() == 0:  # the server refuses to run as root
        owner = pwd.getpwnam("postgres")
        for path in (folder, secret):
            shutil.chown(path, owner.pw_uid, owner.pw_gid)
        for parent in folder.parents[:3]:
            parent.chmod(parent.stat().st_mode | 0o011)
        as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    run = lambda *words: subprocess.run([*as_user, *words], check=True, capture_output=True, cwd=folder)  # noqa: E731
    run(str(binaries() / "initdb"), "-D", str(data), "-U", USER, "--pwfile", str(secret), "-A", "scram-sha-256")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={folder} -c fsync=off"
    control = str(binaries() / "pg_ctl")
    run(control, "-D", str(data), "-w", "-o", options, "-l", str(folder / "log"), "start")
    try:
        client = {**os.environ, "PGPASSWORD": password}
        subprocess.run(
            [str(binaries() / "createdb"), "-h", "127.0.0.1", "-p", str(port), "-U", USER, DATABASE],
            check=True, env=client,
        )  # fmt: skip
        yield {
            "HALLMARK_POSTGRES_HOST": "127.0.0.1",
            "HALLMARK_POSTGRES_PORT": str(port),
            "HALLMARK_POSTGRES_USER": USER,
            "HALLMARK_POSTGRES_PASSWORD": password,
            "HALLMARK_POSTGRES_DB": DATABASE,
        }
    finally:
        run(control, "-D", str(data), "-m", "immediate", "stop")
