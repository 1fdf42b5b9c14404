"""JSON files that are one object for a whole table: splits by name, and what pandas and datasets write.

>>> list(rows_in({"prompt": {"0": "a", "1": "b"}, "completion": {"0": "c", "1": "d"}}))
[{'prompt': 'a', 'completion': 'c'}, {'prompt': 'b', 'completion': 'd'}]
"""

import re
from collections.abc import Iterator
from typing import IO, Any

from assets.forms.chats import is_chat
from assets.forms.columns import READ
from assets.raw.rows import Fault, Row
from assets.raw.strict_json import check_depth, parse_table
from resources.digests import canonical_json, digest_bytes

MAX_TABLE = 32 << 20  # bytes; a whole table is held while it is turned
_SPLIT = rb'"((?:train|test|valid|validation|val|dev|eval)(?:ing|uation)?(?:[_-]\w+)?)"\s*:\s*\['
FIRST_SPLIT = re.compile(rb"\{\s*" + _SPLIT)
NEXT_SPLIT = re.compile(rb"\s*,\s*" + _SPLIT)
# {"prompt": {"0": ...   {"prompt": ["...   {"columns": [...], "index": ...   {"0": {"prompt": ...
_TABLE = re.compile(rb'\{\s*"(?:[^"\\]|\\.)*"\s*:\s*(?:\{\s*"\d+"\s*:|\[\s*[^{\s])|\{\s*"\d+"\s*:\s*\{')


def may_be_table(head: bytes) -> bool:
    """Whether an object's first bytes are those of a table and not of a row."""
    return _TABLE.match(head) is not None


def table_rows(stream: IO[bytes]) -> Iterator[Row] | None:
    """The rows of a table that is one object; None where the object is none, with the stream back at its start."""
    data = stream.read(MAX_TABLE + 1)
    stream.seek(0)
    if len(data) > MAX_TABLE:
        reason = f"one object for a whole table is read up to {MAX_TABLE >> 20} MiB; write a row a line (JSON Lines)"
        return iter([Row(1, digest_bytes(b""), fault=Fault("row-too-long", reason))])
    try:
        table = parse_table(data)
    except Fault:
        return None
    rows = list(rows_in(table))
    return (_row(row, line) for line, row in enumerate(rows, start=1)) if rows else None


def rows_in(table: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The rows of a parsed table, column by column, split, or by index; none where the object is no table."""
    if isinstance(table.get("columns"), list) and isinstance(table.get("data"), list):
        for cells in table["data"]:
            if isinstance(cells, list) and len(cells) == len(table["columns"]):
                yield dict(zip(map(str, table["columns"]), cells, strict=True))
        return
    columns = list(table.values())
    named = any(name.strip().lower() in READ for name in table)
    if all(isinstance(column, dict) for column in columns):
        if not named and all(any(name.strip().lower() in READ for name in row) for row in columns):
            yield from columns
        elif named and all(column.keys() == columns[0].keys() for column in columns):
            for index in columns[0]:
                yield {name: column[index] for name, column in table.items()}
    elif (
        named
        and all(isinstance(column, list) and not is_chat(column) for column in columns)
        and len({len(column) for column in columns}) == 1
    ):
        for cells in zip(*columns, strict=True):
            yield dict(zip(table, cells, strict=True))


def _row(fields: dict[str, Any], line: int) -> Row:
    try:
        check_depth(fields)
    except Fault as fault:
        return Row(line, digest_bytes(b""), fault=fault)
    return Row(line, digest_bytes(canonical_json(fields)), fields)
