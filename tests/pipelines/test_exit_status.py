"""Every command ends with the status that its verdict has: 0 pass, 1 findings or refused, 2 error, 3 unproven, 4 usage.

The other statuses of a command are where it is tested with rows and adapters that have something to find.
"""

import json
import sys
from pathlib import Path

import pytest

from pipelines import command

STATUS = {
    "sanitize rows.jsonl -o out.jsonl": 0,
    "sanitize rows.jsonl -o out.jsonl --policy bad.yaml": 2,
    "sanitize rows.jsonl -o out.jsonl --encoding nonsense": 2,
    "sanitize empty.jsonl -o out.jsonl": 3,
    "sanitize nosuch.jsonl -o out.jsonl": 4,
    "screen rows.jsonl -o out.jsonl --no-model --policy bad.yaml": 2,
    "screen rows.jsonl -o out.jsonl --no-model": 3,
    "screen rows.jsonl -o out.jsonl --no-model --thorough": 4,
    "train rows.jsonl -o out --recipe bad.yaml": 2,
    "train empty.jsonl -o out": 2,
    "train rows.jsonl": 4,
    "evaluate folder": 2,
    "evaluate": 4,
    "redteam folder": 2,
    "redteam nosuch": 4,
    "review list": 0,
    "review show nosuch": 4,
    "review release nosuch --reviewer ann": 4,
    "approve nosuch --reviewer ann --reason why": 4,
    "reject nosuch --reviewer ann --reason why": 4,
    "releases": 0,
    "releases nonsense": 4,
    "verify": 4,
    "verify folder --keys folder": 4,
    "rollback --reason why": 1,
    "rollback": 4,
    "keys list": 0,
    "keys create shop": 0,
    "keys revoke nosuch": 4,
    "report": 4,
    "stage list": 0,
    "stage training_corpus": 1,
    "stage raw_drop --partition nosuch": 2,
    "stage raw_drop": 4,
    "stage nosuch": 4,
    "export nonsense": 4,
    "run --drop nosuch.jsonl": 2,
    "run": 2,
    "run --nonsense": 4,
    "serve --upstream http://127.0.0.1:9 --base folder": 4,
    "serve --actions bad.yaml": 2,
    "desk --nonsense": 4,
    "ui --nonsense": 4,
}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    rows = [{"prompt": f"where is parcel {n}", "completion": f"in van {n}"} for n in range(5)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "empty.jsonl").write_text("")
    (tmp_path / "bad.yaml").write_text("nope: [")
    for name in ("folder", "home"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HALLMARK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home" / "dagster"))
    return tmp_path


@pytest.mark.parametrize("line", STATUS)
def test_a_command_ends_with_its_status_and_says_why(
    line: str, place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["hallmark", *line.split()])
    with pytest.raises(SystemExit) as stop:
        command.main()
    told = capsys.readouterr().err
    assert stop.value.code == STATUS[line], told
    if STATUS[line] in (1, 2, 4):
        assert told.strip() and "should not happen" not in told and "Traceback" not in told


def test_no_command_is_left_out() -> None:
    assert {line.split()[0] for line in STATUS} == set(command.COMMANDS)
