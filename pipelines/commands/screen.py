"""``hallmark screen``: look for poisoned rows in a file."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from assets.outcome import Outcome
from assets.raw.formats import read_rows
from assets.record import Record
from assets.screened.finding import ScreenResult
from assets.screened.screen import screen
from assets.screened.settings import ScreenSettings
from expectations.policy import Policy
from pipelines.report import StageReport, console
from resources.artifacts import write_whole
from resources.workspace import Workspace

if TYPE_CHECKING:
    from resources.language_model import LanguageModel

EXISTING = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("path", metavar="IN", type=EXISTING)
@click.option("-o", "--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The unflagged rows.")
@click.option("--report", type=click.Path(dir_okay=False, path_type=Path), help="Where the JSON report goes.")
@click.option("--trusted", type=EXISTING, help="Rows known to be good, to tell what is new in IN.")
@click.option("--accept", metavar="FINGERPRINT", multiple=True, help="A finding a human has cleared; repeatable.")
@click.option("--model/--no-model", default=True, help="Ask the base model about suspects.  [default: --model]")
@click.option("--base", type=click.Path(exists=True, file_okay=False, path_type=Path), help="The base model's folder.")
@click.option("--policy", type=EXISTING, help="Another policy than the default.")
@click.option("--json", "as_json", is_flag=True, help="Print the report.")
@click.pass_context
def command(
    context: click.Context,
    path: Path,
    out: Path,
    report: Path | None,
    trusted: Path | None,
    accept: tuple[str, ...],
    model: bool,
    base: Path | None,
    policy: Path | None,
    as_json: bool,
) -> None:
    """Look for poisoned rows in IN and write the others to OUT, as JSON Lines in their own form.

    Exit status 0: nothing found; 1: findings; 3: too few rows to tell.
    """
    stage = StageReport("screen", path)
    settings = ScreenSettings.from_policy(Policy.load(policy).settings.get("screened_records", {}))
    rejected = {row: outcome for row, outcome in enumerate(read_rows(path)) if outcome.removal}
    with console.status("screening") as status:
        result = screen(
            _reader(path),
            background=_reader(trusted) if trusted else None,
            settings=settings,
            model=_Asked(base) if model else None,
            accepted=accept,
            on_step=lambda step: status.update(f"screening: {step}"),
        )
    body, rows = _report(result, rejected)
    flagged = {row["row"] for row in body["rows"] if row["flagged"]}
    lines = (_line(outcome.record) for row, outcome in enumerate(read_rows(path)) if row not in flagged)
    write_whole(out, "".join(lines).encode())
    for finding in result.open_findings:
        console.print(f"• {finding.sentence}  [dim]{finding.kind} {finding.fingerprint}[/dim]", highlight=False)
    console.print(f"{rows:,} rows, {len(flagged):,} flagged, {len(result.open_findings)} findings", highlight=False)
    verdict = "inconclusive" if result.missing else "pass" if result.clean else "fail"
    context.exit(stage.finish(verdict, rows, body, report, as_json))


@dataclass(slots=True)
class _Asked:
    """The base model, loaded when it is first asked: most clean files never need it."""

    base: Path | None
    _model: "LanguageModel | None" = field(default=None)

    def score(self, pairs: Sequence[tuple[list[dict[str, str]], str]]) -> list[np.ndarray]:
        from resources.language_model import LanguageModel, base_path

        if self._model is None:
            self._model = LanguageModel.load(base_path(self.base, Workspace.locate().models))
        return self._model.score(pairs)


def _reader(path: Path) -> Callable[[], Iterator[Record]]:
    return lambda: (outcome.record for outcome in read_rows(path) if outcome.fate == "passed")


def _line(record: Record) -> str:
    return json.dumps(record.fields, ensure_ascii=False) + "\n"


def _report(result: ScreenResult, rejected: dict[int, Outcome]) -> tuple[dict[str, Any], int]:
    """The report's content with rows numbered as in the input, unreadable rows included; and the number of rows."""
    body = result.to_json()
    readable = (row for row in range(len(body["rows"]) + len(rejected)) if row not in rejected)
    number = dict(enumerate(readable))
    for row in body["rows"]:
        row["row"] = number[row["row"]]
    for finding in body["findings"]:
        finding["rows"] = [number[row] for row in finding["rows"]]
    for row, outcome in rejected.items():
        rule = outcome.removal.rule if outcome.removal else ""
        body["rows"].append({"row": row, "flagged": True, "score": 1.0, "reasons": [f"unreadable:{rule}"]})
    body["rows"].sort(key=lambda row: row["row"])
    return body, len(body["rows"])
