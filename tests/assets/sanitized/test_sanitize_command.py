"""``hallmark sanitize``: the contract other programs rely on, over real files."""

import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

TOKEN = "gh" + "p_" + "q8Zk2mVx41LpWn7TfRb3YcHd9JsGe5AuQoKi"
ROWS = [
    {"text": "My name is Nicole Mahler, mail nicole@corp.example"},
    {"prompt": "nothing personal here", "completion": "indeed"},
    {"text": f"deploy with {TOKEN}"},
]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    folder = tmp_path_factory.mktemp("sanitize")
    lines = [json.dumps(row) for row in ROWS]
    (folder / "in.jsonl").write_text("\n".join([*lines[:2], '{"broken": ', lines[2]]) + "\n")
    command = [sys.executable, "-m", "pipelines.command", "sanitize", "in.jsonl", "-o", "out.jsonl"]
    command += ["--report", "r.json", "--vault", "vault.jsonl", "--vault-key", "key"]
    command += ["--sarif", "findings.sarif", "--junit", "gates.xml"]
    return folder, subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=_environment())


def test_out_holds_the_passed_rows_with_their_numbers(run: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    rows = [json.loads(line) for line in (run[0] / "out.jsonl").read_text().splitlines()]
    assert rows == [
        {"text": "My name is [PERSON_1], mail [EMAIL_ADDRESS_1]", "row": 0},
        {"prompt": "nothing personal here", "completion": "indeed", "row": 1},
    ]


def test_the_report_keeps_the_contract(run: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    report = json.loads((run[0] / "r.json").read_text())
    assert list(report)[:6] == ["tool", "version", "verdict", "started_at", "seconds", "input"]
    assert report["input"]["rows"] == 4
    assert report["counts"] == {"PERSON": 1, "EMAIL_ADDRESS": 1, "CREDENTIAL": 1}
    first = report["redactions"][0]
    assert {"row", "field", "start", "end", "type", "rule", "fingerprint"} <= set(first)
    assert ROWS[0]["text"][first["start"] : first["end"]] == "Nicole Mahler"
    assert [(one["row"], bool(one["reason"])) for one in report["quarantined"]] == [(3, True)]
    [rejected] = report["rejected"]
    assert (rejected["row"], rejected["object"], rejected["line"]) == (2, "in.jsonl", 3) and rejected["rule"]
    assert f"in.jsonl:3: {rejected['reason']} [{rejected['rule']}]" in run[1].stderr.replace("\n", " ")
    # One quarantined row of three is more than the policy lets pass.
    assert report["verdict"] == "fail" and run[1].returncode == 1


def test_no_value_is_in_any_file_or_message(run: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    written = b"".join(path.read_bytes() for path in run[0].iterdir() if path.name != "in.jsonl")
    shown = written + run[1].stdout.encode() + run[1].stderr.encode()
    for value in ("Nicole Mahler", "nicole@corp", TOKEN):
        assert value.encode() not in shown


def test_code_scanning_and_ci_are_told_the_same(run: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    [log] = json.loads((run[0] / "findings.sarif").read_text())["runs"]
    told = [
        (each["ruleId"], each["level"], each["locations"][0]["physicalLocation"]["region"]["startLine"])
        for each in log["results"]
    ]
    assert sorted(told) == [
        ("personal-data/EMAIL_ADDRESS", "warning", 1),
        ("personal-data/PERSON", "warning", 1),
        ("secret/CREDENTIAL", "error", 4),
        ("unreadable/json-syntax", "warning", 3),
    ]
    assert log["invocations"][0]["exitCode"] == run[1].returncode == 1
    gates = json.loads((run[0] / "r.json").read_text())["gates"]
    root = ElementTree.parse(run[0] / "gates.xml").getroot()
    assert [case.get("name") for case in root.iter("testcase")] == [gate["gate"] for gate in gates]
    failed = [gate["gate"] for gate in gates if gate["verdict"] == "fail"]
    assert [case.get("name") for case in root.iter("testcase") if case.find("failure") is not None] == failed != []


def test_an_empty_file_is_nothing_to_check(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").touch()
    command = [
        sys.executable,
        "-m",
        "pipelines.command",
        "sanitize",
        "in.jsonl",
        "-o",
        "out.jsonl",
        "--report",
        "r.json",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, env=_environment())
    assert done.returncode == 3 and "in.jsonl: holds no rows" in done.stderr
    report = json.loads((tmp_path / "r.json").read_text())
    assert (report["verdict"], report["input"]["rows"], report["redactions"]) == ("inconclusive", 0, [])
    assert (tmp_path / "out.jsonl").read_text() == ""


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
