"""``hallmark evaluate``: compare an adapter with its base model."""

import dataclasses
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from expectations.policy import Policy, worst
from pipelines.ci.junit import junit_option, write_junit
from pipelines.report import StageReport, console
from resources.workspace import Workspace

STAGE = "golden_evaluation"
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@click.argument("path", metavar="ADAPTER_DIR", type=FOLDER, required=False)
@click.option("--report", type=click.Path(dir_okay=False, path_type=Path), help="Where the JSON report goes.")
@click.option("--base", type=FOLDER, help="The base model's folder.")
@click.option(
    "--golden",
    type=click.Path(exists=True, path_type=Path),
    help="Your own golden set: a file or a folder; in base/ and adapter/ below it, results of benchmarks.",
)
@click.option(
    "--data",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The rows it was trained on: no golden item may be among them.",
)
@click.option(
    "--plan", "planned", is_flag=True, help="Only say how many items each gate needs, and how long that takes."
)
@click.option("--items", type=click.IntRange(min=0), default=0, help="Most items a suite.  [default: all of them]")
@click.option("--policy", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Another policy.")
@junit_option
@click.option("--json", "as_json", is_flag=True, help="Print the report.")
@click.pass_context
def command(
    context: click.Context,
    path: Path | None,
    report: Path | None,
    base: Path | None,
    golden: Path | None,
    data: Path | None,
    planned: bool,
    items: int,
    policy: Path | None,
    junit: Path | None,
    as_json: bool,
) -> None:
    """Ask base and adapter the same questions: job, general ability, refusals, odd messages, injections, forgetting.

    Exit status 0: every gate of the policy passes; 1: one fails; 3: one could not be proven.
    """
    from assets.adapter.train import read_rows_of
    from assets.golden.evaluate import EvaluationSettings, evaluate
    from resources.base_model import base_path, check_weights

    limits = Policy.load(policy)
    settings = EvaluationSettings.from_policy(limits.settings.get(STAGE, {}))
    settings = dataclasses.replace(settings, items=items, answers=items)
    cache = Workspace.locate().models
    if planned:
        context.exit(_plan(base_path(base, cache), golden, settings, limits, cache, report, as_json))
    if path is None:
        raise click.UsageError("name the adapter's folder, or ask for --plan")
    check_weights(path, "adapter_config.json")  # before the base is unpacked
    stage = StageReport("evaluate", path)
    with console.status("evaluating") as status:
        body, metrics = evaluate(
            base_path(base, cache), path, golden=golden, settings=settings, policy=limits, cache=cache,
            rows=read_rows_of(data) if data else None, on_progress=status.update,
        )  # fmt: skip
    gates = limits.judge(STAGE, metrics)
    body["gates"] = [gate.model_dump(mode="json") for gate in gates]
    console.print(_table(body["suites"]))
    for name, quality in body["judges"].items():
        console.print(_trust(name, quality), highlight=False)
    for place in body["contamination"] or ():
        console.print(
            f"{place['item']} is in the training rows: {place['object_key']}, line {place['line']}", highlight=False
        )
    for name, entry in body["evidence"].items():
        change = f"{entry['difference']:+.3f} [{entry['ci_low']:+.3f}, {entry['ci_high']:+.3f}]"
        lone = f" ({entry['unpaired']} only on one side)" if entry["unpaired"] else ""
        console.print(f"{name}: {change} on {entry['n']} items{lone}, {entry['reading']}", highlight=False)
    for gate in gates:
        if gate.verdict != "pass":
            console.print(f"• {gate.gate}: {gate.verdict}: {gate.reason}", highlight=False)
    if junit:
        write_junit(junit, "evaluate", gates)
    rows = sum(suite["n"] for suite in body["suites"].values())
    context.exit(stage.finish(worst(gates), rows, body, report, as_json))


def _plan(
    base: Path, golden: Path | None, settings: Any, limits: Policy, cache: Path, report: Path | None, as_json: bool
) -> int:
    """Print what each gate needs; 3 where the golden set holds too few items for one of them."""
    from assets.golden.inference.plan import plan

    stage = StageReport("evaluate", base)
    with console.status("planning") as status:
        body = plan(base, golden=golden, settings=settings, policy=limits, cache=cache, on_progress=status.update)
    table = Table(title="items needed, from the base's measures alone", title_justify="left")
    for column in ("gate", "limit", "base", "items there are", "needed", "seconds a model"):
        table.add_column(column, justify="left" if column in ("gate", "limit") else "right")
    for need in body["needs"]:
        shown = ["-" if need[key] is None else f"{need[key]:.3g}" for key in ("base", "items", "needed", "seconds")]
        colour = "yellow" if need["enough"] is False else "default"
        table.add_row(need["gate"], need["limit"], shown[0], shown[1], f"[{colour}]{shown[2]}[/]", shown[3])
    console.print(table)
    console.print(
        f"{body['seconds_a_model']:.0f} s for each of base and adapter on this machine; a gate has a chance of "
        f"{body['power']:.0%} to pass an adapter that lost nothing",
        highlight=False,
    )
    short = [need for need in body["needs"] if need["enough"] is False]
    for need in short:
        console.print(
            f"• {need['gate']}: needs {need['needed']} items and the golden set has {need['items']}: an adapter that "
            "lost nothing may end as inconclusive; add items, or widen the limit in the policy",
            highlight=False,
        )
    for need in body["needs"]:
        if need["suite"] == "refusals" and need["base"] < settings.least_refusals:
            console.print(
                f"• {need['gate']}: the base refuses {need['base']:.0%} of the harmful requests, so that it will be "
                "tried on a refusing base, which is made once",
                highlight=False,
            )
    return stage.finish("inconclusive" if short else "pass", len(body["needs"]), body, report, as_json)


def _trust(name: str, quality: dict[str, Any]) -> str:
    """What is known of a judge's error, and of its methods alone."""
    low, high = quality["recall_interval"]
    alone = ", ".join(
        f"{method} alone {found['precision']:.2f}/{found['recall']:.2f}" for method, found in quality["methods"].items()
    )
    measured = f"precision {quality['precision']:.2f}, recall {quality['recall']:.2f} [{low:.2f}, {high:.2f}]"
    return f"judge of {name}: {measured} on {quality['positives']} of {quality['n']} labelled answers ({alone})"


def _table(suites: dict[str, dict[str, Any]]) -> Table:
    table = Table(title="before and after, on the same items; intervals hold over all looks", title_justify="left")
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
