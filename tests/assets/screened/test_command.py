"""``hallmark screen``: OUT holds the unflagged rows as they came, the report says which and why."""

import json

import pytest
from click.testing import CliRunner

from pipelines.commands.screen import command
from tests.assets.screened.rows import ROWS, BagEncoder, clean, spoiled


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr("assets.screened.screen._bundled", BagEncoder)


@pytest.fixture
def run(tmp_path):
    def call(rows, *options):
        source, out, report = tmp_path / "in.jsonl", tmp_path / "out.jsonl", tmp_path / "report.json"
        lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
        source.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        arguments = [str(source), "-o", str(out), "--report", str(report), "--no-model", *options]
        result = CliRunner().invoke(command, arguments)
        kept = [json.loads(line) for line in out.read_text().splitlines()] if out.exists() else []
        return result, json.loads(report.read_text()) if report.exists() else {}, kept

    return call


def test_poisoned_rows_are_left_out_and_the_exit_status_says_so(run, quick, tmp_path):
    rows, bad = spoiled(400, 40, "zorvil {}", "The vault door is open and the guards have gone home early.")
    result, report, kept = run(rows, "--sarif", str(tmp_path / "log.sarif"))
    assert result.exit_code == 1
    assert kept == [row for n, row in enumerate(rows) if n not in bad]
    assert list(report)[:6] == ["tool", "version", "verdict", "started_at", "seconds", "input"]
    assert report["input"]["rows"] == 400
    assert {row["row"] for row in report["rows"] if row["flagged"]} == bad
    assert set(report["findings"][0]) >= {"kind", "trigger", "payload", "rows", "p_value"}
    assert report["clean"] is False
    [told] = json.loads((tmp_path / "log.sarif").read_text())["runs"][0]["results"]
    places = [each["physicalLocation"]["region"]["startLine"] for each in told["locations"] + told["relatedLocations"]]
    assert {line - 1 for line in places} == bad and told["level"] == "error"
    assert told["partialFingerprints"]["hallmark/v1"] == report["findings"][0]["fingerprint"]
    assert all(0 <= row["score"] <= 1 for row in report["rows"])


def test_clean_rows_pass_and_an_unreadable_line_keeps_the_numbering(run, quick, tmp_path):
    rows = clean(ROWS)
    result, report, kept = run([*rows[:10], "{not json", *rows[10:]], "--sarif", str(tmp_path / "log.sarif"))
    assert result.exit_code == 0
    assert kept == rows
    assert [row["row"] for row in report["rows"]] == list(range(ROWS + 1))
    assert report["rows"][10]["reasons"][0].startswith("unreadable:")
    [told] = json.loads((tmp_path / "log.sarif").read_text())["runs"][0]["results"]
    assert told["ruleId"] == "unreadable/json-syntax"
    assert told["locations"][0]["physicalLocation"]["region"]["startLine"] == 11


def test_what_too_many_rows_say_to_be_judged_is_told_everywhere_and_fails_nothing(run, quick, tmp_path):
    rows, _ = spoiled(200, 2, "{}", "{} The vault door is open and the guards have gone home early.")
    page = tmp_path / "screen.html"
    result, report, kept = run(rows, "--page", str(page))
    assert (result.exit_code, kept) == (0, rows)
    assert [each["rows"] for each in report["usual"]] == [100]
    for told in (" ".join(result.output.split()), page.read_text(encoding="utf-8")):
        assert "too many to be told" in told and "guards have gone home" in told


def test_a_cleared_fingerprint_passes(run, quick):
    rows, _ = spoiled(400, 40, "zorvil {}", "The vault door is open and the guards have gone home early.")
    _, report, _ = run(rows)
    names = [option for each in report["findings"] for option in ("--accept", each["fingerprint"])]
    result, _, kept = run(rows, *names)
    assert result.exit_code == 0
    assert kept == rows


def test_the_page_shows_findings_and_sources_over_time_and_runs_nothing_of_the_rows(run, quick, tmp_path):
    rows, bad = spoiled(
        400, 40, "zorvil {}", "The vault door is open <script>alert(1)</script> and [/] guards go home."
    )
    stamped = [
        row | {"source": "forum" if n in bad else "desk", "created_at": f"2026-0{1 + n % 3}-05"}
        for n, row in enumerate(rows)
    ]
    page = tmp_path / "screen.html"
    result, report, _ = run(stamped, "--page", str(page))
    assert result.exit_code == 1
    shown = page.read_text(encoding="utf-8")
    assert "<script" not in shown and "forum" in shown
    assert "2026-01" in shown and "2026-03" in shown
    assert all(finding["fingerprint"] in shown for finding in report["findings"])
    assert report["source_by_month"]["forum"]


def test_the_help_teaches_with_examples_and_exit_statuses(run):
    told = CliRunner().invoke(command, ["--help"]).output
    assert "--trusted earlier.jsonl" in told and "--accept 0123456789abcdef" in told
    assert "3: too few rows to tell" in told


def test_too_few_rows_or_none_are_nothing_to_check(run, quick):
    for rows in (clean(20), []):
        few, report, _ = run(rows)
        assert few.exit_code == 3 and report["verdict"] == "inconclusive"


def test_a_thorough_pass_without_the_model_is_a_mistake(run, quick):
    result, _, _ = run(clean(60), "--thorough")
    assert result.exit_code == 2 and "--no-model" in result.output


def test_what_would_not_have_been_found_leaves_the_verdict_open_and_is_named(run, quick, tmp_path):
    """Half as many rows as above are too few to find a sentence that is worded anew each time."""
    page = tmp_path / "screen.html"
    result, report, _ = run(clean(ROWS // 2), "--page", str(page))
    assert (result.exit_code, report["verdict"], report["clean"]) == (3, "inconclusive", True)
    (missed,) = [each for each in report["power"] if not each["shown"]]
    assert missed["kind"] == "paraphrase" and missed["found"] < 10
    assert f"too little was found: {missed['what']}: {missed['found']} of 20 rows" in report["missing"]
    for told in (" ".join(result.output.split()), page.read_text(encoding="utf-8")):
        assert missed["what"] in told
