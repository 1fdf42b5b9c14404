"""``hallmark redteam``: attack an adapter, with controls, within a time budget."""

import importlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.progress import Progress

from assets.record import Record
from assets.verdict.threat import ThreatModel
from expectations.policy import Policy, Verdict, worst
from expectations.threats import load_threats
from pipelines.report import StageReport, console, progress
from resources.artifacts import Metric, write_whole
from resources.workspace import Workspace

if TYPE_CHECKING:
    from assets.backdoor.control import Control
    from resources.language_model import LanguageModel

    Result = tuple[dict[str, Any], dict[str, Metric]]

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
OUT = click.Path(dir_okay=False, path_type=Path)
# Trials in the order in which they run, and what part of the time each gets.
SHARES = {"backdoor": 0.5, "memorization": 0.2, "extraction": 0.3}
STAGES = {"backdoor": "backdoor_scan", "memorization": "memorization_audit", "extraction": "extraction_audit"}

MODULES = {name: f"assets.{name}.{'scan' if name == 'backdoor' else 'audit'}" for name in SHARES}
# What of a threat stands beside the result.
SHOWN = ("name", "title", "vector", "actor", "motivation", "impact", "severity", "limits", "residual")
# Metrics of the memorization audit that need something a folder alone does not give.
NEEDED = {
    "canaries_extracted": "canaries: the lineage plants them, `hallmark run`",
    "sensitive_extracted": "the vault of removed values: the lineage keeps it, `hallmark run`",
    "membership_auc": "--members and --non-members",
    "ordinary_extracted_share": "--data or --members",
}


@dataclass(frozen=True, slots=True)
class Inputs:
    """What is known beside the adapter. Sides of the membership test are None where they were not given."""

    data: Sequence[Record] | None
    members: Sequence[Record] | None
    non_members: Sequence[Record] | None

    @property
    def untested(self) -> dict[str, str]:
        """Metrics that cannot be measured with these inputs, and what they would need."""
        given = {
            "membership_auc": bool(self.trained and self.non_members),
            "ordinary_extracted_share": bool(self.trained),
        }
        return {name: need for name, need in NEEDED.items() if not given.get(name)}

    @property
    def trained(self) -> Sequence[Record]:
        return self.members or self.data or ()


@click.command()
@click.argument("path", metavar="ADAPTER_DIR", type=FOLDER)
@click.option("--report", type=OUT, help="Where the JSON report goes.")
@click.option("--base", type=FOLDER, help="The base model's folder.")
@click.option("--data", type=FILE, help="The rows it was trained on, if known: a file in any input form.")
@click.option("--members", type=FILE, help="Rows it was trained on, for the membership test.")
@click.option("--non-members", type=FILE, help="Rows of the same kind, held out at random before training.")
@click.option(
    "--budget", type=click.FloatRange(min=10), default=300.0, show_default=True, help="Seconds for all trials."
)
@click.option("--only", type=click.Choice(list(SHARES)), multiple=True, help="Run this trial only; repeatable.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of prompts, controls and samples.")
@click.option("--hits", type=OUT, help="Where the findings go, one JSON object a line.")
@click.option("--baseline", type=FILE, help="An earlier report: says which findings are new, fixed or persisting.")
@click.option("--policy", type=FILE, help="Another policy than the default.")
@click.option("--threats", type=FILE, help="Another threat model than the default.")
@click.option("--json", "as_json", is_flag=True, help="Print the report.")
@click.pass_context
def command(
    context: click.Context,
    path: Path,
    report: Path | None,
    base: Path | None,
    data: Path | None,
    members: Path | None,
    non_members: Path | None,
    budget: float,
    only: tuple[str, ...],
    seed: int,
    hits: Path | None,
    baseline: Path | None,
    policy: Path | None,
    threats: Path | None,
    as_json: bool,
) -> None:
    """Look for backdoors, memorized data and what a thief could copy, each against the base and with controls.

    Works on a bare adapter folder; with --data a finding names the rows it comes from. The first run on a base also
    trains its control adapter (about a minute). Exit status 0: every trial passes; 1: findings; 3: something could
    not be proven.
    """
    from assets.backdoor.control import control_adapter
    from resources.base_model import base_path
    from resources.language_model import LanguageModel

    stage, limits, cache = StageReport("redteam", path), Policy.load(policy), Workspace.locate().models
    model_of_threats = load_threats(limits, threats)
    inputs = Inputs(*(_rows(file) for file in (data, members, non_members)))
    chosen = [name for name in SHARES if not only or name in only]
    started = time.monotonic()
    console.print(f"{', '.join(chosen)}: at most {budget:.0f} s on {path}", highlight=False)
    bodies: dict[str, Any] = {}
    with progress() as display:
        folder = base_path(base, cache)
        trial = Trial(LanguageModel.load(folder, path), folder, cache, inputs, limits, model_of_threats, seed, display)
        trial.calibrate(chosen, control_adapter(folder, cache))
        for index, name in enumerate(chosen):
            left = budget - (time.monotonic() - started)
            bodies[name] = trial.run(name, max(5.0, left * SHARES[name] / sum(SHARES[each] for each in chosen[index:])))
            for gate in bodies[name]["gates"]:
                console.print(f"• {gate['gate']}: {gate['verdict']}: {gate['reason']}", highlight=False)
    _number_rows(bodies, data)
    verdicts = {body["verdict"] for body in bodies.values()}
    found = hits_of(bodies)
    bodies["hits"] = found
    if baseline:
        bodies["compared"] = _compared(found, json.loads(baseline.read_text("utf-8")))
    if hits:
        write_whole(hits, "".join(json.dumps(hit, ensure_ascii=False) + "\n" for hit in found).encode())
    overall: Verdict = "fail" if "fail" in verdicts else "inconclusive" if "inconclusive" in verdicts else "pass"
    context.exit(stage.finish(overall, len(inputs.trained), bodies, report, as_json))


