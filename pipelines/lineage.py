"""Running the lineage from a terminal: every new drop, then the candidate, through the workspace's Dagster instance."""

import contextlib
import os
import time
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
from rich.table import Table

from assets.raw.drops import Drop, discover
from assets.stage import drops as drop_partitions
from assets.stage import judged, policy_of
from assets.verdict.candidate import Candidate, find
from pipelines import rehearsal
from pipelines.ci.junit import write_judged
from pipelines.held import advice
from pipelines.instance import fail_killed_runs
from pipelines.plan import CANDIDATE_STAGES, DROP_STAGES, Progress, candidate_progress, drop_progress
from pipelines.report import EXIT, console
from pipelines.runs import execute
from pipelines.times import times
from resources.artifacts import WHOLE
from resources.errors import HallmarkError, InputError
from resources.project import Project
from resources.workspace import Workspace

STYLE = {"pass": "green", "fail": "red", "inconclusive": "yellow"}


@dataclass(frozen=True, slots=True)
class Lineage:
    """A project and its instance."""

    project: Project
    instance: dg.DagsterInstance

    @classmethod
    def open(cls, workspace: Workspace) -> "Lineage":
        from pipelines.definitions import project

        return cls(project(), dg.DagsterInstance.get())

    def run(self, started: float) -> int:
        """Bring every drop and the candidate up to date; print where things stand; return the exit status."""
        for run_id in fail_killed_runs(self.instance):
            console.print(f"Run {run_id[:8]} was interrupted; taking up what it left", style="yellow")
        found = discover(self.project.object_store())
        if not found:
            raise InputError(
                "the store holds no drop; give one with --drop FILE, or try --sample",
                object_key=str(self.project.store or self.project.workspace.drops),
                rule="drops-exist",
            )
        self.instance.add_dynamic_partitions(str(drop_partitions.name), [drop.partition for drop in found])
        # A drop is screened against those before it, and corrections, which are few, among what they correct.
        found.sort(key=lambda drop: (drop.kind == "feedback", drop.partition))
        states = {drop.partition: drop_progress(self.project, drop.partition) for drop in found}
        unproven = any(state.status == "new" for state in states.values())
        with rehearsal.beside(self.project) if unproven else contextlib.nullcontext():
            return self._run(found, states, started)

    def _run(self, found: list[Drop], states: dict[str, Progress], started: float) -> int:
        new = 0
        for drop in found:
            state = drop_progress(self.project, drop.partition) if new else states[drop.partition]
            if state.status == "new":
                new += 1
                state = self._prove(drop)
            states[drop.partition] = state
        self._show_drops(found, states)
        if not any(state.status == "done" for state in states.values()):
            self._show_times(found, started)
            console.print("No drop passed its gates: there is nothing to train on.", style="red")
            return EXIT["fail"]
        candidate = candidate_progress(self.project)
        if candidate.status == "new":
            console.rule("candidate", align="left")
            execute(self.instance, "build_candidate")
            candidate = candidate_progress(self.project)
        elif not new:
            console.print(f"Nothing new: no work was done ({time.monotonic() - started:.1f} s).", style="bold")
            return self._show_candidate(candidate, started)
        self._show_times(found, started)
        return self._show_candidate(candidate, started)

    def write_gates(self, path: Path) -> None:
        """Every gate of every drop of the store and of the current candidate, as JUnit XML."""
        policy, artifacts = policy_of(self.project), self.project.artifacts
        drops_ = [drop.partition for drop in discover(self.project.object_store())]
        wanted = [(drop, stage.name) for drop in drops_ for stage in DROP_STAGES]
        wanted += [(WHOLE, stage.name) for stage in CANDIDATE_STAGES if stage.name != "evaluated_adapter"]
        made = [(partition, artifacts.current(stage, partition)) for partition, stage in wanted]
        gates = [(partition, gate) for partition, artifact in made if artifact for gate in judged(policy, artifact)]
        verdict = artifacts.current("evaluated_adapter")
        flaws = find(artifacts, verdict.manifest.details["candidate"]).verdict.flaws if verdict else ()
        write_judged(path, "run", gates, flaws)

    def _show_times(self, found: list[Drop], started: float) -> None:
        since = time.time() - (time.monotonic() - started)
        console.print(times(self.project, [drop.partition for drop in found], since))

    def _prove(self, drop: Drop) -> Progress:
        console.rule(f"drop {drop.partition}  {_objects(drop)}", align="left")
        execute(self.instance, "prove_drop", drop.partition)
        state = drop_progress(self.project, drop.partition)
        if state.status == "new":
            raise HallmarkError(f"drop {drop.partition} stopped at {state.stage}; the lines above say why")
        return state

    def _show_drops(self, found: list[Drop], states: dict[str, Progress]) -> None:
        table = Table(title="Drops", title_justify="left")
        table.add_column("drop", no_wrap=True)
        for name in ("objects", "rows", "quarantined", "rejected", "state"):
            table.add_column(name, overflow="fold")
        for drop in found:
            state = states[drop.partition]
            rows, quarantined, rejected = self._counts(drop.partition)
            shown = "[green]admitted[/]" if state.status == "done" else f"[yellow]held at {state.stage}[/]"
            table.add_row(drop.partition, _objects(drop), str(rows), str(quarantined), str(rejected), shown)
        console.print(table)
        for drop in found:
            if states[drop.partition].status == "held":
                console.print(
                    f"{drop.partition} is held: {states[drop.partition].reason}", highlight=False, markup=False
                )
                for line in advice(self.project, drop.partition):
                    console.print(f"  {line}", highlight=False, markup=False, soft_wrap=True)

    def _counts(self, partition: str) -> tuple[int, int, int]:
        """Rows that came out of the last stage made, and rows that left in all stages."""
        passed = quarantined = rejected = 0
        for stage in ("raw_drop", "validated_records", "sanitized_records", "screened_records"):
            artifact = self.project.artifacts.current(stage, partition)
            if artifact and artifact.manifest.counts:
                passed = artifact.manifest.counts.passed
                quarantined += artifact.manifest.counts.quarantined
                rejected += artifact.manifest.counts.rejected
        return passed, quarantined, rejected

    def _show_candidate(self, state: Progress, started: float) -> int:
        current = self.project.artifacts.current("evaluated_adapter")
        if state.status == "new" or current is None:
            raise HallmarkError(
                f"the candidate stopped at {state.stage}; the lines above say why. Run again to take it up"
            )
        candidate = find(self.project.artifacts, current.manifest.details["candidate"])
        table = Table("stage", "gate", "verdict", "value", "limit", title="Verdict", title_justify="left")
        for result in (judgement.result for judgement in candidate.verdict.judgements if judgement.partition == WHOLE):
            value = "-" if result.value is None else f"{result.value:.4g}"
            table.add_row(
                result.stage, result.gate, f"[{STYLE[result.verdict]}]{result.verdict}[/]", value, result.limit
            )
        console.print(table)
        return self._conclude(candidate, started)

    def _conclude(self, candidate: Candidate, started: float) -> int:
        verdict = candidate.verdict
        for judgement in verdict.blocking():
            _say(f"{judgement.name}: {judgement.result.verdict}, {judgement.result.reason}")
        for flaw in verdict.flaws:
            _say(f"flaw: {flaw}")
        colour, seconds = STYLE[verdict.verdict], time.monotonic() - started
        console.print(f"\nCandidate {verdict.candidate}: [{colour} bold]{verdict.verdict}[/]  ({seconds:.0f} s)")
        _say(f"Report    {candidate.artifact.path('dossier.html')}")
        if verdict.verdict == "fail":
            _say(f"It cannot be approved. Why, and what would pass:  hallmark report {verdict.candidate}")
        else:
            _say(f"Decide    {_approval(candidate)}")
        return EXIT[verdict.verdict]


def _objects(drop: Drop) -> str:
    """The object of a drop, or the folder of several."""
    keys = [info.key for info in drop.objects]
    return keys[0] if len(keys) == 1 else f"{os.path.commonpath(keys)} ({len(keys)} objects)".lstrip()


def _approval(candidate: Candidate) -> str:
    """The command that approves a candidate, with an override for every gate that is not proven."""
    words = ["hallmark approve", candidate.verdict.candidate, "--reviewer YOU", '--reason "WHY"']
    words += [f'--override "{judgement.name}=WHY"' for judgement in candidate.verdict.blocking()]
    return " ".join([*words, "--release"])


def _say(line: str) -> None:
    console.print(line, highlight=False, markup=False, soft_wrap=True)
