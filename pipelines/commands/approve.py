"""``hallmark approve``: sign the approval of a candidate, and with ``--release`` release it."""

import json
import sys
from pathlib import Path

import click

from assets.release.approval import approve, standing
from assets.release.release import release
from assets.release.rules import ApprovalRules
from assets.verdict.candidate import find
from pipelines.governance import heading, home_option, in_force, located, policy_options
from pipelines.report import console
from resources.clock import utc
from resources.signer import KeyRing


@click.command("approve")
@click.argument("candidate")
@click.option("--reviewer", required=True, metavar="NAME", help="Who approves; the key of that name signs.")
@click.option("--reason", required=True, metavar="TEXT", help="Why; it stands in the dossier for ever.")
@click.option(
    "--override",
    "overrides",
    multiple=True,
    metavar="GATE=REASON",
    help="Accept one gate that did not pass, with a reason; once for each.",
)
@click.option("--days", type=int, help="For how many days the approval can be used; default and most: the policy's.")
@click.option("--release", "at_once", is_flag=True, help="Release at once if this completes the approvals.")
@click.option("--json", "as_json", is_flag=True, help="Print the signed approval.")
@home_option
@policy_options
def command(
    candidate: str,
    reviewer: str,
    reason: str,
    overrides: tuple[str, ...],
    days: int | None,
    at_once: bool,
    as_json: bool,
    home: Path | None,
    policy: Path | None,
    threats: Path | None,
) -> int:
    """Approve CANDIDATE (the first digits of its adapter's digest), bound to its verdict and the policy.

    Refused where a gate failed, where an unproven gate is not overridden by name, for the candidate's own author, and
    where anything changed since the verdict.
    """
    workspace = located(home)
    rules, model = in_force(policy, threats)
    word = approve(
        workspace,
        rules,
        model,
        candidate,
        reviewer=reviewer,
        reason=reason,
        overrides=parse_overrides(overrides),
        days=days,
    )
    if as_json:
        sys.stdout.write(json.dumps(word.envelope) + "\n")
    found = find(workspace.artifacts, candidate)
    console.print(heading(found), highlight=False)
    console.print(
        f"Approved by {word.reviewer} (key {word.keyid[:12]}) until {word.expires_at}", highlight=False, markup=False
    )
    for name, why in word.overrides.items():
        console.print(f"  overridden {name}: {why}", highlight=False, markup=False)
    ring = KeyRing.open(workspace.keys)
    stands = standing(workspace.decision_log, ring, found.verdict, ApprovalRules.of(rules), utc())
    if stands.missing:
        console.print(f"Not yet released: {stands.missing}", highlight=False, markup=False)
    elif at_once:
        folder = release(workspace, rules, model, candidate)
        console.print(f"Released  {folder}", highlight=False, markup=False, soft_wrap=True)
    else:
        console.print("The approvals are complete; the approval sensor releases it, or `hallmark approve --release`.")
    return 0


def parse_overrides(pairs: tuple[str, ...]) -> dict[str, str]:
    """``{gate: reason}`` of ``GATE=REASON``."""
    overrides: dict[str, str] = {}
    for pair in pairs:
        gate, equals, reason = pair.partition("=")
        if not equals or not gate.strip() or not reason.strip():
            raise click.UsageError(f"an override is GATE=REASON, not {pair!r}")
        if gate.strip() in overrides:
            raise click.UsageError(f"{gate.strip()} is overridden twice")
        overrides[gate.strip()] = reason.strip()
    return overrides
