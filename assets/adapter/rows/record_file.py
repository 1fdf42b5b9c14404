"""The rows of a ``records.jsonl``, read anew each time and never held."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from assets.outcome import read_records
from assets.record import Record


class Rows(Protocol):
    """Rows that can be read again and again: a list, or a file of them."""

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Record]: ...


class RecordFile:
    """``path`` was written by ``assets.outcome.write_outcomes``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with path.open("rb") as stream:
            self._rows = sum(1 for _ in stream)

    def __len__(self) -> int:
        return self._rows

    def __iter__(self) -> Iterator[Record]:
        return read_records(self.path)
