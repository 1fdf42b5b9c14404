"""``hallmark screen``: look for poisoned rows in a file."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from rich.markup import escape
from rich.status import Status

from assets.outcome import Outcome
from assets.raw.reading import Reading
from assets.record import Record
from assets.screened.base_model.scorer import LateScorer
from assets.screened.report.finding import Finding, ScreenResult
from assets.screened.report.page import render
from assets.screened.report.sentences import unjudged
from assets.screened.safety.evidence import Reader
from assets.screened.screen import screen
from assets.screened.settings import ScreenSettings
from expectations.policy import Policy
from pipelines.ci import findings
from pipelines.ci.sarif import Log, sarif_option
from pipelines.reading import Rejections, reading_of, reading_options, rows_of
from pipelines.report import EXIT, StageReport, console, keep_apart
from resources.artifacts import write_whole
from resources.base_model import base_path
from resources.workspace import Workspace

EXISTING = click.Path(exists=True, dir_okay=False, path_type=Path)
OUTPUT = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("path", metavar="IN", type=EXISTING)
@click.option("-o", "--out", type=OUTPUT, required=True, help="The unflagged rows.")
@click.option("--report", type=OUTPUT, help="Where the JSON report goes.")
@click.option("--page", type=OUTPUT, help="Where a page for people goes: findings, examples, sources over time (HTML).")
@click.option("--trusted", type=EXISTING, help="Rows known to be good: what is as usual there is no finding.")
@click.option("--accept", metavar="FINGERPRINT", multiple=True, help="A finding that a person has cleared; repeatable.")
@click.option("--reject", metavar="FINGERPRINT", multiple=True, help="A question answered with: poison; repeatable.")
@click.option(
    "--model/--no-model",
    default=True,
    help="Ask the base model about suspects. Without it off-topic answers are not looked for.  [default: --model]",
)
@click.option(
    "--thorough", is_flag=True, help="Have the base model read every answer: for a GPU, or ten minutes a thousand rows."
)
@click.option("--base", type=click.Path(exists=True, file_okay=False, path_type=Path), help="The base model's folder.")
@click.option("--policy", type=EXISTING, help="Another policy than the default.")
@sarif_option
@reading_options
@click.option("--json", "as_json", is_flag=True, help="Print the report.")
@click.pass_context
def command(
    context: click.Context,
    path: Path,
    out: Path,
    report: Path | None,
    page: Path | None,
    trusted: Path | None,
    accept: tuple[str, ...],
    reject: tuple[str, ...],
    model: bool,
    thorough: bool,
    base: Path | None,
    policy: Path | None,
    sarif: Path | None,
    columns: tuple[str, ...],
    encoding: str,
    as_json: bool,
) -> None:
    """Look for poisoned rows in IN and write the others to OUT, as JSON Lines in their own form.

    It looks for a trigger tied to a payload (word, phrase, manner of writing, or worded anew each time), a payload
    said to whatever is asked, garbage, off-topic answers, refusals of harmless prompts, answers that deny another
    row's, floods of near copies, and rows that unlearn refusals: harmful requests with answers that comply, and orders
    to obey without limits.
    IN: JSONL, JSON, CSV or Parquet in any form (docs/data-forms.md); function names and arguments are read like words.

    \b
    A first look, then a closer one:
      hallmark screen rows.jsonl -o clean.jsonl --page screen.html
    Against rows that were admitted before, so that only what is new counts:
      hallmark screen rows.jsonl -o clean.jsonl --trusted earlier.jsonl
    A finding turned out to be fine (its fingerprint stands at the end of its line):
      hallmark screen rows.jsonl -o clean.jsonl --accept 0123456789abcdef
    A stock phrase that may be a script of the source is a question: --accept it if it is, else --reject it.

    In the pipeline the same findings wait in `hallmark review list`, and what a person says of a fingerprint there
    holds for every later drop.

    \b
    Exit status
      0: nothing found    1: findings    2: an error, such as an unreadable IN
      3: too few rows to tell, or a question that is not answered yet    4: usage
    """
    if thorough and not model:
        raise click.UsageError("--thorough needs the base model: leave out --no-model")
    keep_apart([path, trusted, policy], [out, report, page, sarif])
    stage = StageReport("screen", path)
    limits = Policy.load(policy)
    settings = ScreenSettings.from_policy(limits.settings.get("screened_records", {}))
    said, rejections = reading_of(columns, encoding, limits), Rejections()
    settings = replace(settings, thorough=thorough or settings.thorough)
    rejected = {row: outcome for row, outcome in enumerate(rows_of(path, said)) if outcome.removal}
    for outcome in rejected.values():
        rejections.tell(outcome)
    rejections.conclude()
    with console.status("screening") as status:
        models = Workspace.locate().models
        result = screen(
            _reader(path, said),
            background=_reader(trusted, said) if trusted else None,
            settings=settings,
            model=LateScorer(lambda: base_path(base, models), models) if model else None,
            safety=Reader.bundled(),
            accepted=accept,
            rejected=reject,
            on_step=lambda step: _step(status, step),
        )
    result, body = _numbered(result, rejected)
    flagged, rows = {row["row"] for row in body["rows"] if row["flagged"]}, len(body["rows"])
    lines = (_line(outcome.record) for row, outcome in enumerate(rows_of(path, said)) if row not in flagged)
    write_whole(out, "".join(lines).encode())
    if page:
        write_whole(page, render(result, rows, path.name).encode())
    for finding in (*result.open_findings, *result.open_questions):
        _tell(finding)
    if result.power:
        told = "; ".join(str(each) for each in result.power)
        console.print(f"Of attacks planted into copies of these rows it finds: {escape(told)}", highlight=False)
    for each in result.usual:
        console.print(f"[yellow]Not judged:[/yellow] {escape(unjudged(each))}", highlight=False)
    console.print(f"{rows:,} rows, {len(flagged):,} flagged, {len(result.open_findings)} findings", highlight=False)
    verdict = "fail" if not result.clean else "inconclusive" if result.unproven else "pass"
    if result.unproven:
        console.print(f"[yellow]Not proven:[/yellow] {escape(result.unproven)}", highlight=False)
    if sarif:
        _log(sarif, path, result, said, EXIT[verdict])
    context.exit(stage.finish(verdict, rows, body, report, as_json))


def _log(sarif: Path, path: Path, result: ScreenResult, said: Reading, status: int) -> None:
    """Findings, questions and rows that cannot be read, as SARIF."""
    log, lines = Log("screen"), []
    for outcome in rows_of(path, said):
        lines.append(outcome.record.origin.line)
        if outcome.removal:
            log.add(findings.unreadable(path, outcome))
    for found in findings.of_screen(path, result.findings, result.questions, lines):
        log.add(found)
    log.write(sarif, status, [result.unproven] if result.unproven else [])


def _step(status: Status, step: str) -> None:
    """Say what is being done; where stderr is no terminal, as a line."""
    status.update(f"screening: {step}")
    if not console.is_terminal:
        console.print(f"screening: {step}", highlight=False)


def _tell(finding: Finding) -> None:
    """A finding on the terminal: the sentence, its fingerprint, when, and one masked example."""
    first, last = finding.dates
    when = f" {first} to {last}" if first else ""
    console.print(
        f"• {escape(finding.sentence)}  [dim]{finding.kind} {finding.fingerprint}{when}[/dim]", highlight=False
    )
    for example in finding.examples[:1]:
        console.print(f"  [dim]such as: {escape(example)}[/dim]", highlight=False)


def _reader(path: Path, said: Reading) -> Callable[[], Iterator[Record]]:
    return lambda: (outcome.record for outcome in rows_of(path, said) if outcome.fate == "passed")


def _line(record: Record) -> str:
    return json.dumps(record.fields, ensure_ascii=False) + "\n"


def _numbered(result: ScreenResult, rejected: dict[int, Outcome]) -> tuple[ScreenResult, dict[str, Any]]:
    """The result with its findings' rows numbered as in the input, unreadable rows included; and the report of it."""
    readable = (row for row in range(len(result.scores) + len(rejected)) if row not in rejected)
    number = dict(enumerate(readable))
    body = result.to_json()
    for row in body["rows"]:
        row["row"] = number[row["row"]]
    for row, outcome in rejected.items():
        rule = outcome.removal.rule if outcome.removal else ""
        body["rows"].append({"row": row, "flagged": True, "score": 1.0, "reasons": [f"unreadable:{rule}"]})
    body["rows"].sort(key=lambda row: row["row"])
    findings, questions = (
        tuple(
            replace(
                each,
                rows=tuple(number[row] for row in each.rows),
                also={kind: tuple(number[row] for row in rows) for kind, rows in each.also.items()},
            )
            for each in told
        )
        for told in (result.findings, result.questions)
    )
    body["findings"] = [finding.to_json() for finding in findings]
    body["questions"] = [question.to_json() for question in questions]
    return replace(result, findings=findings, questions=questions), body
