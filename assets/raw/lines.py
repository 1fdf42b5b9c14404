"""Physical lines and JSON array elements, cut out of a byte stream without ever holding more than one bounded row."""

import re
from collections.abc import Iterator
from typing import IO

from assets.forms.columns import METADATA, READ
from assets.raw.rows import Fault, Piece, Row
from assets.raw.strict_json import parse_object
from assets.raw.tables import NEXT_SPLIT
from resources.digests import CHUNK

BOM = b"\xef\xbb\xbf"
_STRUCTURE = re.compile(rb'["{}\[\],]')
_IN_STRING = re.compile(rb'["\\]')


def physical_lines(stream: IO[bytes], first: int = 1) -> Iterator[Piece]:
    """Every line, blank ones too, without its newline and without a byte order mark; numbered from ``first`` on."""
    number = first - 1
    while part := stream.readline(CHUNK):
        number += 1
        piece = Piece(number)
        if number == 1:
            part = part.removeprefix(BOM)
        while part and not part.endswith(b"\n"):
            piece.add(part)
            part = stream.readline(CHUNK)
        piece.add(part.removesuffix(b"\n"))
        yield piece


def json_lines(stream: IO[bytes], first: int = 1) -> Iterator[Row]:
    """One row for every line that is not blank; the first line of the stream has the number ``first``."""
    return (object_row(piece) for piece in physical_lines(stream, first) if not piece.blank)


def object_row(piece: Piece, split: str = "") -> Row:
    """The row in a piece that should be one JSON object."""
    try:
        piece.check_length()
        return Row(piece.line, piece.digest, parse_object(piece.data), split=split)
    except Fault as fault:
        return Row(piece.line, piece.digest, fault=fault)


def json_array(stream: IO[bytes], opening: bytes = b"", split: str = "") -> Iterator[Row]:
    """The elements of the array whose ``[`` is the next byte; ``opening`` is what precedes it where an object wraps it.

    ``split``: the object holds an array for each part of the data, of which this is the first; all of them are read.

    Elements are cut at the commas between them and read one by one, so that a bad element costs one row and not, as
    with a streaming parser that stops at the first error, all that follow. An array that does not end, or is followed
    by something that does not belong there, gives a last row that says so.
    """
    cutter = _Cutter(split)
    stream.read(1)
    while chunk := stream.read(CHUNK):
        yield from cutter.feed(chunk)
    yield from cutter.finish(opening)


class _Cutter:
    """Tracks strings and depth over chunks; gives a row at every comma, or closing bracket, at depth 0."""

    def __init__(self, split: str) -> None:
        self.split = split
        self.first = 1  # the number of the array's first element
        self.piece = Piece(1)
        self.depth = 0
        self.in_string = self.escaped = self.closed = False

    def feed(self, chunk: bytes) -> Iterator[Row]:
        start = place = 0
        if self.escaped:  # the backslash was the last byte of the chunk before
            self.escaped, place = False, 1
        while not self.closed and (match := (_IN_STRING if self.in_string else _STRUCTURE).search(chunk, place)):
            place, mark = match.end(), match.group()
            if self.in_string:
                if mark == b'"':
                    self.in_string = False
                else:
                    self.escaped = place == len(chunk)
                    place += 1
            elif mark == b'"':
                self.in_string = True
            elif mark in b"{[":
                self.depth += 1
            elif mark in b"}]" and self.depth:
                self.depth -= 1
            elif self.depth == 0 and mark in b",]":
                self.piece.add(chunk[start : match.start()])
                start = place
                self.closed = mark == b"]"
                if not (self.closed and self.piece.line == self.first and self.piece.blank):
                    yield object_row(self.piece, self.split)
                    self.piece = Piece(self.piece.line + 1)
                else:
                    self.piece = Piece(self.piece.line)
        self.piece.add(chunk[start:])
        if self.closed and self.split and (following := NEXT_SPLIT.match(self.piece.data)):
            rest = self.piece.data[following.end() :]
            self.split, self.closed, self.first = following[1].decode(), False, self.piece.line
            self.piece = Piece(self.first)
            yield from self.feed(rest)

    def finish(self, opening: bytes) -> Iterator[Row]:
        tail = self.piece
        try:
            if not self.closed:
                raise Fault("json-truncated", "the array has no end: the object was cut off or brackets do not match")
            tail.check_length()
            if opening:
                parse_object(opening + b"[]" + tail.data)
            elif not tail.blank:
                raise Fault("json-trailing", "something follows the end of the array")
        except Fault as fault:
            wrong = fault if fault.rule == "json-truncated" else Fault("json-trailing", fault.reason)
            yield Row(tail.line, tail.digest, fault=wrong)


def find_array(head: bytes) -> int | None:
    """Where the array of ``{"data": [...]}`` starts in the first bytes of an object; None where it has no such key.

    An object that names a form's own field before it is a row, not a wrapper.
    """
    depth, in_string, text_start, place = 0, False, 0, 0
    while match := (_IN_STRING if in_string else _STRUCTURE).search(head, place):
        place, mark = match.end(), match.group()
        if in_string:
            if mark == b"\\":
                place += 1
                continue
            in_string = False
            key = head[text_start : match.start()]
            value = re.compile(rb"\s*:\s*").match(head, place)
            if depth == 1 and value and key != b"data" and key.decode(errors="replace").lower() in READ - set(METADATA):
                return None
            if depth == 1 and value and key == b"data" and head[value.end() : value.end() + 1] == b"[":
                return value.end()
        elif mark == b'"':
            in_string, text_start = True, place
        else:
            depth += {b"{": 1, b"[": 1, b"}": -1, b"]": -1}.get(mark, 0)
    return None


def whole_object(stream: IO[bytes]) -> Iterator[Row]:
    """The one JSON object the stream consists of; nothing from a blank stream."""
    piece = Piece(1)
    while chunk := stream.read(CHUNK):
        piece.add(chunk)
    if not piece.blank:
        yield object_row(piece)
