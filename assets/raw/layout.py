"""How a drop is cut into shards: which lines of which objects each one reads.

An object of JSON Lines, uncompressed and in UTF-8, is cut behind any line: one pass over its bytes finds the places and
names the whole and every part by SHA-256. A compressed object, one in another encoding, a JSON array, CSV and Parquet
have no line that could be found without reading all before it: such an object is in one shard, whatever its size.
Small neighbours share a shard.

>>> scanned = scan([b'{"a": 1}\\n\\n{"a": 2}\\n', b'{"a": 3}'], "rows.jsonl", rows=2)
>>> [(part.span, part.first_line, part.rows) for part in scanned.parts]
[(Span(start=0, end=19), 1, 2), (Span(start=19, end=27), 4, 1)]
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

from assets.raw.formats import PROBE, format_of
from assets.raw.lines import BOM
from assets.raw.reading import Reading
from resources.errors import InputError
from resources.object_store import Span

ROWS = 250_000  # a shard, by default: some 100 MB of text, and minutes of one core
ROW_BYTES = 512  # what a row weighs where rows cannot be counted
LEAST_ROW = 16  # bytes; no drop is cut of which fewer bytes there are for each row of a shard


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes of an object that begin with line ``first_line`` and hold ``rows`` lines that are not blank."""

    span: Span
    first_line: int
    rows: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Scanned:
    """What one pass over an object found; no ``parts`` where it cannot be cut."""

    sha256: str
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Piece:
    """What a shard reads of one object: the ``part``, or all of it. ``refused`` says by which rule nothing, and why."""

    key: str
    etag: str
    sha256: str
    part: Part | None = None
    refused: tuple[str, str] | None = None

    def to_json(self) -> dict[str, Any]:
        part = self.part
        cut = [part.span.start, part.span.end, part.first_line, part.rows, part.sha256] if part else None
        return {"key": self.key, "etag": self.etag, "sha256": self.sha256, "part": cut, "refused": self.refused}

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> "Piece":
        part = None
        if body["part"]:
            start, end, first_line, rows, sha256 = body["part"]
            part = Part(Span(start, end), first_line, rows, sha256)
        refused = tuple(body["refused"]) if body["refused"] else None
        return cls(body["key"], body["etag"], body["sha256"], part, refused)


def scan(chunks: Iterable[bytes], key: str, rows: int, reading: Reading = Reading()) -> Scanned:  # noqa: B008 (frozen)
    """Hash an object as it streams by, and cut it behind every ``rows`` lines if it can be cut."""
    whole, cutter = hashlib.sha256(), None
    head, told = b"", False
    for chunk in chunks:
        whole.update(chunk)
        if not told:
            head += chunk
            if len(head) < PROBE:
                continue
            told, chunk, head = True, head, b""  # noqa: PLW2901 (what was held back goes first)
            cutter = _Cutter(rows) if _cuttable(chunk, key, reading) else None
        if cutter:
            cutter.feed(chunk)
    if not told and head and _cuttable(head, key, reading):
        cutter = _Cutter(rows)
        cutter.feed(head)
    return Scanned(whole.hexdigest(), cutter.finish() if cutter else ())


def _cuttable(head: bytes, key: str, reading: Reading) -> bool:
    if head.startswith(b"\x1f\x8b") or not reading.is_utf8:
        return False
    try:
        return format_of(PurePath(key), head[:PROBE], key) == "jsonl"
    except InputError:  # the reader says what is wrong with it
        return False


@dataclass(slots=True)
class _Cutter:
    """Counts lines that are not blank; a line is one when its newline, or the end, has been seen."""

    rows: int
    parts: list[Part] = field(default_factory=list)
    place: int = 0  # of the next byte
    start: int = 0
    line: int = 1  # the number of the line that the next byte belongs to
    first_line: int = 1
    count: int = 0
    blank: bool = True
    _hash: Any = field(default_factory=hashlib.sha256)

    def feed(self, chunk: bytes) -> None:
        begin = at = 0
        if self.place == 0 and chunk.startswith(BOM):
            at = len(BOM)
        while (end := chunk.find(b"\n", at)) >= 0:
            self.count += not (self.blank and not chunk[at:end].strip())
            self.blank, at = True, end + 1
            self.line += 1
            if self.count == self.rows:
                self._hash.update(chunk[begin:at])
                self._cut(self.place + at)
                begin = at
        self.blank = self.blank and not chunk[at:].strip()
        self._hash.update(chunk[begin:])
        self.place += len(chunk)

    def finish(self) -> tuple[Part, ...]:
        self.count += not self.blank
        if self.count:
            self._cut(self.place)
        return tuple(self.parts)

    def _cut(self, end: int) -> None:
        self.parts.append(Part(Span(self.start, end), self.first_line, self.count, self._hash.hexdigest()))
        self.start, self.first_line, self.count, self._hash = end, self.line, 0, hashlib.sha256()


def packed(pieces: Iterable[tuple[Piece, int]], rows: int) -> Iterator[list[Piece]]:
    """Pieces, each with about how many rows it has, into shards of ``rows`` rows, in order."""
    shard: list[Piece] = []
    held = 0
    for piece, weight in pieces:
        if shard and held + weight > rows:
            yield shard
            shard, held = [], 0
        shard.append(piece)
        held += weight
    if shard:
        yield shard
