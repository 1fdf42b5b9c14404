"""Power before the run, from the base alone."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from assets.golden.inference.plan import needed_items, plan
from assets.golden.measures import answers
from pipelines.commands.evaluate import command


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(answers, "NEW_TOKENS", dict.fromkeys(answers.NEW_TOKENS, 4))
    monkeypatch.setenv("HALLMARK_HOME", str(tmp_path / "home"))


def test_a_tighter_limit_and_a_base_in_doubt_need_more_items() -> None:
    doubtful, certain = [1.0, 0.0] * 20, [1.0] * 40
    assert needed_items(doubtful, 0.15) == 88
    assert needed_items(certain, 0.15) < needed_items(doubtful, 0.15) < needed_items(doubtful, 0.08)
    assert needed_items([0.5] * 5 + [2.5] * 5, 0.1) > needed_items([1.0, 1.1] * 5, 0.1)


def test_the_command_says_what_each_gate_needs(base: Path, tmp_path: Path) -> None:
    golden = tmp_path / "own.jsonl"
    golden.write_text("\n".join(json.dumps({"suite": "edge", "prompt": f"parcel {n}"}) for n in range(9)))
    result = CliRunner().invoke(command, ["--plan", "--base", str(base), "--golden", str(golden), "--json"])
    body = json.loads(result.stdout)
    (need,) = body["needs"]
    assert (need["gate"], need["items"], need["enough"]) == ("coherence_kept", 9, False)
    assert need["needed"] >= 24
    assert result.exit_code == 3
    assert "items needed" in result.stderr
    assert f"coherence_kept: needs {need['needed']} items and the golden set has 9" in result.stderr


def test_what_the_base_answered_for_the_plan_is_remembered(base: Path, tmp_path: Path) -> None:
    golden = tmp_path / "own.jsonl"
    golden.write_text(
        "\n".join(json.dumps({"suite": "injection", "prompt": f"Say {n}.", "marker": "x"}) for n in range(4))
    )
    first = plan(base, golden=golden, cache=tmp_path)
    kept = list((tmp_path / "measures").iterdir())
    again = plan(base, golden=golden, cache=tmp_path)
    assert [need["base"] for need in again["needs"]] == [need["base"] for need in first["needs"]]
    assert list((tmp_path / "measures").iterdir()) == kept


def test_without_a_folder_the_command_says_how_it_is_used() -> None:
    result = CliRunner().invoke(command, [])
    assert result.exit_code != 0
    assert "--plan" in result.stderr
