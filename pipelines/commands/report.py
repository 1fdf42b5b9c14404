"""``hallmark report``: a candidate's dossier, in the terminal, as JSON, or in the browser."""

import sys
import webbrowser
from pathlib import Path

import click
from rich.table import Table

from assets.verdict.candidate import Candidate, find, latest
from pipelines.governance import STYLE, heading, home_option, located
from pipelines.report import console
from resources.errors import UsageError


@click.command("report")
@click.argument("candidate", default="latest")
@click.option("--open", "in_browser", is_flag=True, help="Open the dossier in a browser.")
@click.option("--json", "as_json", is_flag=True, help="Print the dossier as JSON.")
@home_option
def command(candidate: str, in_browser: bool, as_json: bool, home: Path | None) -> int:
    """Show why CANDIDATE (default: the latest) has its verdict, and where its dossier is."""
    workspace = located(home)
    found = latest(workspace.artifacts) if candidate == "latest" else find(workspace.artifacts, candidate)
    found.artifact.verify()
    if as_json:
        sys.stdout.write(found.artifact.path("dossier.json").read_text(encoding="utf-8"))
        return 0
    page = found.artifact.path("dossier.html")
    console.print(heading(found), highlight=False)
    _summary(found)
    console.print(f"Dossier   {page}", highlight=False, markup=False, soft_wrap=True)
    if in_browser and not webbrowser.open(page.as_uri()):
        raise UsageError(f"no browser could be started; open {page}")
    return 0


def _summary(found: Candidate) -> None:
    verdict = found.verdict
    for flaw in verdict.flaws:
        console.print(f"  flaw: {flaw}", style="red", highlight=False, markup=False)
    table = Table("gate", "verdict", "why")
    for judgement in verdict.blocking():
        result = judgement.result
        table.add_row(judgement.name, f"[{STYLE[result.verdict]}]{result.verdict}[/]", result.reason)
    if table.row_count:
        console.print(table)
    else:
        console.print(f"  all {len(verdict.judgements)} gates pass", highlight=False)
