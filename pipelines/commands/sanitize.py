"""``hallmark sanitize``: personal data and secrets leave a file."""

import json
import os
import sys
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from assets.raw.formats import count_rows
from assets.record import Record
from assets.sanitized.report import SanitizeReport
from assets.sanitized.sanitize import Sanitizer
from assets.sanitized.settings import SanitizeSettings
from expectations.policy import Policy, worst
from pipelines.ci import findings
from pipelines.ci.junit import junit_option, write_junit
from pipelines.ci.sarif import Log, sarif_option
from pipelines.reading import Rejections, reading_of, reading_options, rows_of
from pipelines.report import EXIT, StageReport, console, keep_apart, progress, whole_text
from resources.vault import KEY_VARIABLE, Fingerprinter, Vault, read_secret

if TYPE_CHECKING:
    from rich.progress import Progress

    from assets.outcome import Outcome
    from assets.sanitized.sanitize import Sanitized

EXISTING = click.Path(exists=True, dir_okay=False, path_type=Path)
SILENCE = 10.0  # seconds between lines of progress where stderr is no terminal
FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("path", metavar="IN", type=EXISTING)
@click.option("-o", "--out", type=FILE, required=True, help="The sanitised rows, as JSON Lines.")
@click.option("--report", type=FILE, help="Where the JSON report goes: what was removed, where and by which rule.")
@click.option("--vault", type=FILE, help="Keep the originals here, encrypted.")
@click.option("--vault-key", type=FILE, help=f"The vault's key file, made if absent; {KEY_VARIABLE} goes before it.")
@click.option("--policy", type=EXISTING, help="Another policy than the default.")
@sarif_option
@junit_option
@reading_options
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
    sarif: Path | None,
    junit: Path | None,
    columns: tuple[str, ...],
    encoding: str,
    as_json: bool,
) -> None:
    """Remove personal data and secrets from IN (JSON Lines, JSON, CSV or Parquet, in any form).

    OUT holds the rows, their own fields redacted, with the 0-based input row as "row". A value becomes a placeholder
    that stays the same through a row: "[PERSON_1] wrote to [EMAIL_ADDRESS_1]". Numbers, names of fields and metadata
    are read too. Rows that carried a private key or a live-looking credential are left out of OUT and listed in the
    report for a reviewer. What counts as personal is policy: `sanitized_records` in the policy file.

    The report says what left which row, where and by which rule, with a keyed fingerprint, never what it was.

    \b
    hallmark sanitize drop.jsonl -o clean.jsonl --report report.json
    hallmark sanitize drop.csv -o clean.jsonl --vault originals.vault --vault-key vault.key
    hallmark sanitize drop.jsonl -o clean.jsonl --sarif findings.sarif --junit gates.xml

    \b
    Exit status
      0  every gate of the policy passes        3  there was nothing to check
      1  a gate fails                           4  wrong usage
      2  an error: a file that cannot be read, a policy or a key that is wrong
    """
    keep_apart([path, vault_key, policy], [out, report, vault, sarif, junit])
    stage = StageReport("sanitize", path)
    limits = Policy.load(policy)
    settings = SanitizeSettings.from_policy(limits.settings.get("sanitized_records", {}))
    said = reading_of(columns, encoding, limits)
    rows = count_rows(path, path.name, said.encoding)
    sanitizer = Sanitizer(settings, _vault(vault, vault_key), fingerprints=_fingerprints(vault_key), expected=rows or 0)
    body = SanitizeReport(detailed=report is not None or as_json)
    log = Log("sanitize") if sarif else None
    found = _Found(path, settings, log, Rejections())
    with whole_text(out) as stream, progress() as display:
        _write(rows_of(path, said, _say), rows, stream, sanitizer, body, display, found)
    found.rejections.conclude()
    gates = limits.judge("sanitized_records", sanitizer.metrics())
    verdict = worst(gates) if body.read else "inconclusive"
    console.print(body.line(verdict, sanitizer.summary()), highlight=False)
    for gate in gates:
        if gate.verdict != "pass":
            console.print(f"{gate.verdict}: {gate.gate}: {gate.reason}", highlight=False, markup=False)
    head = stage.body(verdict, body.rows, body.content(sanitizer.summary(), gates))
    if report is not None:
        with whole_text(report) as stream:
            stream.writelines(body.pieces(head))
    if as_json:
        sys.stdout.writelines(body.pieces(head))
    if sarif is not None and log is not None:
        log.write(sarif, EXIT[verdict], [f"{gate.gate}: {gate.reason}" for gate in gates if gate.verdict != "pass"])
    if junit is not None:
        write_junit(junit, "sanitize", gates)
    context.exit(EXIT[verdict])


@dataclass(frozen=True, slots=True)
class _Found:
    """What is found of ``path`` goes to a SARIF log, where one was asked for; what cannot be read is said, too."""

    path: Path
    settings: SanitizeSettings
    log: Log | None
    rejections: Rejections

    def row(self, sanitized: "Sanitized") -> None:
        if self.log is not None:
            for result in findings.of_row(self.path, sanitized, self.settings.quarantine):
                self.log.add(result)

    def unreadable(self, outcome: "Outcome") -> None:
        self.rejections.tell(outcome)
        if self.log is not None:
            self.log.add(findings.unreadable(self.path, outcome))


def _write(
    outcomes: "Iterator[Outcome]",
    rows: int | None,
    stream: IO[str],
    sanitizer: Sanitizer,
    body: SanitizeReport,
    display: "Progress",
    found: _Found,
) -> None:
    """Stream rows through the sanitiser; the queue holds the row numbers of the batch in work."""
    numbers: deque[int] = deque()
    task = display.add_task("sanitising", total=rows)
    started = said = time.monotonic()

    def records() -> Iterator[Record]:
        for row, outcome in enumerate(outcomes):
            if outcome.removal:
                body.reject(row, outcome)
                found.unreadable(outcome)
            else:
                numbers.append(row)
                yield outcome.record

    for sanitized in sanitizer.sanitize(records()):
        row = numbers.popleft()
        body.add(row, sanitized)
        found.row(sanitized)
        display.advance(task)
        if not console.is_terminal and (now := time.monotonic()) - said > SILENCE:
            said = now
            console.print(f"{body.read:,} rows, {body.read / (now - started):,.0f} rows/s", highlight=False)
        if sanitized.outcome.fate == "passed":
            fields = {**sanitized.outcome.record.fields, "row": row}
            stream.write(json.dumps(fields, ensure_ascii=False) + "\n")


def _say(line: str) -> None:
    console.print(line, highlight=False, markup=False)


def _vault(path: Path | None, key: Path | None) -> Vault | None:
    return Vault.open(path, key_file=key, create_key=True) if path else None


def _fingerprints(key: Path | None) -> Fingerprinter | None:
    """Keyed by the same secret as the vault's where there is one, so that two reports can be joined."""
    if key is not None or os.environ.get(KEY_VARIABLE):
        return Fingerprinter(read_secret(key, create=True))
    return None
