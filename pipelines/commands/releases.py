"""``hallmark releases``: list the releases and the keys, and revoke a key."""

import dataclasses
import json
import sys
from pathlib import Path

import click
from rich.table import Table

from assets.release.listing import listed
from pipelines.governance import home_option, located
from pipelines.report import console
from resources.clock import parse, utc
from resources.errors import UsageError
from resources.signer import KeyRing, revoke
from resources.workspace import Workspace


@click.group("releases", invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
@home_option
@click.pass_context
def command(context: click.Context, as_json: bool, home: Path | None) -> None:
    """List the releases, each verified now; * marks the one that is plugged in."""
    context.obj = located(home)
    if context.invoked_subcommand:
        return
    rows, fault = listed(context.obj)
    if fault:
        console.print(f"current does not verify: {fault}", style="red", highlight=False, markup=False)
    if as_json:
        sys.stdout.write(json.dumps([dataclasses.asdict(row) for row in rows], indent=1) + "\n")
        return
    table = Table("", "release", "released", "approved by", "verifies")
    for row in rows:
        holds = "[green]yes[/]" if not row.differences else f"[red]no: {len(row.differences)} differences[/]"
        table.add_row("*" if row.current else "", row.release, row.released_at, ", ".join(row.approved_by), holds)
    if rows:
        console.print(table)
        if not fault and not any(row.current for row in rows):
            console.print("None is plugged in. To use one again, approve its candidate again with --release.")
    else:
        console.print("nothing was released yet")


@command.command("keys")
@click.pass_obj
def keys(workspace: Workspace) -> None:
    """List the trusted public keys: those of files, and passkeys."""
    ring = KeyRing.open(workspace.keys)
    table = Table("role", "name", "kind", "key", "revoked")
    for key in ring.keys:
        gone = ring.revoked.get(key.keyid)
        kind = f"passkey for {key.passkey.host}" if key.passkey else "file"
        table.add_row(key.role, key.name, kind, key.keyid, f"[red]{gone.since} {gone.reason}[/]" if gone else "")
    console.print(table)


@command.command("revoke")
@click.argument("key")
@click.option("--reason", required=True, metavar="TEXT", help="Why the key is no longer trusted.")
@click.option("--since", metavar="TIME", help="From when on, as 2026-11-23T00:00:00Z; default now. A theft: its date.")
@click.pass_obj
def revoke_key(workspace: Workspace, key: str, reason: str, since: str | None) -> None:
    """Revoke KEY (first digits of its id). What it signed from --since on no longer counts.

    A release made before that date keeps its approvals, for the pipeline's own signature dates them. A pipeline's key
    is revoked whole: nothing else dates what it signed.
    """
    if since:
        try:
            parse(since)
        except ValueError:
            raise UsageError(f"{since!r} is no time such as 2026-11-23T00:00:00Z") from None
    matching = [item for item in KeyRing.open(workspace.keys).keys if len(key) >= 4 and item.keyid.startswith(key)]
    if len(matching) != 1:
        raise UsageError(f"{len(matching)} keys begin with {key}; `hallmark releases keys` lists them")
    moment = since or utc()
    workspace.decision_log.append("revocation", {"keyid": matching[0].keyid, "since": moment, "reason": reason})
    revoke(workspace.keys, matching[0].keyid, moment, reason)
    console.print(f"Revoked the key of {matching[0].name} as of {moment}", highlight=False, markup=False)
