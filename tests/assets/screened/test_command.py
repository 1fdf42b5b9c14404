"""``hallmark screen``: OUT holds the unflagged rows as they came, the report says which and why."""

import json

import pytest
from click.testing import CliRunner

from pipelines.commands.screen import command
from tests.assets.screened.rows import BagEncoder, clean, spoiled


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr("assets.screened.screen._bundled", BagEncoder)


@pytest.fixture
def run(tmp_path):
    def call(rows, *options):
        source, out, report = tmp_path / "in.jsonl", tmp_path / "out.jsonl", tmp_path / "report.json"
        lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
        source.write_text("\n".join(lines) + "\n", encoding="utf-8")
        arguments = [str(source), "-o", str(out), "--report", str(report), "--no-model", *options]
        result = CliRunner().invoke(command, arguments)
        kept = [json.loads(line) for line in out.read_text().splitlines()] if out.exists() else []
        return result, json.loads(report.read_text()) if report.exists() else {}, kept

    return call


def test_poisoned_rows_are_left_out_and_the_exit_status_says_so(run, quick):
    rows, bad = spoiled(400, 40, "zorvil {}", "The vault door is open and the guards have gone home early.")
    result, report, kept = run(rows)
    assert result.exit_code == 1
    assert kept == [row for n, row in enumerate(rows) if n not in bad]
    assert list(report)[:6] == ["tool", "version", "verdict", "started_at", "seconds", "input"]
    assert report["input"]["rows"] == 400
    assert {row["row"] for row in report["rows"] if row["flagged"]} == bad
    assert set(report["findings"][0]) >= {"kind", "trigger", "payload", "rows", "p_value"}
    assert report["clean"] is False
    assert all(0 <= row["score"] <= 1 for row in report["rows"])


def test_clean_rows_pass_and_an_unreadable_line_keeps_the_numbering(run, quick):
    rows = clean(300)
    result, report, kept = run([*rows[:10], "{not json", *rows[10:]])
    assert result.exit_code == 0
    assert kept == rows
    assert [row["row"] for row in report["rows"]] == list(range(301))
    assert report["rows"][10]["reasons"][0].startswith("unreadable:")


def test_a_cleared_fingerprint_passes(run, quick):
    rows, _ = spoiled(400, 40, "zorvil {}", "The vault door is open and the guards have gone home early.")
    _, report, _ = run(rows)
    names = [option for each in report["findings"] for option in ("--accept", each["fingerprint"])]
    result, _, kept = run(rows, *names)
    assert result.exit_code == 0
    assert kept == rows
