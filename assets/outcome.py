"""What a row stage says of each row, and the writer that keeps the conservation law.

A row stage is a generator from records to outcomes. ``write_outcomes`` streams them into the three files of a stage's
artefact and counts them::

    records.jsonl       rows that passed, as ``Record.to_json``
    quarantined.jsonl   rows a human may release, with stage, rule and reason
    rejected.jsonl      rows that cannot be used, with stage, rule and reason

Before personal data and secrets are removed, every line is written through a ``LineCipher`` (law 7).
"""

import contextlib
import dataclasses
import itertools
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from assets.record import Record
from resources.artifacts import Artifact, Counts
from resources.line_cipher import LineCipher

Fate = Literal["passed", "quarantined", "rejected"]
FILES: dict[Fate, str] = {
    "passed": "records.jsonl",
    "quarantined": "quarantined.jsonl",
    "rejected": "rejected.jsonl",
}


def names_of(files: Iterable[str], fate: Fate) -> list[str]:
    """Of an artefact's files those with the rows of a fate: one, or one a shard, in the order of the rows."""
    return sorted(name for name in files if name.rpartition("/")[2] == FILES[fate])


@dataclass(frozen=True, slots=True)
class Removal:
    """Why a row left. ``reason`` is a sentence; ``evidence`` is masked; ``fingerprint`` is keyed (law 7)."""

    stage: str
    rule: str
    reason: str
    evidence: str = ""
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A row and its fate. A row that did not parse has ``record.fields == {}`` and only its origin."""

    record: Record
    fate: Fate = "passed"
    removal: Removal | None = None

    def __post_init__(self) -> None:
        if (self.fate == "passed") != (self.removal is None):
            raise ValueError("a row leaves with a reason and stays without one")


def write_outcomes(
    folder: Path, outcomes: Iterable[Outcome], cipher: LineCipher | None = None
) -> tuple[Counts, dict[str, int]]:
    """Stream outcomes into ``folder``; return the counts and ``{rule: rows}`` of those that left.

    ``rows_in`` is what came out of the generator; the caller compares it with what it put in.
    """
    fates: Counter[Fate] = Counter()
    rules: Counter[str] = Counter()
    with contextlib.ExitStack() as stack:
        streams = {
            fate: stack.enter_context((folder / name).open("w", encoding="utf-8")) for fate, name in FILES.items()
        }
        for outcome in outcomes:
            fates[outcome.fate] += 1
            body = outcome.record.to_json()
            if outcome.removal:
                rules[outcome.removal.rule] += 1
                body["removal"] = dataclasses.asdict(outcome.removal)
            line = json.dumps(body, ensure_ascii=True)
            streams[outcome.fate].write((cipher.seal(line) if cipher else line) + "\n")
    counts = Counts(sum(fates.values()), fates["passed"], fates["quarantined"], fates["rejected"])
    return counts, dict(rules.most_common())


def read_lines(path: Path, cipher: LineCipher | None = None, *, start: int = 0) -> Iterator[dict[str, Any]]:
    """The JSON objects of a file written by ``write_outcomes``, streamed, from line ``start`` (0-based) on."""
    with path.open(encoding="utf-8") as stream:
        for line in itertools.islice(stream, start, None):
            yield json.loads(cipher.open(line) if cipher else line)


def removed(artifact: Artifact, fate: Fate, cipher: LineCipher | None = None) -> Iterator[dict[str, Any]]:
    """The rows of an artefact that left, each with its removal, streamed."""
    for name in names_of(artifact.manifest.files, fate):
        yield from read_lines(artifact.path(name), cipher)


def read_records(path: Path, cipher: LineCipher | None = None) -> Iterator[Record]:
    """The records of a file written by ``write_outcomes``, streamed."""
    return (Record.from_json(body) for body in read_lines(path, cipher))
