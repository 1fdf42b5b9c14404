"""Where stages keep what they make: folders that are whole or absent, found again by what went into them.

A stage asks ``find`` for the artefact of its inputs; if there is none it opens a ``draft``, writes files into it and
``seal``s it. Sealing hashes every file, writes ``manifest.json`` last and moves the folder into place in one rename, so
that a reader sees a whole artefact or none (law 10). A killed draft stays in ``.drafts/<key>`` and is offered again to
the next attempt, which may resume from what it finds there or start over.

Layout below the root::

    <stage>/<partition>/<key>/manifest.json      a sealed artefact; key = digest of stage, code version and inputs
    <stage>/<partition>/current                  the key of the artefact that counts
    .drafts/<key>/  .drafts/<key>.json           work in progress, and what it is
"""

import contextlib
import dataclasses
import json
import math
import os
import shutil
import time
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from resources.digests import canonical_json, digest_file, digest_json
from resources.errors import IntegrityError, StoreError

MANIFEST = "manifest.json"
RESTED = 1_000_000_000  # nanoseconds; coarser than the clock of any file system in use
WHOLE = "all"  # the partition of an artefact that has none


@dataclass(frozen=True, slots=True)
class Metric:
    """One measured number. ``missing`` says why there is none or why it proves nothing (an inconclusive verdict)."""

    value: float | None
    n: int | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    missing: str = ""

    def storable(self) -> "Metric":
        """Without NaN and infinities, which JSON has no word for: they become None, which no gate passes."""
        numbers = {name: getattr(self, name) for name in ("value", "ci_low", "ci_high")}
        absent = {name: None for name, number in numbers.items() if number is not None and not math.isfinite(number)}
        return dataclasses.replace(self, **absent)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Counts:
    """The conservation law: ``rows_in == passed + quarantined + rejected``."""

    rows_in: int
    passed: int
    quarantined: int
    rejected: int

    @property
    def conserved(self) -> bool:
        return self.rows_in == self.passed + self.quarantined + self.rejected


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an artefact is: pure data, written last. ``digest`` covers everything but ``created_at`` and ``seconds``."""

    stage: str
    partition: str
    key: str
    code_version: str
    inputs: dict[str, str]
    files: dict[str, str]
    metrics: dict[str, Metric]
    counts: Counts | None
    details: dict[str, Any]
    created_at: str = ""
    seconds: float = 0.0

    @property
    def digest(self) -> str:
        body = dataclasses.asdict(self)
        del body["created_at"], body["seconds"]
        return digest_json(body)

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> "Manifest":
        values = dict(body)
        values["metrics"] = {name: Metric(**metric) for name, metric in body["metrics"].items()}
        values["counts"] = Counts(**body["counts"]) if body["counts"] else None
        return cls(**values)


# What this process has hashed: by folder, the digest of the manifest and a stamp of every file. A process hashes an
# artefact once; a write, a rename or a new file changes a stamp (``st_ctime`` cannot be set back), and it hashes again.
_VERIFIED: dict[Path, tuple[str, frozenset[tuple[str, int, int, int]]]] = {}


@dataclass(frozen=True, slots=True)
class Artifact:
    """``fetch`` brings a file of this artefact here, proven against the manifest; None where all of them are here."""

    folder: Path
    manifest: Manifest
    fetch: Callable[[str], None] | None = field(default=None, compare=False, repr=False)

    def path(self, name: str) -> Path:
        path = self.folder / name
        if self.fetch and name in self.manifest.files and not path.exists():
            self.fetch(name)
        return path

    def verify(self, only: Collection[str] | None = None) -> None:
        """Prove every file against the manifest, or ``only`` those; ``IntegrityError`` lists each difference.

        A process hashes a file once, and again when it may have changed.
        """
        if only is not None:
            recorded = {name: self.manifest.files[name] for name in only}
            self._compare(recorded, {name for name in only if self.path(name).is_file()})
            return
        for name in self.manifest.files:
            self.path(name)
        stamp = (self.manifest.digest, self._stamps())
        if _VERIFIED.get(self.folder) == stamp:
            return
        self._hash_all()
        # Nothing was written while it was read, nor so shortly before that a second write would bear the same time.
        newest = max((ctime for *_, ctime in stamp[1]), default=0)
        if self._stamps() == stamp[1] and time.time_ns() - newest > RESTED:
            _VERIFIED[self.folder] = stamp

    def _stamps(self) -> frozenset[tuple[str, int, int, int]]:
        found = ((path, path.stat()) for path in self.folder.rglob("*") if path.is_file())
        return frozenset((str(path), at.st_size, at.st_ino, at.st_ctime_ns) for path, at in found)

    def _hash_all(self) -> None:
        present = {path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*") if path.is_file()}
        self._compare(self.manifest.files, present)

    def _compare(self, recorded: Mapping[str, str], present: set[str]) -> None:
        differences = [f"missing: {name}" for name in sorted(recorded.keys() - present)]
        differences += [f"unexpected: {name}" for name in sorted(present - recorded.keys() - {MANIFEST})]
        differences += [
            f"changed: {name}"
            for name in sorted(recorded.keys() & present)
            if digest_file(self.folder / name) != recorded[name]
        ]
        if differences:
            message = (
                f"{self.folder} is not what its manifest records; find out why, then remove it to have it made again"
            )
            raise IntegrityError(message, tuple(differences))


@dataclass(slots=True)
class Draft:
    """An artefact being made. ``resumed`` says that an earlier attempt left files here."""

    folder: Path
    resumed: bool
    _owner: "ArtifactStore"
    _plan: dict[str, Any]
    _started: float = field(default_factory=time.monotonic)
    _adopted: dict[str, str] = field(default_factory=dict)

    def path(self, name: str) -> Path:
        target = self.folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        return target

    def clear(self) -> None:
        """Drop what an earlier attempt left, for a stage that cannot go on from a part of it."""
        if self.resumed:
            shutil.rmtree(self.folder)
            self.folder.mkdir()

    def discard(self) -> None:
        """Nothing is to be made here after all."""
        shutil.rmtree(self.folder)
        _note(self.folder).unlink(missing_ok=True)

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        """An empty folder for what is not to be kept. It has the draft's name, so that what an attempt that was killed
        left in it goes with the next one.
        """
        folder = self.folder.with_name(f"{self.folder.name}.scratch")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        try:
            yield folder
        finally:
            shutil.rmtree(folder)

    def adopt(self, artifact: "Artifact", name: str, as_name: str) -> None:
        """Take over a file of a sealed artefact under another name, without a copy where the file system can.

        A file that is not on this machine stays where it is: its content is named by its digest.
        """
        self._adopted[as_name] = artifact.manifest.files[name]
        source = artifact.folder / name
        if source.exists():
            target = self.path(as_name)
            target.unlink(missing_ok=True)
            try:
                os.link(source, target)
            except OSError:  # another file system, or one without links
                shutil.copyfile(source, target)

    def write_json(self, name: str, value: Any) -> None:
        self.path(name).write_bytes(canonical_json(value) + b"\n")

    def seal(
        self,
        *,
        metrics: Mapping[str, Metric] | None = None,
        counts: Counts | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> Artifact:
        """Hash, write the manifest, move into place, make current. ``details`` is small JSON: no rows, no PII."""
        present = (path for path in sorted(self.folder.rglob("*")) if path.is_file() and path.name != MANIFEST)
        names = {path.relative_to(self.folder).as_posix(): path for path in present}
        files = {name: digest_file(path) for name, path in names.items() if name not in self._adopted} | self._adopted
        manifest = Manifest(
            **self._plan,
            files=files,
            metrics={name: metric.storable() for name, metric in (metrics or {}).items()},
            counts=counts,
            details=dict(details or {}),
            created_at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            seconds=round(time.monotonic() - self._started, 3),
        )
        return self._owner._promote(self.folder, manifest)


class ArtifactStore:
    """The artefacts below one root folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @staticmethod
    def key(stage: str, code_version: str, inputs: Mapping[str, str]) -> str:
        return digest_json([stage, code_version, dict(inputs)])[:32]

    def find(self, stage: str, partition: str, code_version: str, inputs: Mapping[str, str]) -> Artifact | None:
        """The sealed artefact made from exactly these inputs by this code, or None."""
        return self.get(stage, partition, self.key(stage, code_version, inputs))

    def get(self, stage: str, partition: str, key: str) -> Artifact | None:
        """The sealed artefact of that key, or None."""
        return self.read(self.root / stage / partition / key)

    def every(self, stage: str, partition: str = WHOLE) -> list[Artifact]:
        """Every sealed artefact of a stage and partition, current or not, in no order."""
        keys = (path.parent.name for path in (self.root / stage / partition).glob(f"*/{MANIFEST}"))
        return [found for key in keys if (found := self.get(stage, partition, key))]

    def current(self, stage: str, partition: str = WHOLE) -> Artifact | None:
        """The artefact that counts for this stage and partition, or None if none was ever sealed."""
        pointer = self.root / stage / partition / "current"
        return self.read(pointer.parent / pointer.read_text().strip()) if pointer.exists() else None

    def partitions(self, stage: str) -> list[str]:
        """The partitions that have a current artefact of this stage, sorted."""
        return sorted(pointer.parent.name for pointer in (self.root / stage).glob("*/current"))

    @contextlib.contextmanager
    def draft(
        self, stage: str, partition: str, code_version: str, inputs: Mapping[str, str], patience: float = 0
    ) -> Iterator[Draft]:
        """A folder to write into, held by a lock; a second writer of the same key gets ``StoreError``.

        It waits ``patience`` seconds for the first, and must then look whether that one has sealed the artefact.
        If the block ends without ``seal`` the files stay, so that a later attempt can resume.
        """
        key = self.key(stage, code_version, inputs)
        folder = self.root / ".drafts" / key
        folder.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(f"{folder}.lock")
        try:
            lock.acquire(timeout=patience)
        except Timeout:
            raise StoreError(f"{stage} {partition} is being made by another process; wait for it to finish") from None
        try:
            resumed = folder.exists()
            folder.mkdir(exist_ok=True)
            plan = {
                "stage": stage,
                "partition": partition,
                "key": key,
                "code_version": code_version,
                "inputs": dict(inputs),
            }
            write_whole(_note(folder), canonical_json(plan))  # what a killed draft was
            yield Draft(folder, resumed, self, plan)
        finally:
            lock.release()

    def use(self, artifact: Artifact) -> None:
        """Make an existing artefact the current one of its stage and partition."""
        pointer = artifact.folder.parent / "current"
        write_whole(pointer, artifact.manifest.key.encode())

    def _promote(self, folder: Path, manifest: Manifest) -> Artifact:
        write_whole(folder / MANIFEST, canonical_json(dataclasses.asdict(manifest)) + b"\n")
        home = self.root / manifest.stage / manifest.partition / manifest.key
        home.parent.mkdir(parents=True, exist_ok=True)
        if home.exists():  # only an unreadable one gets here: find() would have returned a whole one
            shutil.rmtree(home)
        folder.rename(home)
        _note(folder).unlink(missing_ok=True)
        artifact = Artifact(home, manifest)
        self.use(artifact)
        return artifact

    @staticmethod
    def read(folder: Path) -> Artifact | None:
        """The artefact in a folder, or None; ``IntegrityError`` if its manifest is not readable."""
        try:
            body = json.loads((folder / MANIFEST).read_bytes())
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise IntegrityError(f"{folder / MANIFEST} is not readable JSON") from error
        return Artifact(folder, Manifest.from_json(body))


def _note(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.json")


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that a reader sees the old content or the new, never a part; of several writers the last wins.

    What is no file, like /dev/null, is written to and never replaced.
    """
    if path.exists() and not path.is_file():
        path.write_bytes(data)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex}")  # no other thread, process or host has this name
    try:
        with partial.open("xb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise
