"""Which rows of a drop in shards an earlier row has said already, wherever in the drop that one is.

Every shard writes the identities of its rows into buckets by their first bits. Rows that say the same are in the same
bucket, so that buckets are judged one after another, each in bounded memory; within one the shards are read in order,
so that the first row wins, as it does where a drop is read in one piece.
"""

import json
import struct
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from assets.forms.conversation import FormFault
from assets.record import Record
from assets.validated.facts import identity
from assets.validated.identities import Identities

BUCKET_ROWS = 8_000_000  # rows of a bucket: at most some 500 MB while it is judged
ENTRY = struct.Struct("<QQI")  # low and high half of an identity, place of the row in its shard


def buckets_for(rows: int) -> int:
    return max(1, -(-rows // BUCKET_ROWS))


def bucket_file(bucket: int) -> str:
    return f"identities/{bucket:05d}.bin"


def write_identities(records: Iterable[Record], folder: Path, buckets: int) -> None:
    """The identities of a shard's rows in ``folder``, a file a bucket; a row whose form is broken has none."""
    (folder / "identities").mkdir(exist_ok=True)
    with ExitStack() as stack:
        files = [stack.enter_context((folder / bucket_file(bucket)).open("wb")) for bucket in range(buckets)]
        for place, record in enumerate(records):
            try:
                said = identity(record.conversation())
            except FormFault:
                continue
            low, high = said & (1 << 64) - 1, said >> 64
            files[(high >> 32) * buckets >> 32].write(ENTRY.pack(low, high, place))


def copies(shards: Sequence[Path], starts: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """``(shard, place, ordinal of the first row that says the same)`` of every copy in one bucket.

    ``shards`` are the bucket's files; ``starts`` the ordinals of the shards' first rows.
    """
    seen = Identities()
    for shard, (file, start) in enumerate(zip(shards, starts, strict=True)):
        for low, high, place in ENTRY.iter_unpack(file.read_bytes()):
            first = seen.first(high << 64 | low, start + place)
            if first != start + place:
                yield shard, place, first


@dataclass(slots=True)
class CopiesFound:
    """Collects the copies of every shard, 12 bytes each, and writes a file a shard."""

    shards: int
    places: "list[array[int]]" = field(init=False)
    firsts: "list[array[int]]" = field(init=False)

    def __post_init__(self) -> None:
        self.places = [array("I") for _ in range(self.shards)]
        self.firsts = [array("Q") for _ in range(self.shards)]

    def add(self, shard: int, place: int, first: int) -> None:
        self.places[shard].append(place)
        self.firsts[shard].append(first)

    def text(self, shard: int) -> str:
        found = sorted(zip(self.places[shard], self.firsts[shard], strict=True))
        return json.dumps(found)


@dataclass(frozen=True, slots=True)
class KnownCopies:
    """Stands where one piece has its ``Identities``: what was found of a shard, by ordinal in the drop."""

    firsts: Mapping[int, int]

    @classmethod
    def read(cls, path: Path, start: int) -> "KnownCopies":
        return cls({start + place: first for place, first in json.loads(path.read_bytes())})

    def first(self, identity: int, ordinal: int) -> int:
        return self.firsts.get(ordinal, ordinal)
