"""CSV, row by row: strict quoting (RFC 4180), right line numbers, and no row lost behind a stray quote."""

import csv
from collections import deque
from collections.abc import Iterator
from typing import IO, Any

from assets.raw.lines import physical_lines
from assets.raw.rows import MAX_KEYS, MAX_ROW, Fault, Piece, Row
from assets.raw.strict_json import encoding_advice
from resources.errors import InputError

_DELIMITERS = (",", ";", "\t")
INDEX = "Unnamed: 0"  # what pandas calls its own index, which it writes under an empty name

csv.field_size_limit(MAX_ROW)  # the module's own limit of 128 KiB is less than a long document


class _Feed:
    """Lines for ``csv.reader``, remembered until they have become a row.

    A line that is no UTF-8 is fed with surrogates in the place of its bad bytes, so that the reader keeps its place;
    a line too long to hold is fed as an empty one. Both mark the row they belong to.
    """

    def __init__(self, pieces: Iterator[Piece]) -> None:
        self.pieces = pieces
        self.again: deque[Piece] = deque()
        self.pending: list[Piece] = []

    def __iter__(self) -> "_Feed":
        return self

    def __next__(self) -> str:
        piece = self.again.popleft() if self.again else next(self.pieces)
        self.pending.append(piece)
        if sum(held.size for held in self.pending if not held.too_long) > MAX_ROW:
            raise csv.Error("record larger than the limit")
        return piece.data.decode(errors="surrogateescape") + "\n"

    def take(self) -> Piece:
        """The pending lines as one row."""
        first, *others = self.pending
        for line in others:
            first.add(b"\n")
            first.add(line.data)
            if line.too_long:
                first.size += line.size
        self.pending = []
        return first

    def give_back(self) -> Piece:
        """The first pending line alone; the others are read again, as rows of their own."""
        first, *others = self.pending
        self.again.extendleft(reversed(others))
        self.pending = []
        return first


def csv_rows(stream: IO[bytes], object_key: str) -> Iterator[Row]:
    """The records below the header; ``InputError`` if there is no usable header."""
    feed = _Feed(physical_lines(stream))
    header, delimiter = _header(feed, object_key)
    reader = csv.reader(feed, strict=True, delimiter=delimiter)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            # An opening quote without an end swallows what follows: only the first line is at fault.
            piece = feed.give_back()
            fault = Fault("csv-quoting", "quotes do not match, or the record is larger than the limit")
            yield Row(piece.line, piece.digest, fault=fault)
            reader = csv.reader(feed, strict=True, delimiter=delimiter)
            continue
        piece = feed.take()
        if piece.blank:
            continue
        try:
            yield Row(piece.line, piece.digest, _fields(header, cells, piece))
        except Fault as fault:
            yield Row(piece.line, piece.digest, fault=fault)


def _header(feed: _Feed, object_key: str) -> tuple[list[str], str]:
    first = next((piece for piece in feed.pieces if not piece.blank), None)
    if first is None:
        return [], _DELIMITERS[0]
    text = first.data.decode(errors="replace")
    delimiter = max(_DELIMITERS, key=text.count)
    try:
        names = next(csv.reader([text], strict=True, delimiter=delimiter), [])
    except csv.Error:
        names = []
    names = [name.strip() for name in names]
    if names and not names[0] and len(names) > 1:
        names[0] = INDEX
    if not all(names) or len(set(names)) != len(names) or len(names) > MAX_KEYS or "\ufffd" in text or not names:
        message = "the header must be one line of UTF-8 that names every column once"
        if "\ufffd" in text:
            message += encoding_advice(first.data)
        raise InputError(message, object_key=object_key, line=first.line, rule="csv-header")
    return names, delimiter


def _fields(header: list[str], cells: list[str], piece: Piece) -> dict[str, Any]:
    piece.check_length()
    if len(cells) != len(header):
        raise Fault("csv-columns", f"{len(cells)} cells under {len(header)} columns")
    fields: dict[str, Any] = dict(zip(header, cells, strict=True))
    if any(_undecodable(cell) for cell in cells):
        raise Fault("encoding", f"not UTF-8{encoding_advice(piece.data)}")
    return fields


def _undecodable(cell: str) -> bool:
    return not cell.isascii() and any("\ud800" <= character <= "\udfff" for character in cell)
