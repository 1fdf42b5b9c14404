"""``hallmark sanitize``: personal data and secrets leave a file."""

import json
import os
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assets.raw.formats import read_rows
from assets.record import Record
from assets.sanitized.report import SanitizeReport
from assets.sanitized.sanitize import Sanitizer
from assets.sanitized.settings import SanitizeSettings
from expectations.policy import Policy, worst
from pipelines.report import StageReport, console, progress
from resources.vault import KEY_VARIABLE, Fingerprinter, Vault, read_secret

if TYPE_CHECKING:
    from rich.progress import Progress

EXISTING = click.Path(exists=True, dir_okay=False, path_type=Path)
FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("path", metavar="IN", type=EXISTING)
@click.option("-o", "--out", type=FILE, required=True, help="The sanitised rows, as JSON Lines.")
@click.option("--report", type=FILE, help="Where the JSON report goes: what was removed, where and by which rule.")
@click.option("--vault", type=FILE, help="Keep the originals here, encrypted.")
@click.option("--vault-key", type=FILE, help=f"The vault's key file, made if absent; {KEY_VARIABLE} goes before it.")
@click.option("--policy", type=EXISTING, help="Another policy than the default.")
@click.option("--json", "as_json", is_flag=True, help="Print the report.")
@click.pass_context
def command(
    context: click.Context,
    path: Path,
    out: Path,
    report: Path | None,
    vault: Path | None,
    vault_key: Path | None,
    policy: Path | None,
    as_json: bool,
) -> None:
    """Remove personal data and secrets from IN (JSON Lines, JSON, CSV or Parquet, in any form).

    OUT holds the rows, their own fields redacted, with the 0-based input row as "row". Rows that carried a private key
    or a live-looking credential are left out of OUT and listed in the report for a reviewer.

    Exit status 0: the gates of the policy pass; 1: one fails; 3: there was nothing to check.
    """
    stage = StageReport("sanitize", path)
    limits = Policy.load(policy)
    settings = SanitizeSettings.from_policy(limits.settings.get("sanitized_records", {}))
    sanitizer = Sanitizer(settings, _vault(vault, vault_key), fingerprints=_fingerprints(vault_key))
    body = SanitizeReport(detailed=report is not None or as_json)
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        with progress() as display:
            _write(path, partial, sanitizer, body, display)
        partial.replace(out)
    finally:
        partial.unlink(missing_ok=True)
    gates = limits.judge("sanitized_records", sanitizer.metrics())
    verdict = worst(gates) if body.read else "inconclusive"
    console.print(body.line(verdict, sanitizer.summary()), highlight=False)
    context.exit(stage.finish(verdict, body.rows, body.content(sanitizer.summary(), gates), report, as_json))


def _write(path: Path, out: Path, sanitizer: Sanitizer, body: SanitizeReport, display: "Progress") -> None:
    """Stream rows through the sanitiser; the queue holds the row numbers of the batch in work."""
    numbers: deque[int] = deque()
    task = display.add_task("sanitising", total=None)

    def records() -> Iterator[Record]:
        for row, outcome in enumerate(read_rows(path)):
            if outcome.removal:
                body.reject(row, outcome.removal)
            else:
                numbers.append(row)
                yield outcome.record

    with out.open("w", encoding="utf-8", errors="backslashreplace") as stream:
        for sanitized in sanitizer.sanitize(records()):
            row = numbers.popleft()
            body.add(row, sanitized)
            display.advance(task)
            if sanitized.outcome.fate == "passed":
                fields = {**sanitized.outcome.record.fields, "row": row}
                stream.write(json.dumps(fields, ensure_ascii=False) + "\n")


def _vault(path: Path | None, key: Path | None) -> Vault | None:
    return Vault.open(path, key_file=key, create_key=True) if path else None


def _fingerprints(key: Path | None) -> Fingerprinter | None:
    """Keyed by the same secret as the vault's where there is one, so that two reports can be joined."""
    if key is not None or os.environ.get(KEY_VARIABLE):
        return Fingerprinter(read_secret(key, create=True))
    return None
