"""From a drop's objects to rows: fetch, check against the manifest, parse, one outcome for everything that came.

A drop of kind feedback must be signed (``assets.feedback``): else each of its objects is rejected, by a rule that says
whether nobody signed it or what was signed is not this.

An object that gives no rows of its own (unreadable, a duplicate, not what the manifest says) is one rejected outcome at
line 0. One that may have held rows which nobody can count is an unusable object, which a gate of its own judges.
"""

import dataclasses
import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Self

from assets.feedback import Signed, UnsignedFeedback, prove_feedback
from assets.outcome import Outcome, Removal
from assets.raw.drops import Drop, ListedObject
from assets.raw.formats import DAMAGE, STAGE, count_rows, read_lines_from, read_rows
from assets.raw.layout import LEAST_ROW, ROW_BYTES, ROWS, Part, Piece, Scanned, packed, scan
from assets.raw.reading import Reading
from assets.record import METADATA_FIELDS, Origin, Record, row_id
from resources.artifacts import Metric
from resources.digests import digest_bytes, digest_json
from resources.errors import InputError, IntegrityError
from resources.object_store import ObjectHead, ObjectInfo, ObjectStore, changed
from resources.signer import KeyRing


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

    @classmethod
    def merged(cls, parts: Iterable[Iterable[ReadObject]]) -> "RawReport":
        """Of all shards in order: an object that several of them read counts once, with the rows of all."""
        report = cls()
        for entry in itertools.chain.from_iterable(parts):
            if report.objects and report.objects[-1].key == entry.key:
                before = report.objects.pop()
                owed = None if before.owed is None or entry.owed is None else before.owed + entry.owed
                entry = dataclasses.replace(entry, rows=before.rows + entry.rows, owed=owed)  # noqa: PLW2901
            report.objects.append(entry)
        return report


def ingest(
    store: ObjectStore,
    drop: Drop,
    spool: Path,
    report: RawReport | None = None,
    known: Mapping[str, str] | None = None,
    reading: Reading = Reading(),  # noqa: B008 (frozen)
    ring: KeyRing = KeyRing((), {}),  # noqa: B008 (frozen)
) -> Iterator[Outcome]:
    """Stream the outcomes of a drop, object by object in order of key.

    ``spool`` is a scratch folder; it holds one object at a time. ``known`` are the objects of other drops by SHA-256,
    each with the words that name it: the same bytes are taken once. ``reading`` is the policy's; the manifest goes
    before it. ``ring`` is whom corrections are believed; by default nobody.
    Raises ``InputError`` for a drop that is not what its manifest promises as a whole, ``StoreError`` if the store
    fails or the drop changes while it is read.
    """
    report = report if report is not None else RawReport()
    promised = _promised(drop)
    signed = correction_proof(store, drop, ring)
    first_with: dict[str, str] = dict(known or {})
    for info in drop.objects:
        reader = _Reader.of(store, drop, info, promised, reading, signed)
        fault = reader.refusal(bool(promised))
        target = _spooled(spool, info)
        sha256, owed = "", None
        try:
            if not fault:
                sha256 = store.fetch(info, target).sha256
                fault = reader.mismatch(sha256) or _duplicate(first_with.setdefault(sha256, info.key), info.key)
            if fault:
                yield reader.refused(fault)
            else:
                yield from reader.rows(target)
                owed = None if reader.damage else count_rows(target, info.key, reader.reading.encoding)
        finally:
            target.unlink(missing_ok=True)
        report.objects.append(reader.told(sha256, fault, owed))


