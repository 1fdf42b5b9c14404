"""Running the lineage from a terminal: every new drop, then the candidate, through the workspace's Dagster instance."""

import os
import time
from dataclasses import dataclass

import dagster as dg
from rich.table import Table

from assets.raw.drops import Drop, discover
from assets.stage import drops as drop_partitions
from assets.stage import judged, policy_of
from expectations.checks import TRIALS
from pipelines.definitions import defs
from pipelines.instance import PID_TAG, fail_killed_runs
from pipelines.plan import Progress, candidate_progress, drop_progress
from pipelines.report import EXIT, console
from resources.errors import GateRefused, HallmarkError, InputError
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
        states = {drop.partition: drop_progress(self.project, drop.partition) for drop in found}
        new = [drop for drop in found if states[drop.partition].status == "new"]
        for drop in new:
            states[drop.partition] = self._prove(drop)
        self._show_drops(found, states)
        if not any(state.status == "done" for state in states.values()):
            console.print("No drop passed its gates: there is nothing to train on.", style="red")
            return EXIT["fail"]
        candidate = candidate_progress(self.project)
        if candidate.status == "new":
            self._execute("build_candidate", None)
            candidate = candidate_progress(self.project)
        elif not new:
            console.print(f"Nothing new: no work was done ({time.monotonic() - started:.1f} s).", style="bold")
        return self._show_candidate(candidate, started)

    def _prove(self, drop: Drop) -> Progress:
        names = ", ".join(info.key for info in drop.objects)
        console.rule(f"drop {drop.partition}  {names}", align="left")
        self._execute("prove_drop", drop.partition)
        state = drop_progress(self.project, drop.partition)
        if state.status == "new":
            raise HallmarkError(f"drop {drop.partition} stopped at {state.stage}; the lines above say why")
        return state

    def _execute(self, job: str, partition: str | None) -> None:
        if partition is None:
            console.rule("candidate", align="left")
        defs.resolve_job_def(job).execute_in_process(
            instance=self.instance,
            partition_key=partition,
            raise_on_error=False,
            run_config={"loggers": {"console": {}}},
            tags={PID_TAG: str(os.getpid())},
        )

    def _show_drops(self, found: list[Drop], states: dict[str, Progress]) -> None:
        table = Table(
            "drop", "objects", "rows", "quarantined", "rejected", "state", title="Drops", title_justify="left"
        )
        for drop in found:
            state = states[drop.partition]
            rows, quarantined, rejected = self._counts(drop.partition)
            shown = "[green]admitted[/]" if state.status == "done" else f"[yellow]held at {state.stage}[/]"
            names = ", ".join(info.key for info in drop.objects)
            table.add_row(drop.partition, names, str(rows), str(quarantined), str(rejected), shown)
        console.print(table)
        for drop in found:
            if states[drop.partition].status == "held":
                console.print(
                    f"{drop.partition} is held: {states[drop.partition].reason}", highlight=False, markup=False
                )
                console.print("  decide on its rows:  hallmark review list", highlight=False)

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
        verdict = self.project.artifacts.current("evaluated_adapter")
        if state.status == "new" or verdict is None:
            raise HallmarkError(
                f"the candidate stopped at {state.stage}; the lines above say why. Run again to take it up"
            )
        table = Table("stage", "gate", "verdict", "value", "limit", title="Verdict", title_justify="left")
        policy = policy_of(self.project)
        for stage in ("training_corpus", "lora_adapter", *TRIALS, "evaluated_adapter"):
            artifact = self.project.artifacts.current(stage)
            if artifact is None:
                raise GateRefused(f"{stage} has no artefact, although a verdict was given")
            for result in judged(policy, artifact):
                value = "-" if result.value is None else f"{result.value:.4g}"
                colour = STYLE[result.verdict]
                table.add_row(stage, result.gate, f"[{colour}]{result.verdict}[/]", value, result.limit)
        console.print(table)
        return self._conclude(verdict.manifest.details["candidate"], verdict.manifest.details["verdict"], started)

    def _conclude(self, candidate: str, outcome: str, started: float) -> int:
        verdict = self.project.artifacts.current("evaluated_adapter")
        assert verdict is not None
        colour = STYLE[outcome]
        console.print(f"\nCandidate {candidate}: [{colour} bold]{outcome}[/]  ({time.monotonic() - started:.0f} s)")
        console.print(f"Report    {verdict.path('dossier.html')}", highlight=False, soft_wrap=True)
        return EXIT[outcome]
