"""``hallmark keys``: access keys of the gateway."""

import base64
from pathlib import Path

import click
from rich.table import Table

from assets.served.limits.keys import AccessKeys
from pipelines.gateway.build import BUDGETS, KEYS
from pipelines.governance import home_option, located
from pipelines.report import console
from resources.alerts import webhook_secret


@click.group("keys")
def command() -> None:
    """Make, list and revoke the keys that programs call `hallmark serve` with.

    Only digests are kept. What a key may fetch a day is the policy's (`settings.served_release`, and for distinct
    prompts the last of `settings.extraction_audit.budgets`).
    """


@command.command("create")
@click.argument("name")
@home_option
def create(name: str, home: Path | None) -> int:
    """Make a key called NAME and print it, this once, on stdout.

    \b
    export OPENAI_API_KEY=$(hallmark keys create shop)
    """
    click.echo(_keys(home).create(name))
    return 0


@command.command("revoke")
@click.argument("name")
@home_option
def revoke(name: str, home: Path | None) -> int:
    """Close the key called NAME, at once and for good."""
    _keys(home).revoke(name)
    console.print(f"{name} opens nothing any more.", highlight=False, markup=False)
    return 0


@command.command("list")
@home_option
def list_(home: Path | None) -> int:
    """List the keys and what they have fetched today."""
    from assets.served.limits.budgets import Budgets

    budgets = Budgets(located(home).served / BUDGETS)
    table = Table("name", "since", "requests today", "tokens", "distinct prompts", "revoked")
    for key in _keys(home).all():
        spent = budgets.spent(key.name)
        amounts = (str(spent.requests), str(spent.tokens), str(spent.prompts))
        table.add_row(key.name, key.created_at, *amounts, key.revoked_at)
    console.print(table if table.row_count else "There is no key; `hallmark keys create NAME` makes one.")
    return 0


@command.command("webhook")
@home_option
def webhook(home: Path | None) -> int:
    """Print the secret that alerts are signed with, for whoever receives them ($HALLMARK_WEBHOOK).

    It is what a library of the Standard Webhooks specification takes: whsec_ and base64.
    """
    secret = webhook_secret(located(home).keys / "vault.key")
    click.echo(f"whsec_{base64.b64encode(secret).decode()}")
    return 0


def _keys(home: Path | None) -> AccessKeys:
    return AccessKeys(located(home).served / KEYS)