def plan_shards(
    store: ObjectStore,
    drop: Drop,
    known: Mapping[str, str] | None = None,
    reading: Reading = Reading(),  # noqa: B008 (frozen)
    rows: int = ROWS,
) -> list[list[Piece]]:
    """The drop in shards of some ``rows`` rows; one where it is small, or holds corrections. Raises as ``ingest`` does.

    Every object of a larger drop is read once, streamed: what it holds, whether it is what the manifest says, and
    whether the same bytes came before are decided here, for all shards.
    """
    promised = _promised(drop)
    whole = [Piece(info.key, info.etag, "") for info in drop.objects]
    if drop.kind == "feedback" or sum(info.size for info in drop.objects) <= rows * LEAST_ROW:
        return [whole]
    first_with: dict[str, str] = dict(known or {})

    def pieces() -> Iterator[tuple[Piece, int]]:
        for info in drop.objects:
            reader = _Reader.of(store, drop, info, promised, reading)
            fault, found = reader.refusal(bool(promised)), Scanned("")
            if not fault:
                found = scan(store.chunks(info), info.key, rows, reader.reading)
                sha256 = found.sha256
                fault = reader.mismatch(sha256) or _duplicate(first_with.setdefault(sha256, info.key), info.key)
            refused = (fault.rule, fault.reason) if fault else None
            if fault or len(found.parts) < 2:
                counted = found.parts[0].rows if found.parts else max(1, info.size // ROW_BYTES)
                yield Piece(info.key, info.etag, found.sha256, refused=refused), 1 if fault else counted
            else:
                for part in found.parts:
                    yield Piece(info.key, info.etag, found.sha256, part), part.rows

    return list(packed(pieces(), rows))


def ingest_pieces(
    store: ObjectStore,
    drop: Drop,
    pieces: Iterable[Piece],
    spool: Path,
    report: RawReport,
    reading: Reading = Reading(),  # noqa: B008 (frozen)
) -> Iterator[Outcome]:
    """The outcomes of one shard, as ``ingest`` gives them; ``StoreError`` where an object is not the one planned."""
    promised, listed = _promised(drop), {info.key: info for info in drop.objects}
    for piece in pieces:
        info = listed[piece.key]
        reader = _Reader.of(store, drop, info, promised, reading)
        fault = Removal(STAGE, *piece.refused) if piece.refused else None
        target, owed = _spooled(spool, info), None
        try:
            if fault:
                yield reader.refused(fault)
            else:
                part = piece.part
                arrived = store.fetch(info, target, part.span if part else None).sha256
                if arrived != (part.sha256 if part else piece.sha256):
                    raise changed(store.uri, info.key)
                yield from reader.lines(target, part, piece.sha256) if part else reader.rows(target)
                if not reader.damage:
                    owed = part.rows if part else count_rows(target, info.key, reader.reading.encoding)
        finally:
            target.unlink(missing_ok=True)
        report.objects.append(reader.told(piece.sha256, fault, owed))


def _spooled(spool: Path, info: ObjectInfo) -> Path:
    return spool / f"{digest_json([info.key, info.etag])[:16]}{''.join(PurePosixPath(info.key).suffixes[-2:])[-24:]}"


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


def correction_proof(store: ObjectStore, drop: Drop, ring: KeyRing) -> Signed | Removal | None:
    """What a drop of corrections is signed as, or why it is refused; None for other drops."""
    if drop.kind != "feedback":
        return None
    try:
        return prove_feedback(store, drop, ring)
    except UnsignedFeedback as error:
        return Removal(STAGE, "feedback-unsigned", f"{drop.name} {error}")
    except IntegrityError as error:
        return Removal(STAGE, "feedback-signature", f"{drop.name}: {error}")


def _duplicate(first: str, key: str) -> Removal | None:
    return None if first == key else Removal(STAGE, "duplicate-object", f"holds the same bytes as {first}")


@dataclass(slots=True)
class _Reader:
    """Outcomes of one object."""

    drop: Drop
    info: ObjectInfo
    head: ObjectHead
    entry: ListedObject | None
    reading: Reading
    signed: Signed | Removal | None = None
    count: int = 0
    damage: str = ""

    @classmethod
    def of(
        cls,
        store: ObjectStore,
        drop: Drop,
        info: ObjectInfo,
        promised: Mapping[str, ListedObject],
        reading: Reading,
        signed: Signed | Removal | None = None,
    ) -> Self:
        head = store.head(info.key)
        if head is None:
            raise changed(store.uri, info.key)
        entry = promised.get(info.key)
        said = Reading.of_metadata(head.metadata, info.key).over(drop.manifest.reading.over(reading))
        return cls(drop, info, head, entry, entry.reading.over(said) if entry else said, signed)

    @property
    def version(self) -> str:
        return self.head.version

    def refusal(self, manifest_lists: bool) -> Removal | None:
        if isinstance(self.signed, Removal):
            return self.signed
        if manifest_lists and self.entry is None:
            return Removal(STAGE, "unlisted-object", "is in the drop's folder but not in its manifest")
        return None

    def mismatch(self, sha256: str) -> Removal | None:
        if self.entry and self.entry.sha256 not in ("", sha256):
            return Removal(STAGE, "digest-mismatch", "does not have the SHA-256 that the manifest gives for it")
        path = self.info.key.removeprefix(self.drop.folder)
        if isinstance(self.signed, Signed) and self.signed.digests.get(path) != sha256:
            return Removal(STAGE, "feedback-signature", f"is not what {self.signed.author} signed")
        return None

    def rows(self, path: Path) -> Iterator[Outcome]:
        """The rows of the object."""
        outcomes = read_rows(
            path,
            object_key=self.info.key,
            version=self.version,
            drop=self.drop.partition,
            defaults=self._said(),
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

    def lines(self, path: Path, part: Part, sha256: str) -> Iterator[Outcome]:
        """The rows of a part of the object, which has ``sha256``."""
        for outcome in read_lines_from(
            path,
            part.first_line,
            object_key=self.info.key,
            digest=sha256,
            version=self.version,
            drop=self.drop.partition,
            defaults=self._said(),
            reading=self.reading,
        ):
            self.count += 1
            yield outcome

    def told(self, sha256: str, fault: Removal | None, owed: int | None) -> ReadObject:
        rule = fault.rule if fault else self.damage
        return ReadObject(self.info.key, self.version, sha256, self.info.size, self.count, rule, owed)

    def _said(self) -> dict[str, str]:
        """Metadata for rows that say nothing: the object's own goes before the manifest's entry and the manifest's.

        The author of a correction is who signed it, whatever unsigned metadata says.
        """
        said, own = self.drop.manifest.metadata() | (self.entry.metadata() if self.entry else {}), self.head.metadata
        said |= {name: own[name] for name in METADATA_FIELDS if own.get(name)}
        return said | ({"author": self.signed.author} if isinstance(self.signed, Signed) else {})

    def refused(self, removal: Removal) -> Outcome:
        """The object as one rejected outcome."""
        self.count += 1
        name = digest_json([self.info.key, self.info.etag])
        origin = Origin(self.info.key, self.version, 0, digest_bytes(b""), self.drop.partition)
        return Outcome(Record(row_id(name, 0), {}, origin), "rejected", removal)
