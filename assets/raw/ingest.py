"""From a drop's objects to rows: fetch, check against the manifest, parse, one outcome for everything that came.

An object that gives no rows of its own (unreadable, a duplicate, not what the manifest says) is one rejected outcome at
line 0. One that may have held rows which nobody can count is an unusable object, which a gate of its own judges.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from assets.outcome import Outcome, Removal
from assets.raw.drops import Drop, ListedObject
from assets.raw.formats import DAMAGE, STAGE, count_rows, read_rows
from assets.raw.reading import Reading
from assets.record import METADATA_FIELDS, Origin, Record, row_id
from resources.artifacts import Metric
from resources.digests import digest_bytes, digest_json
from resources.errors import InputError
from resources.object_store import ObjectInfo, ObjectStore, changed


@dataclass(frozen=True, slots=True)
class ReadObject:
    """What became of one object. ``fault`` is the rule that stopped it, if one did.

    ``rows`` counts its outcomes, ``owed`` the rows that a count without the parsers finds, where one can be made.
    """

    key: str
    version: str
    sha256: str
    size: int
    rows: int
    fault: str = ""
    owed: int | None = None


# Nothing is lost with an object that is empty, or whose bytes were read under another name.
HARMLESS = frozenset({"", "empty-object", "duplicate-object"})


@dataclass(slots=True)
class RawReport:
    """Filled while a drop is ingested."""

    objects: list[ReadObject] = field(default_factory=list)

    def metrics(self) -> dict[str, Metric]:
        """``unusable_objects`` and ``objects``, over the objects of the drop.

        ``unaccounted_rows`` is conservation against an independent count, over the objects that allow one.
        """
        unusable = sum(1 for entry in self.objects if entry.fault not in HARMLESS)
        counted = [entry for entry in self.objects if entry.owed is not None]
        gone = sum(abs(entry.rows - (entry.owed or 0)) for entry in counted)
        return {
            "unaccounted_rows": Metric(gone, len(counted)),
            "unusable_objects": Metric(unusable, len(self.objects)),
            "objects": Metric(len(self.objects)),
        }


def ingest(
    store: ObjectStore,
    drop: Drop,
    spool: Path,
    report: RawReport | None = None,
    known: Mapping[str, str] | None = None,
    reading: Reading = Reading(),  # noqa: B008 (frozen)
) -> Iterator[Outcome]:
    """Stream the outcomes of a drop, object by object in order of key.

    ``spool`` is a scratch folder; it holds one object at a time. ``known`` are the objects of other drops by SHA-256,
    each with the words that name it: the same bytes are taken once. ``reading`` is the policy's; the manifest goes
    before it. Raises ``InputError`` for a drop that is not what
    its manifest promises as a whole, ``StoreError`` if the store fails or the drop changes while it is read.
    """
    report = report if report is not None else RawReport()
    promised = _promised(drop)
    first_with: dict[str, str] = dict(known or {})
    for info in drop.objects:
        head = store.head(info.key)
        if head is None:
            raise changed(store.uri, info.key)
        entry = promised.get(info.key)
        said = Reading.of_metadata(head.metadata, info.key).over(drop.manifest.reading.over(reading))
        reader = _Reader(drop, info, head.version, entry, entry.reading.over(said) if entry else said)
        fault = reader.refusal(bool(promised))
        target = (
            spool / f"{digest_json([info.key, info.etag])[:16]}{''.join(PurePosixPath(info.key).suffixes[-2:])[-24:]}"
        )
        sha256, owed = "", None
        try:
            if not fault:
                sha256 = store.fetch(info, target).sha256
                fault = reader.mismatch(sha256) or _duplicate(first_with.setdefault(sha256, info.key), info.key)
            if fault:
                yield reader.refused(fault)
            else:
                yield from reader.rows(target, head.metadata)
                owed = None if reader.damage else count_rows(target, info.key, reader.reading.encoding)
        finally:
            target.unlink(missing_ok=True)
        rule = fault.rule if fault else reader.damage
        report.objects.append(ReadObject(info.key, head.version, sha256, info.size, reader.count, rule, owed))


def _promised(drop: Drop) -> dict[str, ListedObject]:
    """The manifest's entries by full key; ``InputError`` if the drop as a whole breaks the promise."""
    if drop.fault:
        raise InputError(f"the drop {drop.fault}", object_key=drop.name, rule="drop-manifest")
    promised = {drop.folder + entry.key: entry for entry in drop.manifest.objects}
    missing = sorted(promised.keys() - {info.key for info in drop.objects})
    if missing:
        message = f"the manifest lists {len(missing)} objects that are not there, {missing[0]} the first"
        raise InputError(message, object_key=drop.name, rule="drop-incomplete")
    return promised


def _duplicate(first: str, key: str) -> Removal | None:
    return None if first == key else Removal(STAGE, "duplicate-object", f"holds the same bytes as {first}")


@dataclass(slots=True)
class _Reader:
    """Outcomes of one object."""

    drop: Drop
    info: ObjectInfo
    version: str
    entry: ListedObject | None
    reading: Reading
    count: int = 0
    damage: str = ""

    def refusal(self, manifest_lists: bool) -> Removal | None:
        if manifest_lists and self.entry is None:
            return Removal(STAGE, "unlisted-object", "is in the drop's folder but not in its manifest")
        return None

    def mismatch(self, sha256: str) -> Removal | None:
        if self.entry and self.entry.sha256 not in ("", sha256):
            return Removal(STAGE, "digest-mismatch", "does not have the SHA-256 that the manifest gives for it")
        return None

    def rows(self, path: Path, own: Mapping[str, str]) -> Iterator[Outcome]:
        """The object's rows; metadata of the object itself goes before the manifest's entry and the manifest's own."""
        said = self.drop.manifest.metadata() | (self.entry.metadata() if self.entry else {})
        said |= {name: own[name] for name in METADATA_FIELDS if own.get(name)}
        outcomes = read_rows(
            path,
            object_key=self.info.key,
            version=self.version,
            drop=self.drop.partition,
            defaults=said,
            reading=self.reading,
        )
        try:
            for outcome in outcomes:
                self.count += 1
                if outcome.removal and outcome.removal.rule in DAMAGE:
                    self.damage = outcome.removal.rule
                yield outcome
        except InputError as error:
            self.damage = error.rule
            yield self.refused(Removal(STAGE, error.rule, str(error)))

    def refused(self, removal: Removal) -> Outcome:
        """The object as one rejected outcome."""
        self.count += 1
        name = digest_json([self.info.key, self.info.etag])
        origin = Origin(self.info.key, self.version, 0, digest_bytes(b""), self.drop.partition)
        return Outcome(Record(row_id(name, 0), {}, origin), "rejected", removal)
