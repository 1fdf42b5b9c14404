"""The envelope of every stage command: the report's first keys, its exit status, and progress on stderr."""

import contextlib
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from resources.artifacts import write_whole
from resources.digests import digest_file, digest_json, digest_tree
from resources.errors import UsageError

EXIT = {"pass": 0, "fail": 1, "inconclusive": 3}
console = Console(stderr=True)


@dataclass(slots=True)
class StageReport:
    """Times a stage command and writes its report. ``path`` is the input whose digest the report names."""

    tool: str
    path: Path
    _start: float = field(default_factory=time.time)

    def body(self, verdict: str, rows: int, content: dict[str, Any]) -> dict[str, Any]:
        digest = digest_json(digest_tree(self.path)) if self.path.is_dir() else digest_file(self.path)
        return {
            "tool": self.tool,
            "version": version("hallmark"),
            "verdict": verdict,
            "started_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self._start)),
            "seconds": round(time.time() - self._start, 3),
            "input": {"path": str(self.path), "sha256": digest, "rows": rows},
            **content,
        }

    def finish(self, verdict: str, rows: int, content: dict[str, Any], report: Path | None, as_json: bool) -> int:
        """Write and print the report; return the exit status of the verdict."""
        body = json.dumps(self.body(verdict, rows, content), indent=1, ensure_ascii=False)
        if report:
            write_whole(report, body.encode() + b"\n")
        if as_json:
            sys.stdout.write(body + "\n")
        return EXIT[verdict]


def keep_apart(read: Iterable[Path | None], written: Iterable[Path | None]) -> None:
    """``UsageError`` where a file that is read would be overwritten, or two outputs go into one file."""
    taken = {path.resolve() for path in read if path}
    for path in filter(None, written):
        if path.resolve() in taken and (path.is_file() or not path.exists()):  # /dev/null takes any number
            raise UsageError(f"{path} is named twice: what is read is never overwritten, and a file takes one output")
        taken.add(path.resolve())


@contextlib.contextmanager
def whole_text(path: Path) -> Iterator[IO[str]]:
    """A text file that appears under its name only when it is whole; what is no file, like /dev/null, is written to."""
    if path.exists() and not path.is_file():
        with path.open("w", encoding="utf-8", errors="backslashreplace") as stream:
            yield stream
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with partial.open("w", encoding="utf-8", errors="backslashreplace") as stream:
            yield stream
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


@contextlib.contextmanager
def progress() -> Iterator[Progress]:
    """A progress display on stderr; a line now and then where stderr is no terminal."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as display:
        yield display
