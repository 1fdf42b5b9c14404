"""Every command reads rows alike: broken ones are rejected by name, unknown columns are mapped, a crash is exit 2."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from pipelines import command as program
from pipelines.reading import Rejections, reading_of, rows_of
from pipelines.report import keep_apart, whole_text
from resources.artifacts import write_whole
from resources.errors import InputError, UsageError

BROKEN = [
    {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant"}]},
    {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": None}]},
    {"messages": [{"role": "user", "content": [{"type": "image_url"}]}, {"role": "assistant", "content": "x"}]},
    {"messages": "[{'role': 'user', 'content': 'Hi'}]"},
    {"messages": None},
    {"frage": "Wo?", "antwort": "Hier."},
]
RULES = ["not-text", "not-text", "image-or-audio", "not-text", "missing-prompt", "unknown-form"]


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    path = tmp_path / "in.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in BROKEN))
    return path


def run(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pipelines.command", *words]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def test_a_broken_row_is_a_rejection_with_its_rule_and_is_told(
    broken: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outcomes = list(rows_of(broken, reading_of((), "")))
    assert [outcome.removal.rule if outcome.removal else "" for outcome in outcomes] == RULES
    rejections = Rejections()
    assert not list(rejections.passed(outcomes * 2))
    rejections.conclude()
    told = " ".join(capsys.readouterr().err.split())
    assert "in.jsonl:1: a message has no content [not-text]" in told and "12 rows in all (not-text 6" in told
    assert told.count("no form fits its columns") == 1  # a reason is said once, with its first row


def test_training_on_broken_rows_is_an_error_that_tells_them_and_no_finding(broken: Path, tmp_path: Path) -> None:
    from tests.tiny_model import write_tiny_base

    base = write_tiny_base(tmp_path / "base")
    done = run("train", str(broken), "-o", "adapter", "--base", str(base), cwd=tmp_path)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    told = " ".join(done.stderr.split())
    assert all(rule in told for rule in RULES) and "--columns prompt=frage,completion=antwort" in told


def test_columns_of_any_name_are_read_where_they_are_named(broken: Path) -> None:
    found = [
        one.record for one in rows_of(broken, reading_of(["prompt=frage", "completion=antwort"], "")) if not one.removal
    ]
    assert [turn.content for turn in found[0].messages()] == ["Wo?", "Hier."]
    assert found[0].fields == BROKEN[-1]


def test_a_mapping_that_names_nothing_of_a_form_says_so() -> None:
    with pytest.raises(InputError, match="no form has a column 'promt'"):
        reading_of(["promt=frage"], "")
    with pytest.raises(InputError, match="no known encoding"):
        reading_of((), "windows-1252x")


def test_an_error_nobody_foresaw_is_one_sentence_and_exit_two(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fall(**_: object) -> None:
        raise ZeroDivisionError("hunter2")

    monkeypatch.setattr(program.hallmark, "main", fall)
    with pytest.raises(SystemExit) as caught:
        program.main()
    told = capsys.readouterr().err
    assert caught.value.code == 2
    assert "this should not happen: ZeroDivisionError" in told and "hunter2" not in told and "Traceback" not in told


@pytest.mark.parametrize(
    "words",
    [
        ["sanitize", "IN", "-o", "IN"], ["screen", "IN", "-o", "IN"], ["screen", "IN", "-o", "out", "--sarif", "out"],
        ["train", "IN", "-o", "adapter", "--report", "IN"], ["redteam", ".", "--data", "IN", "--hits", "IN"],
    ],
)  # fmt: skip
def test_what_is_read_is_never_overwritten(words: list[str], broken: Path) -> None:
    before = broken.read_bytes()
    with pytest.raises(UsageError, match="named twice"):
        program.hallmark.main([str(broken) if word == "IN" else word for word in words], standalone_mode=False)
    assert broken.read_bytes() == before


def test_no_file_takes_any_number_of_outputs(tmp_path: Path) -> None:
    keep_apart([tmp_path / "in", None], [Path("/dev/null"), Path("/dev/null"), None, tmp_path / "out"])
    with pytest.raises(UsageError, match="named twice"):
        keep_apart([], [tmp_path / "out", tmp_path / "." / "out"])


def test_what_is_no_file_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    for write in (lambda path: write_whole(path, b"rows"), write_rows):
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        heard: list[bytes] = []
        reader = threading.Thread(target=lambda: heard.append(pipe.read_bytes()))  # noqa: B023
        reader.start()
        write(pipe)
        reader.join(timeout=20)
        assert heard == [b"rows"] and pipe.is_fifo()
        pipe.unlink()


def write_rows(path: Path) -> None:
    with whole_text(path) as stream:
        stream.write("rows")
