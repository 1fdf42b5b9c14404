"""The guard itself: what leaves the machine fails a test, what stays on it does not."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OUTSIDE = "192.0.2.1"  # a documentation address (RFC 5737): no host has it


def _run_a_test(folder: Path, body: str) -> subprocess.CompletedProcess[str]:
    """Run one test function under the project's conftest, in a process of its own."""
    (folder / "conftest.py").write_text(
        (ROOT / "tests" / "conftest.py")
        .read_text()
        .replace('Path(__file__).parent / "egress"', f"Path({str(ROOT / 'tests' / 'egress')!r})")
    )
    (folder / "test_it.py").write_text(f"import socket, subprocess, sys\n\ndef test_it():\n    {body}\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(folder), str(folder)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    "body",
    [
        f"socket.create_connection(('{OUTSIDE}', 80), timeout=1)",
        f"socket.socket().connect_ex(('{OUTSIDE}', 80))",
        "socket.getaddrinfo('example.invalid', 443)",
        f"socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('{OUTSIDE}', 53))",
    ],
    ids=["connect", "connect_ex", "lookup", "datagram"],
)
def test_a_call_to_the_outside_fails_the_test_that_makes_it(tmp_path: Path, body: str) -> None:
    done = _run_a_test(tmp_path, body)
    assert done.returncode == 1
    assert "egress" in done.stdout


def test_a_swallowed_call_fails_too(tmp_path: Path) -> None:
    call = f"socket.create_connection(('{OUTSIDE}', 80))"
    done = _run_a_test(tmp_path, f"try:\n        {call}\n    except OSError:\n        pass")
    assert done.returncode == 1
    assert "egress beyond this machine" in done.stdout


def test_a_call_made_by_a_subprocess_fails_too(tmp_path: Path) -> None:
    code = f"import socket; socket.socket().connect_ex(('{OUTSIDE}', 80))"
    done = _run_a_test(tmp_path, f"subprocess.run([sys.executable, '-c', {code!r}])")
    assert done.returncode == 1
    assert f"{OUTSIDE}:80" in done.stdout


def test_local_peers_are_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        client.sendall(b"x")
    assert socket.getaddrinfo("localhost", 80)
    left, right = socket.socketpair()
    left.close()
    right.close()


def test_no_library_may_phone_home() -> None:
    assert os.environ["HF_HUB_OFFLINE"] == os.environ["DO_NOT_TRACK"] == "1"
    assert os.environ["GX_ANALYTICS_ENABLED"] == "false"
