"""Rows out of a file, in every input form: JSON Lines, JSON, CSV and Parquet, plain or gzipped, streamed.

The format is told by suffix, else by the first bytes. Nothing is lost: every line that is not blank is a passed outcome
or a rejected one with its place, rule and reason; a file that is no rows at all is an ``InputError``.

>>> import pathlib, tempfile
>>> folder = tempfile.TemporaryDirectory()
>>> path = pathlib.Path(folder.name, "rows.jsonl")
>>> _ = path.write_bytes(b'{"prompt": "Hi", "completion": "Hello"}\\n{"prompt": NaN}\\n')
>>> [(outcome.fate, outcome.record.origin.line) for outcome in read_rows(path)]
[('passed', 1), ('rejected', 2)]
"""

import contextlib
import gzip
import io
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath
from typing import IO, Any, Literal, cast

from assets.forms.cells import json_or_text
from assets.forms.chats import is_chat
from assets.outcome import Outcome, Removal
from assets.raw.csv_rows import csv_rows
from assets.raw.lines import BOM, find_array, json_array, json_lines, whole_object
from assets.raw.parquet_rows import parquet_rows, promised_rows
from assets.raw.reading import Reading, as_utf8
from assets.raw.rows import MAX_ROW, Fault, Row
from assets.raw.tables import FIRST_SPLIT, may_be_table, table_rows
from assets.record import METADATA_FIELDS, Origin, Record, row_id
from resources.digests import CHUNK, digest_bytes, digest_file
from resources.errors import InputError

Format = Literal["jsonl", "json", "csv", "parquet"]

STAGE = "raw_drop"
SUFFIXES: dict[str, Format] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
}
# Rejections that speak for the rest of an object, not for one row: what follows them was never seen.
DAMAGE = frozenset({"json-truncated", "json-trailing", "gzip-damaged", "parquet-damaged"})
_FORM_FIELDS = ("messages", "instruction", "prompt")
_STRUCTURED = ("messages", "conversations", "conversation", "chosen", "rejected", "prompt", "completion")
_METADATA_LENGTH = 200  # characters of a row's own source, author or date that its provenance keeps
PROBE = 1 << 20  # bytes read to tell a format
_ZIP_ERRORS = (EOFError, zlib.error, gzip.BadGzipFile)
_WIDE_TEXT = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")


def read_rows(
    path: Path,
    *,
    object_key: str | None = None,
    version: str = "",
    drop: str = "",
    defaults: Mapping[str, str] | None = None,
    reading: Reading = Reading(),  # noqa: B008 (frozen)
) -> Iterator[Outcome]:
    """Stream the rows of a file in input order.

    ``object_key`` names the file in provenance and errors (default: its name), ``version`` is its version or etag
    (default: its digest), ``defaults`` holds ``source``, ``author`` and ``created_at`` for rows that do not say,
    ``reading`` the encoding and the mapping of columns.
    Raises ``InputError``: rule ``empty-object`` where there is no row at all, others where the file as a whole
    cannot be read.
    """
    key = object_key if object_key is not None else path.name
    try:
        digest = digest_file(path)
        empty = True
        for row in _rows(path, key, reading.encoding):
            empty = False
            yield _outcome(row, key, digest, version or digest, drop, defaults or {}, reading.columns)
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", object_key=key, rule="object-readable") from error
    if empty:
        raise InputError("holds no rows", object_key=key, rule="empty-object")


def read_lines_from(
    path: Path,
    first: int,
    *,
    object_key: str,
    digest: str,
    version: str,
    drop: str,
    defaults: Mapping[str, str],
    reading: Reading,
) -> Iterator[Outcome]:
    """As ``read_rows`` for a file that holds whole lines of an object of JSON Lines, from line ``first`` on.

    ``digest`` is the SHA-256 of the whole object, by which its rows are named.
    """
    with path.open("rb") as stream:
        for row in json_lines(stream, first):
            yield _outcome(row, object_key, digest, version or digest, drop, defaults, reading.columns)


def count_rows(path: Path, object_key: str, encoding: str = "") -> int | None:
    """How many outcomes ``read_rows`` owes for a file, counted without its parsers; None where only they can tell.

    Lines of JSON Lines that are not blank, rows that a Parquet file's own footer promises. A CSV record or a JSON
    element has no end that can be seen without parsing.
    """
    with _open(path, encoding, object_key) as stream:
        kind = format_of(path, _head(stream, PROBE), object_key)
        if kind == "parquet":
            return promised_rows(path)
        if kind != "jsonl":
            return None
        count, blank = 0, True
        if stream.read(len(BOM)) != BOM:
            stream.seek(0)
        while part := stream.readline(CHUNK):
            blank = blank and not part.strip()
            if part.endswith(b"\n"):
                count, blank = count + (not blank), True
        return count + (not blank)


def _rows(path: Path, key: str, encoding: str) -> Iterator[Row]:
    line = 0
    try:
        with _open(path, encoding, key) as stream:
            kind = format_of(path, _head(stream, PROBE), key)
            for row in parquet_rows(path, key) if kind == "parquet" else _text_rows(kind, stream, key):
                line = row.line
                yield row
    except _ZIP_ERRORS:
        fault = Fault("gzip-damaged", "the compressed data breaks off or is damaged; what follows is unread")
        yield Row(line + 1, digest_bytes(b""), fault=fault)


