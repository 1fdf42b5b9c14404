"""A list of JSON objects that lives on disk once it is long: memory does not grow with the number of rows."""

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, Any

IN_MEMORY = 1 << 20  # bytes of a list before it goes to disk


@dataclass(slots=True)
class Spool:
    """``count`` objects, read back in the order in which they were appended."""

    count: int = 0
    _file: IO[str] = field(
        default_factory=lambda: tempfile.SpooledTemporaryFile(IN_MEMORY, "w+", encoding="utf-8")  # noqa: SIM115
    )

    def append(self, entry: dict[str, Any]) -> None:
        self._file.write(json.dumps(entry, ensure_ascii=False) + "\n")
        self.count += 1

    def lines(self) -> Iterator[str]:
        """Each object as JSON, in order."""
        self._file.seek(0)
        for line in self._file:
            yield line.rstrip("\n")
