"""The rows of a file one at a time: a sequence that holds their places, 8 bytes each, and reads a row when asked.

For what looks at all rows of a corpus once and draws a few of them. Equal to the list of the same rows in everything
but memory, so that a draw by number gives the same rows.
"""

import json
from array import array
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import overload

from assets.record import Record

Keep = Callable[[Record], bool]


class RowFile(Sequence[Record]):
    """The rows of a ``records.jsonl``, or those of them that ``keep`` takes."""

    def __init__(self, path: Path, keep: Keep | None = None) -> None:
        self.path = path
        self._places = array("Q")
        place = 0
        with path.open("rb") as stream:
            for line in stream:
                if keep is None or keep(_record(line)):
                    self._places.append(place)
                place += len(line)

    def where(self, keep: Keep) -> "RowFile":
        found = RowFile.__new__(RowFile)
        found.path = self.path
        found._places = array("Q", (place for place, row in zip(self._places, self, strict=True) if keep(row)))
        return found

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[Record]:
        with self.path.open("rb") as stream:
            for place in self._places:
                if stream.tell() != place:
                    stream.seek(place)
                yield _record(stream.readline())

    @overload
    def __getitem__(self, at: int) -> Record: ...
    @overload
    def __getitem__(self, at: slice) -> "RowFile": ...
    def __getitem__(self, at: int | slice) -> "Record | RowFile":
        if isinstance(at, slice):
            part = RowFile.__new__(RowFile)
            part.path, part._places = self.path, self._places[at]
            return part
        with self.path.open("rb") as stream:
            stream.seek(self._places[at])
            return _record(stream.readline())


def only(rows: Sequence[Record], keep: Keep) -> Sequence[Record]:
    """Those rows that ``keep`` takes, held as ``rows`` are."""
    return rows.where(keep) if isinstance(rows, RowFile) else [row for row in rows if keep(row)]


def _record(line: bytes) -> Record:
    return Record.from_json(json.loads(line))
