"""A real S3 endpoint on this machine, over a folder: ``rclone serve s3`` on 127.0.0.1, with signatures checked.

For ``make ui`` and the tests. Buckets are the folders below ``root``. No versioning; ``If-None-Match`` is ignored.
"""

import contextlib
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from resources.errors import StoreError
from resources.process import end

START_TIMEOUT = 15.0  # seconds


@dataclass(frozen=True, slots=True)
class LocalS3:
    """Address and credentials of a running endpoint."""

    endpoint: str
    access_key: str
    secret_key: str

    def environment(self) -> dict[str, str]:
        """What an ordinary S3 client, and Hallmark's own store, read from the environment."""
        return {
            "HALLMARK_S3_ENDPOINT": self.endpoint,
            "AWS_ENDPOINT_URL_S3": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_DEFAULT_REGION": "us-east-1",
        }


@contextlib.contextmanager
def serve(root: Path, *, port: int = 0, log: Path | None = None) -> Iterator[LocalS3]:
    """Serve ``root`` until the block ends. ``port`` 0 takes a free one. ``StoreError`` if it does not come up."""
    address = f"127.0.0.1:{port or _free_port()}"
    access, secret = "hallmark", secrets.token_hex(16)
    command = [
        _rclone(),
        "serve",
        "s3",
        "--auth-key",
        f"{access},{secret}",
        "--addr",
        address,
        "--vfs-cache-mode",
        "off",
    ]
    output = log.open("ab") if log else subprocess.DEVNULL
    process = subprocess.Popen([*command, str(root)], stdout=output, stderr=output)
    try:
        _wait_for(address, process)
        yield LocalS3(f"http://{address}", access, secret)
    finally:
        end(process, patience=5)


def _rclone() -> str:
    beside = Path(sys.executable).with_name("rclone")
    found = str(beside) if beside.exists() else shutil.which("rclone")
    if not found:
        raise StoreError("rclone is not installed; it comes with the lock file: run `make` in the project")
    return found


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    host, port = address.split(":")
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise StoreError(f"the local S3 endpoint ended at once (status {process.returncode}); is {address} in use?")
        with contextlib.suppress(OSError), socket.create_connection((host, int(port)), timeout=1):
            return
        time.sleep(0.05)
    raise StoreError(f"the local S3 endpoint did not answer on {address} within {START_TIMEOUT:.0f} s")
