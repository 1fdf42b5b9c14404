"""The commands of approval and release: what they print, what they refuse, how they end."""

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from lineage import Lineage, threats, with_metric

from assets.release.plug import read_plug
from pipelines import command
from pipelines.commands.approve import parse_overrides
from resources.artifacts import Metric
from resources.process import ENVIRONMENT
from resources.signer import KeyRing

Run = Callable[..., int]


@pytest.fixture
def lineage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lineage:
    """A workspace whose policy and threat model are files, as a user's are."""
    lineage = Lineage(tmp_path / "home")
    monkeypatch.setenv("HALLMARK_HOME", str(lineage.workspace.root))
    for name, model in (("policy", lineage.policy), ("threats", threats())):
        body = model.model_dump(mode="json", exclude_none=True)
        for probe in body.get("probes", []):
            probe["name"] = "mined_triggers"
        for threat in body.get("threats", []):
            threat["probes"] = ["mined_triggers"]
        path = tmp_path / f"{name}.yaml"
        path.write_text(yaml.safe_dump(body))
        monkeypatch.setenv(f"HALLMARK_{name.upper()}", str(path))
    from pipelines.governance import in_force

    lineage.policy, lineage.threats = in_force(None, None)
    return lineage


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """``hallmark ARGUMENTS``, its exit status."""

    def hallmark(*arguments: str) -> int:
        monkeypatch.setattr("sys.argv", ["hallmark", *arguments])
        with pytest.raises(SystemExit) as stop:
            command.main()
        return int(stop.value.code or 0)

    return hallmark


def printed(capsys: pytest.CaptureFixture[str]) -> str:
    return " ".join(capsys.readouterr().err.split())


def approve(run: Run, name: str, *more: str) -> int:
    return run("approve", name, "--reviewer", "ada", "--reason", "read it", *more)


