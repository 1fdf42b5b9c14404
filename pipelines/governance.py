"""What the commands of approval and release share: the workspace, the policy and the threat model in force."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from assets.verdict.candidate import Candidate
from assets.verdict.threat import ThreatModel
from expectations.policy import Policy
from expectations.threats import load_threats
from resources.workspace import Workspace

STYLE = {"pass": "green", "fail": "red", "inconclusive": "yellow", "at_release": "cyan"}
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_F = TypeVar("_F", bound=Callable[..., Any])

home_option = click.option(
    "--home", type=click.Path(file_okay=False, path_type=Path), help="Workspace; default $HALLMARK_HOME or ./.hallmark."
)


def policy_options(function: _F) -> _F:
    """``--policy`` and ``--threats``: they must be those the candidate was judged by."""
    function = click.option("--threats", type=_FILE, help="Threat model (YAML) that the candidate was judged by.")(
        function
    )
    return click.option("--policy", type=_FILE, help="Policy (YAML) that the candidate was judged by.")(function)


def in_force(policy: Path | None, threats: Path | None) -> tuple[Policy, ThreatModel]:
    loaded = Policy.load(policy)
    return loaded, load_threats(loaded, threats)


def located(home: Path | None) -> Workspace:
    workspace = Workspace.locate(home)
    if not workspace.root.is_dir():
        raise click.UsageError(f"there is no workspace {workspace.root}; `hallmark run` makes one")
    return workspace


def heading(candidate: Candidate) -> str:
    """One line on a candidate, with colours for rich."""
    verdict = candidate.verdict
    return f"Candidate {verdict.candidate}: [{STYLE[verdict.verdict]} bold]{verdict.verdict}[/]"
