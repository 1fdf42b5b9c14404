"""SARIF, the form in which code scanners tell their findings: a log of one run, written as it is found.

Static Analysis Results Interchange Format 2.1.0 (OASIS Standard, 2020-03-27). A result names its rule, a place in a
file, and a fingerprint by which a later run is known to have found the same. Results are kept on disk until the log
is written. ``helpUri`` is left out: it must be an absolute address (section 3.49.12), and the documentation is read
where it was built; the help text names the page.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

import click

from pipelines.report import whole_text
from resources.spool import Spool

Level = Literal["error", "warning", "note"]
SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"  # names the format; nothing reads it at run time
ROOT = "%SRCROOT%"  # what paths are relative to: where the command was called
sarif_option = click.option(
    "--sarif",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the findings go as SARIF 2.1.0, for code scanning: rule, line, fingerprint, never a value.",
)
MOST_PLACES = 200  # further places of one result


@dataclass(frozen=True, slots=True)
class Rule:
    """``id`` is stable; ``title`` says what was found, ``help`` what to do; ``page`` is the page of docs/ on it."""

    id: str
    title: str
    help: str
    page: str
    level: Level = "warning"


@dataclass(frozen=True, slots=True)
class Place:
    """A file, or a line of it (1-based; of a Parquet file the row). Line 0 is the file as a whole."""

    path: Path
    line: int = 0


@dataclass(frozen=True, slots=True)
class Result:
    """``message`` is masked; ``fingerprint`` is the same in a later run. ``places``: first where it is shown, then the
    others. ``accepted``: a person has said that it is fine."""

    rule: Rule
    message: str
    places: tuple[Place, ...]
    fingerprint: str
    accepted: bool = False


@dataclass(slots=True)
class Log:
    """The log of one run of ``tool``, a command of Hallmark."""

    tool: str
    _rules: dict[str, tuple[int, Rule]] = field(default_factory=dict)
    _results: Spool = field(default_factory=Spool)

    def add(self, result: Result) -> None:
        index, rule = self._rules.setdefault(result.rule.id, (len(self._rules), result.rule))
        first, *others = result.places
        body: dict[str, Any] = {
            "ruleId": rule.id,
            "ruleIndex": index,
            "level": rule.level,
            "message": {"text": result.message},
            "locations": [_location(first)],
            "partialFingerprints": {"hallmark/v1": result.fingerprint},
        }
        if others:
            body["relatedLocations"] = [
                {"id": number, **_location(place)} for number, place in enumerate(others[:MOST_PLACES], start=1)
            ]
        if result.accepted:
            body["suppressions"] = [{"kind": "external", "status": "accepted"}]
        self._results.append(body)

    def write(self, path: Path, status: int, unproven: Sequence[str] = ()) -> None:
        """``status``: what the command ends with. ``unproven``: why nothing found is no proof, a sentence each."""
        notes = [{"level": "warning", "message": {"text": text}} for text in unproven]
        head = {
            "tool": {"driver": {"name": "hallmark", "version": version("hallmark"), "rules": self._described()}},
            "automationDetails": {"id": f"hallmark/{self.tool}/"},
            "invocations": [
                {"executionSuccessful": True, "exitCode": status, "toolExecutionNotifications": notes},
            ],
        }
        with whole_text(path) as stream:
            stream.write(f'{{"$schema": {json.dumps(SCHEMA)}, "version": "2.1.0", "runs": [\n')
            stream.write(json.dumps(head, ensure_ascii=False).removesuffix("}") + ',\n"results": [')
            for at, line in enumerate(self._results.lines()):
                stream.write(f"{',' if at else ''}\n{line}")
            stream.write("\n]}]}\n")

    def _described(self) -> list[dict[str, Any]]:
        return [
            {
                "id": rule.id,
                "shortDescription": {"text": rule.title},
                "help": {"text": f"{rule.help} More: docs/{rule.page}"},
                "defaultConfiguration": {"level": rule.level},
                "properties": {"tags": ["security"]},
            }
            for _, rule in self._rules.values()
        ]


def _location(place: Place) -> dict[str, Any]:
    body: dict[str, Any] = {"artifactLocation": _artifact(place.path)}
    if place.line:
        body["region"] = {"startLine": place.line}
    return {"physicalLocation": body}


def _artifact(path: Path) -> dict[str, str]:
    """Relative to where the command was called, so that a forge finds the file in its checkout; else absolute."""
    relative = Path(os.path.relpath(path))
    if relative.parts[:1] == ("..",):
        return {"uri": path.resolve().as_uri()}
    return {"uri": quote(os.fsencode(relative.as_posix())), "uriBaseId": ROOT}
