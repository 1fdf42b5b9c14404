"""``hallmark desk``: the web application for what people decide."""

import asyncio
import contextlib
from pathlib import Path
from urllib.parse import urlsplit

import click

from pipelines.desk.reviewers import INVITED, Reviewers
from pipelines.governance import PORTS, check_port, drop_store, home_option, in_force, located, policy_options
from resources.errors import UsageError

PORT = 3001
LOOPBACK = "127.0.0.1"


@click.group("desk", invoke_without_command=True)
@click.option("--port", type=PORTS, default=PORT, show_default=True, help="Port to listen on.")
@click.option("--host", default=LOOPBACK, show_default=True, help="Address to listen on.")
@click.option(
    "--url",
    metavar="URL",
    help="The address in browsers, where a proxy with TLS stands in front: https://desk.example.org.",
)
@click.option(
    "--store", default="", help="Where corrected rows go; default $HALLMARK_STORE or the workspace's own store."
)
@home_option
@policy_options
@click.pass_context
def command(
    context: click.Context,
    port: int,
    host: str,
    url: str | None,
    store: str,
    home: Path | None,
    policy: Path | None,
    threats: Path | None,
) -> None:
    """Decide in a browser: rows, findings, candidates, held actions, releases.

    Reviewers sign in and sign with passkeys; the first one comes in by `hallmark desk invite NAME`. It listens on this
    machine only, at http://localhost:3001.

    \b
    hallmark desk invite ada      prints a link with which ada registers a passkey
    hallmark desk                 until interrupted
    """
    if context.invoked_subcommand:
        return
    workspace, origin = located(home), _origin(url, port)
    if host != LOOPBACK and not url:
        raise UsageError("passkeys need TLS on anything but this machine: put a proxy in front and name it with --url")
    check_port(host, port)

    from pipelines.desk.app import DeskServer
    from pipelines.desk.desk import Desk

    rules, model = in_force(policy, threats)
    desk = Desk(workspace, rules, model, store or drop_store(workspace), origin)
    click.echo(f"Desk      {origin}", err=True)
    if not desk.reviewers.anybody():
        click.echo("Nobody is registered yet:  hallmark desk invite NAME", err=True)

    desk.counts()  # reads what waits, so that nobody's first page has to
    with contextlib.suppress(KeyboardInterrupt, asyncio.CancelledError):
        DeskServer(desk, host, port).run()


@command.command("invite")
@click.argument("name")
@click.option("--url", metavar="URL", help="The desk's address in browsers, if a proxy stands in front.")
@click.option("--port", type=int, help=f"The desk's port; default {PORT}.")
@home_option
@click.pass_context
def invite(context: click.Context, name: str, url: str | None, port: int | None, home: Path | None) -> None:
    """Print a link with which NAME registers one passkey. It works once, for a day.

    \b
    hallmark desk invite ada
    hallmark desk invite ada --url https://desk.example.org
    """
    said = context.parent.params if context.parent else {}
    workspace, origin = located(home or said["home"]), _origin(url or said["url"], port or said["port"])
    click.echo(Reviewers(workspace, origin).invite(name))
    hours = int(INVITED.total_seconds() // 3600)
    click.echo(f"For {name}, once, within {hours} hours. Whoever opens it decides as {name}.", err=True)


def _origin(url: str | None, port: int) -> str:
    """The address in browsers. Passkeys belong to names, so this machine is ``localhost``, not a number."""
    if url is None:
        return f"http://localhost:{port}"
    parts = urlsplit(url)
    local = parts.scheme == "http" and parts.hostname == "localhost"
    if not (parts.scheme == "https" or local) or not parts.hostname or parts.path.strip("/") or parts.query:
        raise UsageError(f"{url} is not an address such as https://desk.example.org")
    return f"{parts.scheme}://{parts.netloc}"
