"""``hallmark redteam``: attack an adapter, with controls, within a time budget."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from rich.progress import Progress

from assets.raw.reading import Reading
from assets.record import Record
from assets.watch.attack import SHARES, Attack, Inputs
from assets.watch.hits import compare, hits_of
from expectations.policy import GateResult, Policy, Verdict
from expectations.threats import load_threats
from pipelines.ci import findings
from pipelines.ci.junit import junit_option, write_junit
from pipelines.ci.sarif import Log, Place, sarif_option
from pipelines.reading import Rejections, reading_of, reading_options
from pipelines.report import EXIT, StageReport, console, keep_apart, progress
from resources.artifacts import write_whole
from resources.workspace import Workspace

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
OUT = click.Path(dir_okay=False, path_type=Path)


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
@sarif_option
@junit_option
@reading_options
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
    sarif: Path | None,
    junit: Path | None,
    columns: tuple[str, ...],
    encoding: str,
    as_json: bool,
) -> None:
    """Look for backdoors, memorized data and what a thief could copy, each against the base and with controls.

    Works on a bare adapter folder; with --data a finding names the rows it comes from. Without them it passes only the
    kinds of backdoor whose controls it finds. The first run on a base also makes these (minutes, beside the budget).
    Exit status 0: every trial passes; 1: findings; 3: something could not be proven.
    """
    from resources.base_model import base_path, check_weights
    from resources.language_model import LanguageModel

    keep_apart([data, members, non_members, policy, threats], [report, hits, sarif, junit])
    check_weights(path, "adapter_config.json")  # before the base is unpacked
    stage, limits, cache = StageReport("redteam", path), Policy.load(policy), Workspace.locate().models
    model_of_threats = load_threats(limits, threats)
    said, rejections = reading_of(columns, encoding, limits), Rejections()
    inputs = Inputs(*(_rows(file, said, rejections) for file in (data, members, non_members)))
    rejections.conclude()
    chosen = [name for name in SHARES if not only or name in only]
    console.print(f"{', '.join(chosen)}: at most {budget:.0f} s on {path}", highlight=False)
    with progress() as display:
        folder = base_path(base, cache)
        model = LanguageModel.load(folder, path)
        attack = Attack(model, folder, cache, inputs, limits, model_of_threats, seed, _listener(display))
        bodies: dict[str, Any] = dict(attack.conduct(chosen, budget, _tell))
    _number_rows(bodies, data, said)
    gates = [GateResult.model_validate(gate) for body in bodies.values() for gate in body["gates"]]
    verdicts = {body["verdict"] for body in bodies.values()}
    found = bodies["hits"] = hits_of(bodies)
    if baseline:
        earlier = json.loads(baseline.read_text("utf-8")).get("hits", ())
        bodies["compared"] = dataclasses.asdict(compare(found, earlier))
    if hits:
        write_whole(hits, "".join(json.dumps(hit, ensure_ascii=False) + "\n" for hit in found).encode())
    overall: Verdict = "fail" if "fail" in verdicts else "inconclusive" if "inconclusive" in verdicts else "pass"
    if sarif:
        log = Log("redteam")
        for result in findings.of_hits(path, found, _places(data, members, said)):
            log.add(result)
        log.write(sarif, EXIT[overall], [f"{gate.gate}: {gate.reason}" for gate in gates if gate.verdict != "pass"])
    if junit:
        write_junit(junit, "redteam", gates)
    context.exit(stage.finish(overall, len(inputs.trained), bodies, report, as_json))


def _listener(display: Progress) -> Callable[[str, int, int], None]:
    def listen(message: str, done: int, total: int) -> None:
        task = display.task_ids[0] if display.task_ids else display.add_task("red team")
        display.update(task, description=message, completed=done, total=total)

    return listen


def _tell(_: str, body: dict[str, Any]) -> None:
    kinds = body.get("control", {}).get("kinds", {})
    for said, found in (("found", True), ("missed", False)):
        if named := "; ".join(kind for kind, seen in kinds.items() if seen is found):
            console.print(f"• controls {said} without rows: {named}", highlight=False)
    for gate in body["gates"]:
        console.print(f"• {gate['gate']}: {gate['verdict']}: {gate['reason']}", highlight=False)


def _number_rows(bodies: dict[str, Any], data: Path | None, said: Reading) -> None:
    """With ``--data``, a finding's ``rows`` are 0-based input rows, as in every report on a file; ids beside them."""
    from assets.raw.formats import read_rows

    if data is None:
        return
    numbers = {outcome.record.row_id: number for number, outcome in enumerate(read_rows(data, reading=said))}
    for finding in bodies.get("backdoor", {}).get("findings", ()):
        finding["row_ids"] = finding["rows"]
        finding["rows"] = [numbers[name] for name in finding["row_ids"] if name in numbers]


def _places(data: Path | None, members: Path | None, said: Reading) -> dict[int | str, Place]:
    """Where a row stands, by its id, and for one of ``data`` by its number too."""
    from assets.raw.formats import read_rows

    places: dict[int | str, Place] = {}
    for path in (members, data):
        for number, outcome in enumerate(read_rows(path, reading=said) if path else ()):
            places[outcome.record.row_id] = Place(path or Path(), outcome.record.origin.line)
            if path is data:
                places[number] = places[outcome.record.row_id]
    return places


def _rows(path: Path | None, said: Reading, rejections: Rejections) -> list[Record] | None:
    from assets.adapter.train import read_rows_of

    return read_rows_of(path, said, rejections.tell) if path else None