def _text_rows(kind: Format, stream: IO[bytes], key: str) -> Iterator[Row]:
    if kind == "csv":
        return csv_rows(stream, key)
    return json_lines(stream) if kind == "jsonl" else _json_rows(stream)


def _json_rows(stream: IO[bytes]) -> Iterator[Row]:
    """Rows of a JSON file: an array, an object that wraps one, splits by name, a whole table, or a single row."""
    head = _head(stream, MAX_ROW)
    start = len(head) - len(_unmarked(head))
    if head[start : start + 1] == b"{":
        if split := FIRST_SPLIT.match(head, start):
            stream.seek(split.end() - 1)
            return json_array(stream, _unmarked(head[: split.end() - 1]), split[1].decode())
        if may_be_table(head[start:]) and (rows := table_rows(stream)) is not None:
            return rows
        array = find_array(head)
        if array is None:
            return whole_object(stream)
        start = array
    elif head[start : start + 1] != b"[":
        return whole_object(stream)
    stream.seek(start)
    return json_array(stream, _unmarked(head[:start]))


def format_of(path: PurePath, head: bytes, key: str) -> Format:
    """By suffix; where there is none, or where ``.json`` names what is really JSON Lines, by the first bytes."""
    if head.startswith(_WIDE_TEXT):
        message = 'is UTF-16 or UTF-32 text: say so in the manifest, "encoding": "utf-16", or with --encoding utf-16'
        raise InputError(message, object_key=key, rule="encoding")
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() != ".gz"]
    named = SUFFIXES.get(suffixes[-1]) if suffixes else None
    looks = _look(head)
    if named and (looks == "parquet") != (named == "parquet") and head:
        raise InputError(f"is named {named} but does not hold it", object_key=key, rule="format-mismatch")
    if named == "json" and looks == "jsonl":
        return "jsonl"
    kind = named or looks
    if kind is None:
        message = f"the format is not recognised; name the file with one of {', '.join(SUFFIXES)}"
        raise InputError(message, object_key=key, rule="format-unknown")
    return kind


def _look(head: bytes) -> Format | None:
    if head.startswith(b"PAR1"):
        return "parquet"
    text = _unmarked(head)
    first, _, rest = text.partition(b"\n")
    if text.startswith(b"{"):
        return "jsonl" if first.rstrip().endswith(b"}") and rest.lstrip().startswith(b"{") else "json"
    if text.startswith(b"["):
        return "json"
    if not text:
        return "jsonl"  # nothing inside, whatever it is
    return "csv" if any(name.encode() in first.lower() for name in _FORM_FIELDS) else None


def _unmarked(head: bytes) -> bytes:
    return head.removeprefix(BOM).lstrip()


def _open(path: Path, encoding: str, key: str) -> IO[bytes]:
    """The file's bytes, unzipped, and as UTF-8 where text is in another encoding."""
    stream: IO[bytes] = path.open("rb")
    if cast(io.BufferedReader, stream).peek(2)[:2] == b"\x1f\x8b":
        stream.close()
        stream = cast(IO[bytes], gzip.open(path))  # noqa: SIM115 (the caller's to close)
    if Reading(encoding).is_utf8 or _head(stream, 4) == b"PAR1":
        return stream
    with stream:
        return as_utf8(stream, encoding, key)


def _head(stream: IO[bytes], size: int) -> bytes:
    """The first bytes, with the stream back at its start; as many as a damaged file gives."""
    head = bytearray()
    with contextlib.suppress(*_ZIP_ERRORS):
        while len(head) < size and (part := stream.read(min(size - len(head), PROBE))):
            head += part
    stream.seek(0)
    return bytes(head)


def _outcome(
    row: Row,
    key: str,
    digest: str,
    version: str,
    drop: str,
    defaults: Mapping[str, str],
    columns: Mapping[str, str],
) -> Outcome:
    said = {**row.fields, "author": row.fields.get("author") or row.fields.get("reviewer")}
    metadata = {name: _metadata(said.get(name)) or defaults.get(name, "") for name in METADATA_FIELDS}
    metadata["source"] = metadata["source"] or "unknown"
    origin = Origin(key, version, row.line, row.digest, drop, **metadata, split=row.split)
    record = Record(row_id(digest, row.line), _settled(row.fields), origin, columns)
    if row.fault is None:
        return Outcome(record)
    return Outcome(record, "rejected", Removal(STAGE, row.fault.rule, row.fault.reason))


def _metadata(value: Any) -> str:
    return value[:_METADATA_LENGTH] if isinstance(value, str) else ""


def _settled(fields: dict[str, Any]) -> dict[str, Any]:
    """The row without the empty cells of other forms (a table of mixed rows has a column for every form in every row),
    and with messages that were written as JSON text in one cell as the messages they are.
    """
    for name in _STRUCTURED:
        if isinstance(value := fields.get(name), str) and value.lstrip().startswith("["):
            chat = json_or_text(value)
            if is_chat(chat) and chat:
                fields = {**fields, name: chat}
    filled = [name for name in _FORM_FIELDS if fields.get(name)]
    if not filled:
        return fields
    return {name: value for name, value in fields.items() if value or name not in _FORM_FIELDS}
