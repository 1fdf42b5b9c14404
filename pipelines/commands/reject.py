"""``hallmark reject``: sign the rejection of a candidate."""

from pathlib import Path

import click

from assets.release.approval import reject
from pipelines.governance import home_option, in_force, located, policy_options
from pipelines.report import console


@click.command("reject")
@click.argument("candidate")
@click.option("--reviewer", required=True, metavar="NAME", help="Who rejects; the key of that name signs.")
@click.option("--reason", required=True, metavar="TEXT", help="Why.")
@home_option
@policy_options
def command(
    candidate: str, reviewer: str, reason: str, home: Path | None, policy: Path | None, threats: Path | None
) -> int:
    """Reject CANDIDATE. It cannot be released until the same reviewer approves it."""
    rules, model = in_force(policy, threats)
    word = reject(located(home), rules, model, candidate, reviewer=reviewer, reason=reason)
    console.print(f"Rejected {word.candidate} by {word.reviewer}: {word.reason}", highlight=False, markup=False)
    return 0
