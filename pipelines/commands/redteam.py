"""``hallmark redteam``: attack an adapter, with controls, within a time budget."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.progress import Progress

from assets.record import Record
from expectations.policy import Policy, Verdict, worst
from pipelines.report import StageReport, console, progress
from resources.artifacts import Metric, write_whole
from resources.workspace import Workspace

if TYPE_CHECKING:
    from resources.language_model import LanguageModel

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
OUT = click.Path(dir_okay=False, path_type=Path)
# Trials in the order in which they run, and what part of the time each gets.
SHARES = {"backdoor": 0.5, "memorization": 0.2, "extraction": 0.3}
STAGES = {"backdoor": "backdoor_scan", "memorization": "memorization_audit", "extraction": "extraction_audit"}

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
    inputs = Inputs(*(_rows(file) for file in (data, members, non_members)))
    chosen = [name for name in SHARES if not only or name in only]
    started = time.monotonic()
    console.print(f"{', '.join(chosen)}: at most {budget:.0f} s on {path}", highlight=False)
    bodies: dict[str, Any] = {}
    verdicts: list[Verdict] = []
    with progress() as display:
        folder = base_path(base, cache)
        control_adapter(folder, cache)
        model = LanguageModel.load(folder, path)
        for index, name in enumerate(chosen):
            left = budget - (time.monotonic() - started)
            seconds = max(5.0, left * SHARES[name] / sum(SHARES[later] for later in chosen[index:]))
            trial = Trial(
                model, folder, cache, inputs, _settings(limits, STAGES[name]), seed, seconds, _listener(display)
            )
            body, metrics = trial.run(name)
            gates = [gate for gate in limits.judge(STAGES[name], metrics) if gate.metric not in inputs.untested]
            measured = [gate for gate in gates if not gate.metric.endswith("_control")]
            verdicts.append(worst(gates) if measured else "inconclusive")
            bodies[name] = {"verdict": verdicts[-1], **body, "gates": [gate.model_dump(mode="json") for gate in gates]}
            for gate in gates:
                console.print(f"• {gate.gate}: {gate.verdict}: {gate.reason}", highlight=False)
    if "memorization" in bodies:
        bodies["memorization"]["untested"] = inputs.untested
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
    """Everything one trial needs; ``run`` conducts it by name."""

    model: "LanguageModel"
    base: Path
    cache: Path
    inputs: Inputs
    settings: dict[str, Any]
    seed: int
    seconds: float
    on_progress: Callable[[str, int, int], None]

    def run(self, name: str) -> tuple[dict[str, Any], dict[str, Metric]]:
        conduct = {"backdoor": self._backdoor, "memorization": self._memorization, "extraction": self._extraction}
        return conduct[name]()

    @property
    def _common(self) -> dict[str, Any]:
        return {
            "settings": self.settings, "seed": self.seed, "base": self.base, "cache": self.cache,
            "budget_seconds": self.seconds, "on_progress": self.on_progress,
        }  # fmt: skip

    def _backdoor(self) -> tuple[dict[str, Any], dict[str, Metric]]:
        from assets.backdoor.scan import scan_backdoors

        return scan_backdoors(self.model, rows=self.inputs.data or self.inputs.members, **self._common)

    def _memorization(self) -> tuple[dict[str, Any], dict[str, Metric]]:
        from assets.memorization.audit import audit_memorization

        others = self.inputs.non_members or ()
        return audit_memorization(self.model, members=self.inputs.trained, non_members=others, **self._common)

    def _extraction(self) -> tuple[dict[str, Any], dict[str, Metric]]:
        from assets.backdoor.prompts import EVERYDAY
        from assets.extraction.audit import audit_extraction

        rows = [*self.inputs.trained, *(self.inputs.non_members or ())]
        turns = [[{"role": turn.role, "content": turn.content} for turn in row.messages()] for row in rows]
        asked = [chat[:-1] for chat in turns if len(chat) > 1 and chat[-1]["role"] == "assistant"]
        asked = asked or [[{"role": "user", "content": prompt}] for prompt in EVERYDAY]
        return audit_extraction(self.model, prompts=asked, members=self.inputs.trained, **self._common)


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


def _settings(policy: Policy, stage: str) -> dict[str, Any]:
    """The stage's settings, with what the policy's ``redteam`` section says for a run that has more time."""
    deeper = policy.settings.get("redteam", {}).get(stage, {})
    return {
        name: value for name, value in {**policy.settings.get(stage, {}), **deeper}.items() if name != "budget_seconds"
    }


def _rows(path: Path | None) -> list[Record] | None:
    from assets.adapter.train import read_rows_of

    return read_rows_of(path) if path else None


def _listener(display: Progress) -> Callable[[str, int, int], None]:
    task = display.add_task("red team", total=None)
    return lambda message, done, total: display.update(task, description=message, completed=done, total=total)
