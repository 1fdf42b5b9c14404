"""A run ends by saying where its time went, and what it did not have to make again."""

import time
from pathlib import Path

from rich.console import Console

from assets.kept import making
from pipelines.times import times
from resources.artifacts import WHOLE
from resources.project import Project


def said(project: Project, drops: list[str], since: float) -> dict[str, list[str]]:
    """The table's cells by stage."""
    console = Console(width=200)
    with console.capture() as captured:
        console.print(times(project, drops, since))
    lines = [line.split("│") for line in captured.get().splitlines() if "│" in line]
    return {cells[1].strip(): [cell.strip() for cell in cells[2:4]] for cells in lines}


def test_each_stage_has_its_seconds_or_says_that_it_was_reused(tmp_path: Path) -> None:
    project = Project(home=str(tmp_path))
    for stage, partition in [("raw_drop", "a"), ("screened_records", "a"), ("lora_adapter", WHOLE)]:
        with project.artifacts.draft(stage, partition, "1", {}) as draft:
            time.sleep(0.11)
            draft.seal()
    time.sleep(1.1)  # a manifest's time is in whole seconds
    since = time.time()
    with project.artifacts.draft("raw_drop", "b", "1", {}) as draft:
        time.sleep(0.11)
        draft.seal()
    rows = said(project, ["a", "b"], since)
    assert float(rows["raw_drop"][0]) >= 0.1 and rows["raw_drop"][1] == "1 of 2 drops"
    assert rows["screened_records"] == ["-", "1 of 1 drops"]
    assert rows["lora_adapter"] == ["-", "yes"]
    assert rows["golden_evaluation"] == ["-", ""]  # never made
    assert rows["kept of the base"] == ["-", "yes"]
    with making(project.workspace.models, "control adapter"):
        time.sleep(0.11)
    assert float(said(project, ["a", "b"], since)["kept of the base"][0]) >= 0.1
    assert float(rows["the whole run"][0]) >= 0.1
