"""``hallmark rollback``: unplug the current release."""

from pathlib import Path

import click

from assets.release.release import rollback
from pipelines.governance import home_option, located
from pipelines.report import console


@click.command("rollback")
@click.option("--reason", required=True, metavar="TEXT", help="Why; it is part of the signed event.")
@home_option
def command(reason: str, home: Path | None) -> int:
    """Unplug the current release at once, then plug in the one before it if it still verifies.

    Both steps are signed events in the log of decisions. The approvals of what was rolled back are used up.
    """
    plug = rollback(located(home), reason)
    after = (
        f"{plug.release} is current again" if plug.release else "no release is plugged in: the base model serves alone"
    )
    console.print(f"Rolled back; {after}", highlight=False, markup=False)
    return 0
