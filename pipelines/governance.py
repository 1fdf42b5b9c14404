"""What the commands of approval and release share: the workspace, the policy and the threat model in force."""

import json
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from assets.release.pointer import read_plug
from assets.verdict.candidate import Candidate, find
from assets.verdict.threat import ThreatModel
from expectations.policy import Policy
from expectations.threats import load_threats
from resources.errors import UsageError
from resources.signer import KeyRing
from resources.workspace import Workspace

STYLE = {"pass": "green", "fail": "red", "inconclusive": "yellow", "at_release": "cyan"}
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_F = TypeVar("_F", bound=Callable[..., Any])

home_option = click.option(
    "--home", type=click.Path(file_okay=False, path_type=Path), help="Workspace; default $HALLMARK_HOME or ./.hallmark."
)
PORTS = click.IntRange(1, 65535)


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


def check_port(host: str, port: int) -> None:
    """``UsageError`` where nothing can listen on this port: said before anything is loaded, with what to do."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((host, port))
        except OSError as error:
            raise UsageError(f"port {port} cannot be listened on: {error.strerror}; --port takes another") from error


def drop_store(workspace: Workspace) -> str:
    """Where drops arrive: ``$HALLMARK_STORE``, or the workspace's own folder."""
    return os.environ.get("HALLMARK_STORE") or workspace.drops.as_uri()


def heading(candidate: Candidate) -> str:
    """One line on a candidate, with colours for rich."""
    verdict = candidate.verdict
    return f"Candidate {verdict.candidate}: [{STYLE[verdict.verdict]} bold]{verdict.verdict}[/]"


def dossier_of(workspace: Workspace, name: str) -> dict[str, Any]:
    """A candidate's dossier, or with ``current`` that of the release that is plugged in, which carries its own."""
    if name != "current":
        folder = find(workspace.artifacts, name).artifact.folder
    else:
        release = read_plug(workspace.releases, KeyRing.open(workspace.keys)).release
        if not release:
            raise UsageError("no release is plugged in to compare with")
        folder = workspace.releases / release
    body: dict[str, Any] = json.loads((folder / "dossier.json").read_bytes())
    return body


def blocking(dossier: dict[str, Any]) -> list[dict[str, Any]]:
    """The gates that did not pass, failed ones first."""
    return sorted(
        (gate for gate in dossier["gates"] if gate["verdict"] != "pass"), key=lambda gate: gate["verdict"] != "fail"
    )
