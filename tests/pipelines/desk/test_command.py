"""`hallmark desk` as it is started: loopback, an invitation, and a word signed there that `hallmark verify` proves."""

import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from authenticator import Authenticator
from lineage import Lineage

from assets.release.approval import accept, draft
from pipelines import command


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.fixture
def hallmark(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    def run(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr("sys.argv", ["hallmark", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            command.main()
        shown = capsys.readouterr()
        return int(stop.value.code or 0), shown.out + shown.err

    return run


def test_it_listens_on_this_machine_only_and_ends_at_once(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    port = free_port()
    arguments = ["desk", "--home", str(tmp_path / "home"), "--port", str(port)]
    process = subprocess.Popen(
        [sys.executable, "-m", "pipelines.command", *arguments], stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stderr is not None
        assert process.stderr.readline().split() == ["Desk", f"http://localhost:{port}"]
        assert "hallmark desk invite NAME" in process.stderr.readline()
        deadline, page = time.monotonic() + 60, ""
        while not page and time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"http://localhost:{port}/", timeout=10) as answer:
                    page = answer.read().decode()
            except urllib.error.URLError:
                time.sleep(0.1)
        assert "Nobody is registered yet" in page
        listening = Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text()
        mine = re.findall(rf" ([0-9A-F]+):{port:04X} 0+:0000 0A ", listening)
        assert mine == ["0100007F"]
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0


def test_an_invitation_names_somebody_and_a_proxy_needs_tls(
    tmp_path: Path, hallmark: Callable[..., tuple[int, str]]
) -> None:
    home = str(tmp_path)
    status, said = hallmark("desk", "invite", "ada", "--home", home)
    assert status == 0 and re.search(r"^http://localhost:3001/invitation/\S{43}$", said, re.MULTILINE)
    status, said = hallmark("desk", "--home", home, "--url", "https://desk.example.org", "invite", "ada")
    assert status == 0 and "https://desk.example.org/invitation/" in said
    assert "token" not in (tmp_path / "desk" / "invitations.json").read_text()
    for wrong in (["--url", "http://desk.example.org"], ["--url", "desk"], ["--host", "0.0.0.0"]):
        assert hallmark("desk", "--home", home, *wrong)[0] == 4
    assert hallmark("desk", "--home", home, "invite", "../x")[0] == 4
    assert hallmark("desk", "--home", str(tmp_path / "absent"))[0] == 4


def test_verify_proves_a_passkeys_approval_and_names_a_forged_one(
    tmp_path: Path, hallmark: Callable[..., tuple[int, str]]
) -> None:
    lineage, phone = Lineage(tmp_path / "home"), Authenticator()
    phone.passkey("ada").write(lineage.workspace.keys)
    candidate = lineage.candidate()
    ground = (lineage.workspace, lineage.policy, lineage.threats, candidate.verdict.candidate)
    accept(*ground, phone.sign(draft(*ground, "approve", reviewer="ada", reason="read it")))
    folder = lineage.release(candidate)
    home = str(lineage.workspace.root)
    status, said = hallmark("verify", "--home", home)
    assert status == 0 and "verifies" in said
    status, said = hallmark("releases", "--home", home, "keys")
    assert "passkey for" in " ".join(said.split())
    elsewhere = tmp_path / "sent" / folder.name
    elsewhere.parent.mkdir()
    folder.rename(elsewhere)
    assert hallmark("verify", str(elsewhere), "--keys", f"{home}/keys")[0] == 0  # offline: the folder and public keys
    [passkey] = (lineage.workspace.keys / "passkeys").iterdir()
    passkey.unlink()
    Authenticator().passkey("ada").write(lineage.workspace.keys)  # a stranger's key under her name
    status, said = hallmark("verify", str(elsewhere), "--keys", f"{home}/keys")
    assert status == 1 and "no trusted reviewer key" in said
