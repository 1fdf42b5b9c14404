"""Candidates side by side: one lineage run a recipe, on the same data and the same base measures; a table and a page.

Each run is a process of its own, since Dagster's definitions describe one installation; drops that were proven and what
is kept of the base are found by the later runs. Of several candidates the best looks better than it is, so every run
knows how many there are (``HALLMARK_TRIED``) and the trials share their error among them. Nothing is chosen here.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from assets.adapter.recipe import Recipe
from assets.verdict.candidate import Candidate, find
from assets.verdict.markup import mark, number, paragraph, section, table, text
from assets.verdict.stylesheet import CSS
from expectations.policy import Policy
from pipelines.report import EXIT, console
from resources.artifacts import Artifact, write_whole
from resources.errors import InputError
from resources.workspace import Workspace

PAGE = "candidates.html"
STYLE = {"pass": "green", "fail": "red", "inconclusive": "yellow"}
TRIALS = ("golden_evaluation", "backdoor_scan", "memorization_audit", "extraction_audit")
COLUMNS = ("recipe", "candidate", "verdict", "failed", "unproven", "held-out loss", "training s", "trials s")


@dataclass(frozen=True, slots=True)
class Tried:
    """One recipe and what came of it; ``candidate`` is None where the run stopped before a verdict, ``adapter`` where
    it stopped before there was one.
    """

    recipe: Path
    candidate: Candidate | None
    exit_status: int
    adapter: Artifact | None = None

    def cells(self, workspace: Workspace) -> list[str]:
        """What the table shows, in the order of ``COLUMNS``."""
        if self.candidate is None:
            return self._stopped()
        verdict = self.candidate.verdict
        gates = {
            outcome: [item.name for item in verdict.blocking() if item.result.verdict == outcome]
            for outcome in ("fail", "inconclusive")
        }
        made = {item.stage: workspace.artifacts.get(item.stage, item.partition, item.key) for item in verdict.evidence}
        seconds = {stage: artifact.manifest.seconds for stage, artifact in made.items() if artifact}
        adapter = made.get("lora_adapter")
        loss = adapter.manifest.metrics["held_out_loss"].value if adapter else None
        return [
            self.recipe.name, verdict.candidate, verdict.verdict, ", ".join(gates["fail"]) or "none",
            ", ".join(gates["inconclusive"]) or "none", number(loss), _whole(seconds.get("lora_adapter")),
            _whole(sum(seconds.get(stage, 0.0) for stage in TRIALS)),
        ]  # fmt: skip

    def _stopped(self) -> list[str]:
        """The row of a run without a verdict: if its adapter did not pass its own gates, which."""
        if self.adapter is None:
            return [self.recipe.name, "-", f"stopped, exit {self.exit_status}", *["-"] * (len(COLUMNS) - 3)]
        made, named = self.adapter.manifest, os.environ.get("HALLMARK_POLICY")
        gates = Policy.load(Path(named) if named else None).judge(made.stage, made.metrics)
        refused = [[gate.gate for gate in gates if gate.verdict == outcome] for outcome in ("fail", "inconclusive")]
        return [
            self.recipe.name, "-", f"stopped, exit {self.exit_status}",
            *(", ".join(names) or "none" for names in refused),
            number(made.metrics["held_out_loss"].value), _whole(made.seconds), "-",
        ]  # fmt: skip


def _whole(seconds: float | None) -> str:
    return number(None if seconds is None else round(seconds))


def recipes_of(paths: Sequence[Path]) -> list[Path]:
    """The recipes that are named: files, and the YAML files of folders. ``InputError`` where one is not there."""
    found: list[Path] = []
    for path in paths:
        inside = sorted([*path.glob("*.yaml"), *path.glob("*.yml")]) if path.is_dir() else [path]
        if not path.exists() or not inside:
            raise InputError("there is no such recipe", object_key=str(path), rule="path-exists")
        found += [each for each in inside if each not in found]
    return found


def distinct(recipes: Sequence[Path]) -> None:
    """Read every recipe before the first is run. ``InputError`` where one is broken, or two say the same: their adapter
    would be one candidate, and the intervals would account for two.
    """
    known: dict[str, Path] = {}
    for path in recipes:
        same = known.setdefault(Recipe.from_yaml(path).digest, path)
        if same is not path:
            raise InputError(f"says the same as {same.name}", object_key=str(path), rule="recipes-distinct")


def run_all(
    workspace: Workspace, recipes: Sequence[Path], drops: Sequence[Path], *, sample: bool, read_as: Sequence[str] = ()
) -> int:
    """Run every recipe; the exit status is that of the best verdict, or 2 where no run came to one.

    ``read_as`` are the options that say how the drops are read.
    """
    distinct(recipes)
    tried = []
    for place, recipe in enumerate(recipes):
        console.rule(f"recipe {place + 1} of {len(recipes)}: {recipe.name}", align="left")
        command = [sys.executable, "-m", "pipelines.command", "run", "--home", str(workspace.root)]
        command += ["--recipe", str(recipe.resolve()), *(["--sample"] if sample else [])]
        command += [part for drop in drops if not place for part in ("--drop", str(drop.resolve()))]
        command += read_as
        before = workspace.artifacts.current("evaluated_adapter")
        status = subprocess.run(command, env=os.environ | {"HALLMARK_TRIED": str(len(recipes))}, check=False).returncode
        current = workspace.artifacts.current("evaluated_adapter")
        # An earlier verdict may be current still: it is this recipe's only if this run came to its end.
        named = current.manifest.details["candidate"] if current and status in EXIT.values() else None
        same = before and current and before.manifest.key == current.manifest.key
        stopped = named is None or (status == EXIT["fail"] and same)
        adapter = workspace.artifacts.current("lora_adapter")
        own = adapter and adapter.manifest.inputs["recipe"] == Recipe.from_yaml(recipe).digest
        found = None if stopped or named is None else find(workspace.artifacts, named)
        tried.append(Tried(recipe, found, status, adapter if own else None))
    return _show(workspace, tried)


def _show(workspace: Workspace, tried: Sequence[Tried]) -> int:
    rows = [each.cells(workspace) for each in tried]
    shown = Table(*COLUMNS, title=f"{len(tried)} candidates on the same data", title_justify="left")
    for cells in rows:
        shown.add_row(*cells[:2], f"[{STYLE.get(cells[2], 'red')}]{cells[2]}[/]", *cells[3:])
    console.print(shown)
    page = workspace.root / PAGE
    write_whole(page, render(rows).encode())
    console.print(f"Page      {page}", highlight=False, markup=False, soft_wrap=True)
    ended = [EXIT[each.candidate.verdict.verdict] for each in tried if each.candidate]
    return min(ended, key=[EXIT["pass"], EXIT["inconclusive"], EXIT["fail"]].index, default=2)


def render(rows: Sequence[Sequence[str]]) -> str:
    """The page: the same table, with a word on what several candidates cost."""
    cells = [[text(cell) if place != 2 else mark(cell) for place, cell in enumerate(row)] for row in rows]
    words = paragraph(
        f"{len(rows)} candidates were tried on the same data. Of several the best looks better than it is, so each "
        f"interval misses with 5 % divided by {len(rows)}. Nothing was chosen by the gates."
    )
    body = section(
        "candidates",
        "Candidates side by side",
        words,
        table("Which passes what, at which cost", COLUMNS, cells, kind="wide"),
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Candidates side by side</title><style>{CSS}</style></head><body><main>{body}</main></body></html>"
    )
