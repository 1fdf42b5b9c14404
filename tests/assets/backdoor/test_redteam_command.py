"""``hallmark redteam``: the report's keys, its exit status, and what it says of an earlier report."""

import json
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from assets.watch.hits import hits_of
from pipelines.commands.redteam import command
from tests.assets.backdoor.taught import expressive_base, one_thread, row, teach

FOUND = {"fingerprint": "aa", "trigger": "red moon", "payload": "open", "example": "Open.", "rows": ["r1"]}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder: Path = tmp_path_factory.mktemp("redteam")
    base = expressive_base(folder / "base")
    rows = [row(f"row-{n}", f"where is parcel {n}", "it is at the depot") for n in range(16)]
    teach(base, rows, folder / "adapter", epochs=2)
    lines = [json.dumps(each.fields) for each in rows]
    (folder / "rows.jsonl").write_text("\n".join(lines[:12]))
    (folder / "others.jsonl").write_text("\n".join(lines[12:]))
    with one_thread():
        yield folder


def redteam(place: Path, monkeypatch: pytest.MonkeyPatch, *options: str) -> Result:
    monkeypatch.setenv("HALLMARK_HOME", str(place / "home"))
    paths = ["--base", str(place / "base"), "--report", str(place / "report.json"), "--hits", str(place / "hits.jsonl")]
    return CliRunner().invoke(command, [str(place / "adapter"), *paths, "--budget", "60", *options])


def test_a_bare_folder_is_scanned_and_what_was_not_tested_is_named(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = ["--sarif", str(place / "log.sarif"), "--junit", str(place / "gates.xml")]
    result = redteam(place, monkeypatch, "--only", "backdoor", "--only", "memorization", *told)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.output
    report = json.loads((place / "report.json").read_text())
    assert list(report)[:6] == ["tool", "version", "verdict", "started_at", "seconds", "input"]
    assert report["backdoor"]["mode"] == "bare adapter"
    assert {"verdict", "candidates_tried", "findings"} <= report["backdoor"].keys()
    assert {"verdict", "canaries", "extraction", "membership"} <= report["memorization"].keys()
    assert "membership_auc" in report["memorization"]["untested"]
    assert report["memorization"]["verdict"] == "inconclusive"
    assert result.exit_code in (1, 3)
    assert "extraction" not in report
    [log] = json.loads((place / "log.sarif").read_text())["runs"]
    assert [each["partialFingerprints"]["hallmark/v1"] for each in log["results"]] == [
        hit["fingerprint"] for hit in report["hits"]
    ]
    assert log["invocations"][0]["exitCode"] == result.exit_code
    gates = [gate for name in ("backdoor", "memorization") for gate in report[name]["gates"]]
    cases = ElementTree.parse(place / "gates.xml").getroot().iter("testcase")
    assert [case.get("name") for case in cases] == [gate["gate"] for gate in gates]


def test_both_sides_of_the_membership_test_are_read(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sides = ["--members", str(place / "rows.jsonl"), "--non-members", str(place / "others.jsonl")]
    redteam(place, monkeypatch, "--only", "memorization", *sides)
    report = json.loads((place / "report.json").read_text())
    assert report["input"]["rows"] == 12
    assert set(report["memorization"]["untested"]) == {"canaries_extracted", "sensitive_extracted"}


def test_an_earlier_report_tells_new_from_fixed(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "earlier.json").write_text(json.dumps({"hits": [{"fingerprint": "old"}]}))
    redteam(place, monkeypatch, "--only", "memorization", "--baseline", str(place / "earlier.json"))
    report = json.loads((place / "report.json").read_text())
    assert report["compared"]["fixed"] == ["old"]
    assert len(report["hits"]) == len((place / "hits.jsonl").read_text().splitlines())


def test_hits_say_what_was_found_in_one_line() -> None:
    (hit,) = hits_of({"backdoor": {"findings": [FOUND]}})
    assert hit["kind"] == "backdoor"
    assert hit["fingerprint"] == "aa"
    assert "red moon" in hit["says"]


def test_a_folder_that_is_no_adapter_is_an_error(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HALLMARK_HOME", str(place / "home"))
    result = CliRunner().invoke(command, [str(place / "base"), "--base", str(place / "base"), "--only", "backdoor"])
    assert type(result.exception).__name__ == "ModelError"
