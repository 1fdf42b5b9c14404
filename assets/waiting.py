"""What waits for a person: quarantined rows and open findings, with masked evidence, and their text on demand.

Artefacts never change, so what waits in one is read once and kept (``Queue``); a row's text is read from its file only
when somebody asks for it. Whether a decision has been taken already is said elsewhere: by the log (``assets.review``).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from assets.outcome import Removal, names_of, read_lines
from assets.record import Record
from resources.artifacts import Artifact, ArtifactStore
from resources.errors import UsageError
from resources.line_cipher import LineCipher

STAGES = ("validated_records", "sanitized_records", "screened_records")
SEALED = ("validated_records",)  # their rows are encrypted at rest: not yet sanitised
SHORTEST = 4  # digits of a name


@dataclass(frozen=True, slots=True)
class Item:
    """Something that waits. ``name`` is the row's id or the finding's fingerprint.

    ``line`` is the row's place in ``file``, from 0; -1 for a finding, which has ``rows`` rows. ``finding`` is the
    fingerprint of the open finding that explains a row; such a row waits for a word on its finding, not on itself.
    """

    name: str
    stage: str
    drop: str
    rule: str
    reason: str
    evidence: str
    rows: int
    file: Path
    line: int = -1
    finding: str = ""

    @property
    def is_row(self) -> bool:
        return self.line >= 0

    @property
    def readable(self) -> bool:
        """Whether the row's text may be shown: it has been sanitised."""
        return self.is_row and self.stage not in SEALED

    def record(self, cipher: LineCipher) -> Record:
        """The row itself, read from its file."""
        lines = read_lines(self.file, cipher if self.stage in SEALED else None, start=self.line)
        return Record.from_json({name: value for name, value in next(lines).items() if name != "removal"})


@dataclass(frozen=True, slots=True)
class Shelf:
    """What waits of one stage and drop. ``explained`` are the rows of the open findings."""

    findings: tuple[Item, ...]
    rows: tuple[Item, ...]
    explained: tuple[Item, ...]

    @classmethod
    def of(cls, artifact: Artifact, cipher: LineCipher) -> "Shelf":
        stage, drop = artifact.manifest.stage, artifact.manifest.partition
        files = [artifact.path(name) for name in names_of(artifact.manifest.files, "quarantined")]
        findings = tuple(
            Item(each["fingerprint"], stage, drop, each["kind"], each["sentence"], "", each["rows"], artifact.folder)
            for each in artifact.manifest.details.get("open", ())
        )
        open_ = {item.name for item in findings}
        rows: list[Item] = []
        explained: list[Item] = []
        for file in files:
            for line, body in enumerate(read_lines(file, cipher if stage in SEALED else None)):
                removal, name = Removal(**body["removal"]), body["row_id"]
                finding = removal.fingerprint if removal.fingerprint in open_ else ""
                item = Item(name, stage, drop, removal.rule, removal.reason, removal.evidence, 1, file, line, finding)
                (explained if finding else rows).append(item)
        return cls(findings, tuple(rows), tuple(explained))


class Queue:
    """Everything that waits in a workspace. What was read of an artefact is kept; a new artefact is read anew."""

    def __init__(self, store: ArtifactStore, cipher: LineCipher) -> None:
        self._store, self._cipher = store, cipher
        self._kept: dict[tuple[str, str], tuple[str, Shelf]] = {}

    def shelves(self) -> Iterator[Shelf]:
        """Stage by stage and drop by drop."""
        for stage in STAGES:
            for drop in self._store.partitions(stage):
                artifact = self._store.current(stage, drop)
                assert artifact is not None
                key = artifact.manifest.key
                known = self._kept.get((stage, drop))
                if known is None or known[0] != key:
                    known = self._kept[stage, drop] = (key, Shelf.of(artifact, self._cipher))
                yield known[1]

    def items(self) -> Iterator[Item]:
        """Open findings first, then quarantined rows that no open finding explains, drop by drop."""
        for shelf in self.shelves():
            yield from shelf.findings
            yield from shelf.rows

    def explained(self, finding: str) -> list[Item]:
        """The rows of an open finding, in every drop."""
        return [row for shelf in self.shelves() for row in shelf.explained if row.finding == finding]

    def records(self, items: Iterable[Item]) -> list[tuple[Item, Record]]:
        """The rows behind some items, in their order."""
        return [(item, item.record(self._cipher)) for item in items]


def find(items: Iterable[Item], name: str) -> Item:
    """The item whose name starts with ``name``."""
    matching = [item for item in items if len(name) >= SHORTEST and item.name.startswith(name)]
    if len({item.name for item in matching}) != 1:
        problem = "nothing that waits is called" if not matching else "several things that wait are called"
        raise UsageError(f"{problem} {name}; `hallmark review list` shows the queue")
    return matching[0]
