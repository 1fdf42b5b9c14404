"""What a parser says of one row of an object, and the limits that keep a hostile object from filling memory."""

import hashlib
from dataclasses import dataclass, field
from typing import Any

MAX_ROW = 8 << 20  # bytes of one line, CSV record or JSON array element
MAX_KEYS = 1_000  # keys of one JSON object
MAX_DEPTH = 32  # containers within containers


class Fault(Exception):
    """Why a row cannot be read: the stable name of the rule and a sentence that quotes none of the row's content."""

    def __init__(self, rule: str, reason: str) -> None:
        super().__init__(f"{reason} [{rule}]")
        self.rule, self.reason = rule, reason


@dataclass(frozen=True, slots=True)
class Row:
    """One parsed row, or the fault that stopped it.

    ``line`` is 1-based: the physical line in JSON Lines, the first physical line of a CSV record, the ordinal of the
    element in a JSON array and of the row in Parquet. ``digest`` is the SHA-256 of the row's original bytes without
    the newline that ends it; Parquet rows have no bytes of their own and take the digest of their canonical JSON.
    ``split`` names the part of the data it stands in, where the object says so.
    """

    line: int
    digest: str
    fields: dict[str, Any] = field(default_factory=dict)
    fault: Fault | None = None
    split: str = ""


@dataclass(slots=True)
class Piece:
    """The bytes of one row while it is being cut out of a stream: hashed whole, held only up to ``MAX_ROW``."""

    line: int
    size: int = 0
    _held: bytearray = field(default_factory=bytearray)
    _hash: Any = field(default_factory=hashlib.sha256)

    def add(self, data: bytes) -> None:
        self._hash.update(data)
        self.size += len(data)
        if self.size > MAX_ROW:
            self._held.clear()
        else:
            self._held += data

    @property
    def too_long(self) -> bool:
        return self.size > MAX_ROW

    @property
    def data(self) -> bytes:
        return bytes(self._held)

    @property
    def blank(self) -> bool:
        return not self.too_long and not self._held.strip()

    @property
    def digest(self) -> str:
        digest: str = self._hash.hexdigest()
        return digest

    def check_length(self) -> None:
        if self.too_long:
            raise Fault("row-too-long", f"the row has {self.size:,} bytes; at most {MAX_ROW:,} are read")
