"""The command teaches, and every way it can end has its own exit status."""

import json
import subprocess
import sys
from pathlib import Path

import click
import pytest

from pipelines import command
from pipelines.report import EXIT, StageReport
from resources import errors

HALLMARK = [sys.executable, "-m", "pipelines.command"]


def test_help_names_every_command_and_does_not_load_one() -> None:
    script = (
        "import sys; from click.testing import CliRunner; from pipelines.command import COMMANDS, hallmark;"
        "out = CliRunner().invoke(hallmark, ['--help']).output;"
        "assert all(name in out and text in out for name, text in COMMANDS.items()), out;"
        "heavy = {'torch', 'dagster', 'transformers', 'pandas'} & set(sys.modules); assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", sorted(command.COMMANDS))
def test_every_command_has_a_help_that_teaches(name: str) -> None:
    context = click.Context(command.hallmark)
    found = command.hallmark.get_command(context, name)
    assert found is not None
    text = found.get_help(click.Context(found, info_name=name))
    assert "Usage:" in text and len(text.splitlines()) > 4
    children = found.commands.values() if isinstance(found, click.Group) else [found]
    undocumented = [
        option.name
        for child in children
        for option in child.params
        if isinstance(option, click.Option) and not option.help
    ]
    assert undocumented == []


@pytest.mark.parametrize("arguments", [["nonsense"], ["sanitize"], ["run", "--nonsense"]])
def test_wrong_usage_ends_with_4(arguments: list[str]) -> None:
    done = subprocess.run([*HALLMARK, *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == 4
    assert "Usage" in done.stderr or "Error" in done.stderr


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.UsageError("u"), 4),
        (errors.InputError("i", object_key="a.jsonl", line=3, rule="r"), 2),
        (errors.GateRefused("g"), 1),
        (errors.IntegrityError("t", ("changed: a",)), 1),
        (errors.StoreError("s"), 2),
    ],
)
def test_an_error_is_one_line_and_its_own_status(
    error: errors.HallmarkError, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(**_: object) -> None:
        raise error

    monkeypatch.setattr(command.hallmark, "main", fail)
    with pytest.raises(SystemExit) as stop:
        command.main()
    assert stop.value.code == status
    assert capsys.readouterr().err == f"hallmark: {error}\n"


def test_a_report_starts_with_what_other_programs_rely_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text("{}\n")
    status = StageReport("sanitize", source).finish(
        "inconclusive", 1, {"counts": {}}, tmp_path / "r.json", as_json=True
    )
    assert status == EXIT["inconclusive"] == 3
    body = json.loads((tmp_path / "r.json").read_text())
    assert list(body)[:6] == ["tool", "version", "verdict", "started_at", "seconds", "input"]
    assert set(body["input"]) == {"path", "sha256", "rows"}
    assert json.loads(capsys.readouterr().out) == body
