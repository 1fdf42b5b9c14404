"""``hallmark review``: decide on what was quarantined."""

import json
from pathlib import Path

import click
from rich.markup import escape
from rich.table import Table

from assets.feedback import sign_feedback
from assets.review import KIND, Action, decide
from assets.review import correct as correct_row
from assets.waiting import STAGES, Item, Queue, find
from pipelines.governance import drop_store, home_option, located
from pipelines.report import console
from resources.errors import UsageError
from resources.line_cipher import LineCipher
from resources.object_store import ObjectStore
from resources.signer import SigningKey
from resources.vault import read_secret
from resources.workspace import Workspace


@click.group("review")
def command() -> None:
    """Decide on quarantined rows and on findings of the screen.

    What waits is listed with masked evidence. A decision carries a name and a reason, stands in the log of decisions
    and is applied by the next `hallmark run`.
    """


@command.command("list")
@click.option("--rule", help="Only what broke this rule.")
@click.option("--drop", help="Only this drop.")
@click.option("--decided", is_flag=True, help="What was decided instead: by whom, when and why.")
@home_option
def list_(rule: str | None, drop: str | None, decided: bool, home: Path | None) -> int:
    """List what waits for a decision.

    \b
    hallmark review list --rule secret.github
    hallmark review show ID
    hallmark review release ID --reviewer ann --reason "revoked; the placeholder may stay"
    hallmark run                                    applies what was decided
    """
    if decided:
        return _decided(located(home))
    items = [item for item in _items(located(home)) if rule in (None, item.rule) and drop in (None, item.drop)]
    table = Table("id", "drop", "stage", "rule", "rows", "why")
    for item in items:
        table.add_row(
            item.name[:10],
            item.drop,
            item.stage,
            item.rule,
            str(item.rows),
            escape(f"{item.reason}. {item.evidence}" if item.evidence else item.reason),  # a placeholder is no markup
        )
    console.print(table if items else "Nothing waits for a decision.")
    return 0


def _decided(workspace: Workspace) -> int:
    """Print every decision, oldest first; a later one on the same target replaces an earlier one."""
    table = Table("id", "stage", "decision", "reviewer", "at", "reason")
    for entry in workspace.decision_log.entries(KIND):
        body = entry.body
        table.add_row(
            body["target"][:10], body["stage"], body["action"], body["reviewer"], entry.at, escape(body["reason"])
        )
    console.print(table if table.row_count else "Nothing has been decided.")
    return 0


@command.command("show")
@click.argument("name", metavar="ID")
@home_option
def show(name: str, home: Path | None) -> int:
    """Show one item: rule, reason, where it came from, and its text if that has been sanitised."""
    workspace = located(home)
    item = find(_items(workspace), name)
    for label, text in (("id", item.name), ("stage", item.stage), ("drop", item.drop), ("rule", item.rule),
                        ("why", item.reason), ("evidence", item.evidence)):  # fmt: skip
        console.print(f"{label:<10}{text}", highlight=False, markup=False)
    if item.is_row:
        record = item.record(_cipher(workspace))
        origin = record.origin
        console.print(f"{'from':<10}{origin.object_key}:{origin.line} ({origin.source})", highlight=False, markup=False)
        if item.readable:
            console.print(json.dumps(record.fields, indent=1, ensure_ascii=False), highlight=False, markup=False)
        else:
            console.print("The text is not shown: it has not been sanitised yet. Read it at its source.")
    console.print(
        f"decide    hallmark review release|reject|correct {item.name[:10]} --reviewer YOU --reason WHY",
        highlight=False,
        markup=False,
    )
    return 0


def _decision(action: Action, help_text: str) -> click.Command:
    @command.command(action, help=help_text)
    @click.argument("name", metavar="ID")
    @click.option("--reviewer", required=True, metavar="NAME", help="Who decides.")
    @click.option("--reason", required=True, metavar="TEXT", help="Why; it stays in the log.")
    @home_option
    def decided(name: str, reviewer: str, reason: str, home: Path | None) -> int:
        workspace = located(home)
        item = find(_items(workspace), name)
        decide(workspace.decision_log, [item], action, reviewer, reason)
        console.print(f"{action}: {item.name[:10]} ({item.rows} rows). Applied by the next `hallmark run`.")
        return 0

    return decided


_decision("release", "Let ID pass: a row passes whatever rule it broke, a finding flags nothing from now on.")
_decision("reject", "Reject ID for good: a row, or every row of a finding, so that its drop can go on.")


@command.command("correct")
@click.argument("name", metavar="ID")
@click.option("--answer", required=True, metavar="TEXT", help="What the answer should have been.")
@click.option("--reviewer", required=True, metavar="NAME", help="Who corrects.")
@click.option("--reason", required=True, metavar="TEXT", help="Why; it stays in the log.")
@click.option("--store", default="", help="Where drops arrive; default $HALLMARK_STORE or the workspace's own store.")
@home_option
def correct(name: str, answer: str, reviewer: str, reason: str, store: str, home: Path | None) -> int:
    """Replace the answer of row ID. The corrected row comes back as a drop of kind feedback and meets every wall."""
    workspace = located(home)
    item = find(_items(workspace), name)
    if not item.is_row:
        raise UsageError(f"{name} is a finding; correct its rows one by one, or reject it")
    target = ObjectStore.open(store or drop_store(workspace))
    record = item.record(_cipher(workspace))
    key = SigningKey.pipeline(workspace.keys)
    folder = correct_row(workspace.decision_log, target, key, item, record, answer, reviewer=reviewer, reason=reason)
    console.print(f"Corrected as {folder}; the next `hallmark run` takes it up.", highlight=False, markup=False)
    return 0


@command.command("sign")
@click.argument("folder", metavar="FOLDER", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--reviewer", required=True, metavar="NAME", help="Who corrected; the manifest's reviewer.")
@home_option
def sign(folder: Path, reviewer: str, home: Path | None) -> int:
    """Sign FOLDER, corrections made elsewhere, as their reviewer, before it goes into the store of drops.

    Its manifest.json says {"kind": "feedback", "reviewer": "NAME"}. A drop of kind feedback that nobody signed is
    refused, because its rows count more than others and carry a person's name.
    """
    files = sign_feedback(folder, SigningKey.reviewer(located(home).keys, reviewer))
    console.print(f"Signed {files} files as {reviewer}. Put the folder into the store, its manifest last.")
    return 0


def _items(workspace: Workspace) -> list[Item]:
    if not any(workspace.artifacts.partitions(stage) for stage in STAGES):
        return []  # nothing was run yet, and there is no key either
    return list(Queue(workspace.artifacts, _cipher(workspace)).items())


def _cipher(workspace: Workspace) -> LineCipher:
    return LineCipher(read_secret(workspace.keys / "vault.key"))
