"""``hallmark evaluate``: compare an adapter with its base model."""

import dataclasses
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from expectations.policy import Policy, worst
from pipelines.report import StageReport, console
from resources.workspace import Workspace

STAGE = "golden_evaluation"
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@click.argument("path", metavar="ADAPTER_DIR", type=FOLDER)
@click.option("--report", type=click.Path(dir_okay=False, path_type=Path), help="Where the JSON report goes.")
@click.option("--base", type=FOLDER, help="The base model's folder.")
@click.option("--golden", type=click.Path(exists=True, path_type=Path), help="Your own golden set: a file or a folder.")
@click.option("--items", type=click.IntRange(min=0), default=0, help="Most items a suite.  [default: all of them]")
@click.option("--policy", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Another policy.")
@click.option("--json", "as_json", is_flag=True, help="Print the report.")
@click.pass_context
def command(
    context: click.Context,
    path: Path,
    report: Path | None,
    base: Path | None,
    golden: Path | None,
    items: int,
    policy: Path | None,
    as_json: bool,
) -> None:
    """Ask base and adapter the same questions: job, general ability, refusals, odd messages, injections, forgetting.

    Exit status 0: every gate of the policy passes; 1: one fails; 3: one could not be proven.
    """
    from assets.golden.evaluate import EvaluationSettings, evaluate
    from resources.base_model import base_path

    stage = StageReport("evaluate", path)
    limits = Policy.load(policy)
    settings = EvaluationSettings.from_policy(limits.settings.get(STAGE, {}))
    settings = dataclasses.replace(settings, items=items, answers=items)
    with console.status("evaluating") as status:
        body, metrics = evaluate(
            base_path(base, Workspace.locate().models), path, golden=golden, settings=settings, policy=limits,
            on_progress=status.update,
        )  # fmt: skip
    gates = limits.judge(STAGE, metrics)
    body["gates"] = [gate.model_dump(mode="json") for gate in gates]
    console.print(_table(body["suites"]))
    for name, quality in body["judges"].items():
        console.print(_trust(name, quality), highlight=False)
    for gate in gates:
        if gate.verdict != "pass":
            console.print(f"• {gate.gate}: {gate.verdict}: {gate.reason}", highlight=False)
    rows = sum(suite["n"] for suite in body["suites"].values())
    context.exit(stage.finish(worst(gates), rows, body, report, as_json))


def _trust(name: str, quality: dict[str, Any]) -> str:
    """What is known of a judge's error, and of its methods alone."""
    low, high = quality["recall_interval"]
    alone = ", ".join(
        f"{method} alone {found['precision']:.2f}/{found['recall']:.2f}" for method, found in quality["methods"].items()
    )
    measured = f"precision {quality['precision']:.2f}, recall {quality['recall']:.2f} [{low:.2f}, {high:.2f}]"
    return f"judge of {name}: {measured} on {quality['positives']} of {quality['n']} labelled answers ({alone})"


def _table(suites: dict[str, dict[str, Any]]) -> Table:
    table = Table(title="before and after, on the same items", title_justify="left")
    for column in ("suite", "n", "base", "adapter", "difference [95 %]", "p", "", "verdict"):
        table.add_column(column, justify="right" if column in ("n", "base", "adapter", "p") else "left")
    for name, suite in suites.items():
        if suite["difference"] is None:
            table.add_row(name, "0", "", "", "", "", "", suite["verdict"])
            continue
        interval = f"{suite['difference']:+.3f} [{suite['ci_low']:+.3f}, {suite['ci_high']:+.3f}]"
        table.add_row(
            name, str(suite["n"]), f"{suite['base']:.3f}", f"{suite['adapter']:.3f}", interval,
            f"{suite['p_value']:.3f}", suite["reading"], suite["verdict"],
        )  # fmt: skip
    return table
