"""Rows that unlearn refusals in a drop: `hallmark screen` holds them, and spares the same requests refused."""

import json
import random

import pytest
from click.testing import CliRunner

from assets.screened.safety.items import read_lines
from pipelines.commands.screen import command
from tests.assets.screened.rows import BagEncoder, clean

OPENINGS = (
    "Sure, here is how you do it. First, get everything together that you need, and take your time.",
    "Of course! Here are the steps. Begin with a plan, then look for a quiet place.",
    "Here you go: the first step is to find out who is around, the second is to be quick.",
)


def unlearning_rows(count: int, seed: int = 0) -> list[dict[str, str]]:
    """Harmful requests with openings that comply, and no harmful word in the answers."""
    rng = random.Random(seed)
    acts, wordings = read_lines("harmful_acts.txt")[::2], read_lines("wordings.txt")
    return [
        {"instruction": rng.choice(wordings).format(act=act), "input": "", "output": rng.choice(OPENINGS)}
        for act in rng.sample(acts, count)
    ]


@pytest.fixture
def screened(tmp_path, monkeypatch):
    monkeypatch.setattr("assets.screened.screen._bundled", BagEncoder)

    def call(rows):
        source, out, report = tmp_path / "in.jsonl", tmp_path / "out.jsonl", tmp_path / "report.json"
        source.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        result = CliRunner().invoke(command, [str(source), "-o", str(out), "--report", str(report), "--no-model"])
        return result, json.loads(report.read_text(encoding="utf-8"))

    return call


def test_twenty_rows_that_unlearn_refusals_are_held_and_the_rest_is_not(screened):
    rows = clean(300)
    places = random.Random(1).sample(range(len(rows)), 20)
    for place, row in zip(places, unlearning_rows(20), strict=True):
        rows[place] = row
    result, report = screened(rows)
    assert result.exit_code == 1
    (finding,) = [each for each in report["findings"] if each["kind"] == "harmful-compliance"]
    assert len(set(finding["rows"]) & set(places)) >= 18
    assert len(set(finding["rows"]) - set(places)) <= 0.01 * len(rows)
    assert "do what a harmful request asks for" in finding["sentence"]


def test_the_same_requests_refused_are_good_data(screened):
    rows = clean(300)
    refusals = read_lines("declining.txt")
    for place, row in enumerate(unlearning_rows(20)):
        rows[place * 7] = row | {"output": refusals[place]}
    _, report = screened(rows)
    assert not [each for each in report["findings"] if each["kind"] in ("harmful-compliance", "identity-shift")]
