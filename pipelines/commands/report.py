"""``hallmark report``: a candidate's dossier in the terminal, as JSON or in the browser; compared; explained."""

import json
import sys
import webbrowser
from pathlib import Path
from typing import Any

import click
from rich.markup import escape
from rich.table import Column, Table

from assets.verdict.candidate import Candidate, find, latest
from assets.verdict.compare import compare, to_json
from pipelines.governance import STYLE, blocking, dossier_of, heading, home_option, located
from pipelines.report import console
from resources.errors import UsageError


@click.command("report")
@click.argument("candidate", default="latest")
@click.option("--open", "in_browser", is_flag=True, help="Open the dossier in a browser.")
@click.option("--against", metavar="CANDIDATE", help="Compare with another candidate, or with the `current` release.")
@click.option(
    "--explain",
    metavar="GATE",
    help="Why this gate did not pass, what would pass, what you can do; `all`: every gate that blocks.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the dossier, or the comparison, as JSON.")
@home_option
def command(
    candidate: str, in_browser: bool, against: str | None, explain: str | None, as_json: bool, home: Path | None
) -> int:
    """Show why CANDIDATE (default: the latest) has its verdict, and where its dossier is."""
    workspace = located(home)
    found = latest(workspace.artifacts) if candidate == "latest" else find(workspace.artifacts, candidate)
    found.artifact.verify()
    body = dossier_of(workspace, found.verdict.candidate)
    if against:
        _compare(dossier_of(workspace, against), body, as_json)
    elif explain:
        _explain(body, explain, as_json)
    elif as_json:
        sys.stdout.write(json.dumps(body, indent=1) + "\n")
    else:
        _summary(found, body)
        page = found.artifact.path("dossier.html")
        console.print(f"Dossier   {page}", highlight=False, markup=False, soft_wrap=True)
        if in_browser and not webbrowser.open(page.as_uri()):
            raise UsageError(f"no browser could be started; open {page}")
    return 0


def _summary(found: Candidate, body: dict[str, Any]) -> None:
    verdict = found.verdict
    console.print(heading(found), highlight=False)
    for flaw in verdict.flaws:
        console.print(f"  flaw: {flaw}", style="red", highlight=False, markup=False)
    table = Table(Column("gate", overflow="fold"), "verdict", "why", "what you can do")
    for gate in blocking(body):
        told = [gate["reason"], gate["what_to_do"].partition("; or have a reviewer")[0]]
        table.add_row(gate["name"], f"[{STYLE[gate['verdict']]}]{gate['verdict']}[/]", *map(escape, told))
    if table.row_count:
        console.print(table)
        console.print(
            f"A limit explained: hallmark report {verdict.candidate} --explain GATE, or all",
            highlight=False,
            markup=False,
        )
    else:
        console.print(f"  all {len(verdict.judgements)} gates pass", highlight=False)


def _compare(before: dict[str, Any], after: dict[str, Any], as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps(to_json(before, after), indent=1) + "\n")
        return
    columns = ("part", Column("what", overflow="fold"), before["candidate"], after["candidate"], "")
    table = Table(*columns, title="What changed", title_justify="left")
    for change in compare(before, after):
        style, word = ("red", "worse") if change.worse else (None, "")
        told = [escape(part) for part in (change.what, _cell(change.before), _cell(change.after))]
        table.add_row(change.part, *told, word, style=style)
    if table.row_count:
        console.print(table)
    else:
        console.print("nothing changed")


def _cell(value: Any) -> str:
    return "–" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)


def _explain(body: dict[str, Any], name: str, as_json: bool) -> None:
    gates = [gate for gate in body["gates"] if name in (gate["name"], gate["gate"])]
    if name == "all":
        gates = blocking(body)
    elif not gates:
        raise UsageError(f"no gate {name}; there are: {', '.join(sorted({gate['gate'] for gate in body['gates']}))}")
    if as_json:
        sys.stdout.write(json.dumps(gates, indent=1) + "\n")
        return
    for gate in gates:
        console.print(
            f"[bold]{escape(gate['name'])}[/]: [{STYLE[gate['verdict']]}]{gate['verdict']}[/]", highlight=False
        )
        told = {"It is there because": gate["explain"], "Why": gate["reason"], "Would pass": gate["would_pass"],
                "What you can do": gate["what_to_do"]}  # fmt: skip
        for title, words in told.items():
            if words:
                console.print(f"  {title}: {words}", highlight=False, markup=False)