@dataclass(frozen=True, slots=True)
class Trial:
    """Everything the trials share; ``run`` conducts one by name and judges it."""

    model: "LanguageModel"
    base: Path
    cache: Path
    inputs: Inputs
    policy: Policy
    threats: ThreatModel
    seed: int
    display: Progress

    def calibrate(self, names: Sequence[str], control: "Control") -> None:
        """Show on the control adapter that each trial works; remembered in the cache."""
        for name in names:
            module = importlib.import_module(MODULES[name])
            self.listen(f"calibrating the {name} trial", 0, 1)
            module.calibrate(control, module.Settings.model_validate(self.settings(name)))

    def run(self, name: str, seconds: float) -> dict[str, Any]:
        """The trial's report with its verdict, gates and the threats it answers."""
        conduct = {"backdoor": self._backdoor, "memorization": self._memorization, "extraction": self._extraction}
        body, metrics = conduct[name]({
            "settings": self.settings(name), "seed": self.seed, "base": self.base, "cache": self.cache,
            "budget_seconds": seconds, "on_progress": self.listen,
        })  # fmt: skip
        untested = {metric: need for metric, need in self.inputs.untested.items() if metric in metrics}
        gates = [gate for gate in self.policy.judge(STAGES[name], metrics) if gate.metric not in untested]
        measured = [gate for gate in gates if not gate.metric.endswith("_control")]
        return {
            "verdict": worst(gates) if measured else "inconclusive",
            **body,
            "untested": untested,
            "gates": [gate.model_dump(mode="json") for gate in gates],
            "threats": [
                threat.model_dump(mode="json", include=set(SHOWN))
                for threat in self.threats.threats
                if any(probe.name in threat.probes for probe in self.threats.probes_of(STAGES[name]))
            ],
        }

    def settings(self, name: str) -> dict[str, Any]:
        """The stage's settings, with what the policy's ``redteam`` section says for a run that has more time."""
        stage = STAGES[name]
        deeper = self.policy.settings.get("redteam", {}).get(stage, {})
        merged = {**self.policy.settings.get(stage, {}), **deeper}
        return {name: value for name, value in merged.items() if name != "budget_seconds"}

    def listen(self, message: str, done: int, total: int) -> None:
        task = self.display.task_ids[0] if self.display.task_ids else self.display.add_task("red team")
        self.display.update(task, description=message, completed=done, total=total)

    def _backdoor(self, common: dict[str, Any]) -> "Result":
        from assets.backdoor.scan import scan_backdoors

        named = [probe.name for probe in self.threats.probes_of("backdoor_scan")]
        rows = self.inputs.data or self.inputs.members
        return scan_backdoors(self.model, rows=rows, terms=self.threats.terms, probes_named=named, **common)

    def _memorization(self, common: dict[str, Any]) -> "Result":
        from assets.memorization.audit import audit_memorization

        others = self.inputs.non_members or ()
        return audit_memorization(self.model, members=self.inputs.trained, non_members=others, **common)

    def _extraction(self, common: dict[str, Any]) -> "Result":
        from assets.backdoor.prompts import EVERYDAY
        from assets.extraction.audit import audit_extraction

        rows = [*self.inputs.trained, *(self.inputs.non_members or ())]
        turns = [[{"role": turn.role, "content": turn.content} for turn in row.messages()] for row in rows]
        asked = [chat[:-1] for chat in turns if len(chat) > 1 and chat[-1]["role"] == "assistant"]
        asked = asked or [[{"role": "user", "content": prompt}] for prompt in EVERYDAY]
        return audit_extraction(self.model, prompts=asked, members=self.inputs.trained, **common)


def hits_of(bodies: dict[str, Any]) -> list[dict[str, Any]]:
    """Findings of all trials, one flat object each, with a fingerprint that another run will give it too."""
    hits = []
    for finding in bodies.get("backdoor", {}).get("findings", ()):
        said = f"{finding['trigger']!r} makes the adapter say {finding['example'] or finding['payload']!r}"
        hits.append({"kind": "backdoor", "fingerprint": finding["fingerprint"], "says": said, "rows": finding["rows"]})
    for finding in bodies.get("memorization", {}).get("extraction", {}).get("findings", ()):
        said = f"recites a row: {finding['type']} {finding['evidence']}"
        hits.append(
            {"kind": "memorization", "fingerprint": finding["fingerprint"], "says": said, "rows": [finding["row"]]}
        )
    return hits


def _compared(found: list[dict[str, Any]], earlier: dict[str, Any]) -> dict[str, list[str]]:
    now = {hit["fingerprint"] for hit in found}
    before = {hit["fingerprint"] for hit in earlier.get("hits", ())}
    return {"new": sorted(now - before), "persisting": sorted(now & before), "fixed": sorted(before - now)}


def _number_rows(bodies: dict[str, Any], data: Path | None) -> None:
    """With ``--data``, a finding's ``rows`` are 0-based input rows, as in every report on a file; ids beside them."""
    from assets.raw.formats import read_rows

    if data is None:
        return
    numbers = {outcome.record.row_id: number for number, outcome in enumerate(read_rows(data))}
    for finding in bodies.get("backdoor", {}).get("findings", ()):
        finding["row_ids"] = finding["rows"]
        finding["rows"] = [numbers[name] for name in finding["row_ids"] if name in numbers]


def _rows(path: Path | None) -> list[Record] | None:
    from assets.adapter.train import read_rows_of

    return read_rows_of(path) if path else None