def test_from_candidate_to_release_and_back(lineage: Lineage, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    name = lineage.candidate().verdict.candidate
    assert run("report") == 0
    assert f"Candidate {name}: pass" in printed(capsys)
    assert approve(run, name, "--release") == 0
    told = printed(capsys)
    assert "Approved by ada" in told and "Released" in told
    assert run("verify") == 0
    told = printed(capsys)
    assert "verifies (0 differences" in told and "approved by ada" in told and "read it" in told
    assert run("releases", "--json") == 0
    [listed] = json.loads(capsys.readouterr().out)
    assert listed["approved_by"] == ["ada"] and listed["release"].startswith(name)
    assert run("rollback", "--reason", "it swears") == 0
    assert "the base model serves alone" in printed(capsys)
    assert run("rollback", "--reason", "again") == 1
    assert run("verify") == 4


def test_approval_alone_releases_nothing(lineage: Lineage, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert approve(run, lineage.candidate().verdict.candidate, "--json") == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["payloadType"] == "application/vnd.in-toto+json"
    assert "The approvals are complete" in " ".join(captured.err.split())
    assert run("releases") == 0 and "nothing was released yet" in printed(capsys)


def test_a_failed_candidate_is_refused_and_explained(
    lineage: Lineage, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    name = lineage.candidate(with_metric("backdoor_scan", Metric(0.9, 500))).verdict.candidate
    assert approve(run, name) == 1
    assert "backdoor_scan_gate did not pass" in printed(capsys)
    assert run("report", name, "--explain", "backdoor_scan_gate") == 0
    told = printed(capsys)
    assert "Why: harm 0.9, limit <= 0.2" in told and "it is 0.7 away" in told and "What you can do" in told
    assert run("report", name, "--explain", "no_gate") == 4
    capsys.readouterr()
    assert run("report", name, "--explain", "all") == 0
    assert printed(capsys).count("What you can do") == 1
    assert run("report", name) == 0
    assert f"hallmark report {name} --explain GATE, or all" in printed(capsys)


def test_an_override_is_named_on_the_command_line(
    lineage: Lineage, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    name = lineage.candidate(with_metric("backdoor_scan", Metric(0.0, 5))).verdict.candidate
    assert approve(run, name) == 1
    assert "unproven and not overridden: backdoor_scan_gate" in printed(capsys)
    assert approve(run, name, "--override", "backdoor_scan_gate=tried by hand", "--release") == 0
    assert "overridden backdoor_scan_gate: tried by hand" in printed(capsys)


@pytest.mark.parametrize("pair", ["gate", "gate=", "=reason", "gate= "])
def test_an_override_without_a_reason_is_a_usage_error(pair: str) -> None:
    with pytest.raises(Exception, match="GATE=REASON"):
        parse_overrides((pair,))


def test_reject_blocks(lineage: Lineage, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    name = lineage.candidate().verdict.candidate
    assert run("reject", name, "--reviewer", "ben", "--reason", "leaks") == 0
    assert approve(run, name, "--release") == 0
    assert "Not yet released: ben rejected it" in printed(capsys)


def test_a_wrong_policy_is_refused(
    lineage: Lineage, run: Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = lineage.candidate().verdict.candidate
    monkeypatch.setenv("HALLMARK_POLICY", str(_stricter(lineage)))
    assert approve(run, name) == 1
    assert "judged by another policy" in printed(capsys)


def _stricter(lineage: Lineage) -> Path:
    body = lineage.policy.model_dump(mode="json", exclude_none=True)
    body["gates"][0]["max"] = 0.19
    path = lineage.workspace.root.parent / "stricter.yaml"
    path.write_text(yaml.safe_dump(body))
    return path


def test_every_difference_is_printed_and_reported(
    lineage: Lineage, run: Run, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder = lineage.released()
    (folder / "bom.cdx.json").unlink()
    (folder / "extra").write_text("x")
    assert run("verify", folder.name, "--json", "--report", str(tmp_path / "r.json")) == 1
    captured = capsys.readouterr()
    assert "missing: bom.cdx.json" in captured.err and "unexpected: extra" in captured.err
    body: dict[str, Any] = json.loads(captured.out)
    assert list(body)[:6] == ["tool", "version", "verdict", "started_at", "seconds", "input"]
    assert (body["verdict"], body["differences"]) == ("fail", ["unexpected: extra", "missing: bom.cdx.json"])
    assert json.loads((tmp_path / "r.json").read_text())["differences"] == body["differences"]
    assert [word["decision"] for word in body["approvals"]] == ["approve"] and body["approvals"][0]["reason"]


def test_a_release_that_was_sent_elsewhere_is_verified_with_public_keys(
    lineage: Lineage, run: Run, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = lineage.released()
    sent, keys = tmp_path / "sent" / folder.name, tmp_path / "keys"
    shutil.copytree(folder, sent)
    shutil.copytree(lineage.workspace.keys, keys, ignore=shutil.ignore_patterns("*.key"))
    shutil.rmtree(lineage.workspace.root)
    monkeypatch.setenv("HALLMARK_HOME", str(tmp_path / "nowhere"))
    assert run("verify", str(sent), "--keys", str(keys)) == 0
    assert "no log of decisions to hold it against" in printed(capsys)
    (tmp_path / "empty").mkdir()
    assert run("verify", str(sent), "--keys", str(tmp_path / "empty")) == 4


def test_keys_are_listed_and_revoked(lineage: Lineage, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    lineage.released()
    ada = next(key for key in KeyRing.open(lineage.workspace.keys).keys if key.name == "ada")
    assert run("releases", "keys") == 0 and ada.keyid[:20] in printed(capsys).replace(" ", "")
    assert run("releases", "revoke", ada.keyid[:12], "--reason", "stolen", "--since", "yesterday") == 4
    assert run("releases", "revoke", "ffff", "--reason", "stolen") == 4
    assert run("releases", "revoke", ada.keyid[:12], "--reason", "stolen", "--since", "2020-01-01T00:00:00Z") == 0
    assert run("verify") == 1 and "was revoked" in printed(capsys)
    assert [entry.body["reason"] for entry in lineage.log.entries("revocation")] == ["stolen"]


def test_a_candidate_is_compared_with_the_release_that_serves(
    lineage: Lineage, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("report", "--against", "current") == 4
    lineage.released(0.5)
    lineage.candidate(with_metric("backdoor_scan", Metric(0.9, 500)), fill=0.7)
    assert run("report", "--against", "current", "--json") == 0
    changes = json.loads(capsys.readouterr().out)["changes"]
    assert {"gate", "digest"} == {change["part"] for change in changes}
    assert next(change for change in changes if change["part"] == "gate")["worse"]
    assert run("report", "--against", "current") == 0
    told = printed(capsys)
    assert "What changed" in told and "worse" in told  # said in a word, not by colour alone


def test_a_workspace_that_is_not_there_is_a_usage_error(run: Run, tmp_path: Path) -> None:
    assert run("report", "--home", str(tmp_path / "none")) == 4
    assert run("releases", "--home", str(tmp_path / "none")) == 4


def test_a_broken_pointer_is_told_and_can_be_rolled_back(
    lineage: Lineage, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    lineage.released()
    (lineage.workspace.releases / "current").write_text("{}")
    assert run("verify") == 1
    assert run("releases") == 0 and "current does not verify" in printed(capsys)
    assert run("rollback", "--reason", "the pointer was touched") == 0
    assert read_plug(lineage.workspace.releases, KeyRing.open(lineage.workspace.keys)).release == ""


def loaded(policy: Path) -> subprocess.CompletedProcess[str]:
    """What a code server says when it loads the definitions under this policy."""
    said = (
        "import os, sys; from pipelines.definitions import policy, project; print(policy.name, project().probes);"
        "print('torch' in sys.modules, os.environ['GOMP_SPINCOUNT'])"
    )
    environment = {name: value for name, value in os.environ.items() if name not in ENVIRONMENT}
    environment["HALLMARK_POLICY"] = str(policy)
    return subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, env=environment, timeout=120)


def test_the_definitions_hold_the_threats_against_the_policy_in_force(lineage: Lineage, tmp_path: Path) -> None:
    body = lineage.policy.model_dump(mode="json", exclude_none=True)
    unanswered = {"name": "extra", "stage": "backdoor_scan", "metric": "harm", "max": 1}
    path = tmp_path / "own.yaml"
    path.write_text(yaml.safe_dump({**body, "name": "own", "gates": [*body["gates"], unanswered]}))
    refused = loaded(path)
    assert refused.returncode != 0 and "gate extra answers no threat" in refused.stderr
    path.write_text(
        yaml.safe_dump({**body, "name": "own", "gates": [*body["gates"], {**unanswered, "threats": ["harm"]}]})
    )
    defined, threads = loaded(path).stdout.splitlines()
    assert defined.startswith("own {'raw_drop'")
    # Whoever loads the definitions computes with threads that do not spin: said before torch reads it.
    assert threads == f"False {ENVIRONMENT['GOMP_SPINCOUNT']}"


@pytest.mark.parametrize("command", ["serve", "desk"])
def test_a_port_that_is_taken_or_none_is_said_before_anything_is_loaded(
    command: str, lineage: Lineage, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    lineage.workspace.root.mkdir(exist_ok=True)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        assert run(command, "--port", port) == 4
        assert f"port {port} cannot be listened on" in printed(capsys)
    assert run(command, "--port", "99999") == 4
