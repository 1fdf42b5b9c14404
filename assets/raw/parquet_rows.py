"""Parquet, a few rows at a time: values become what JSON can hold, or the row is refused."""

import datetime
import decimal
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from assets.raw.rows import MAX_KEYS, MAX_ROW, Fault, Row
from assets.raw.strict_json import check_depth, missing
from resources.digests import canonical_json, digest_bytes
from resources.errors import InputError

# A dictionary-encoded column repeats one long text for free; a small batch bounds what that can unfold to.
BATCH = 64


def parquet_rows(path: Path, object_key: str) -> Iterator[Row]:
    """Every row; ``InputError`` if the file is not Parquet; a last row that says so if it breaks off in the middle."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        source = pq.ParquetFile(path, memory_map=True)
    except (pa.ArrowException, OSError) as error:
        message = f"not a readable Parquet file ({type(error).__name__})"
        raise InputError(message, object_key=object_key, rule="parquet-unreadable") from None
    with source:
        names = source.schema_arrow.names
        if len(set(names)) != len(names) or len(names) > MAX_KEYS:
            message = f"the schema must name at most {MAX_KEYS:,} columns, each once"
            raise InputError(message, object_key=object_key, rule="parquet-schema")
        line = 0
        try:
            for batch in source.iter_batches(batch_size=BATCH):
                for row in range(batch.num_rows):
                    line += 1
                    yield _row(batch.slice(row, 1), line)
        except (pa.ArrowException, OSError) as error:
            lost = source.metadata.num_rows - line
            fault = Fault("parquet-damaged", f"the last {lost:,} rows cannot be read ({type(error).__name__})")
            yield Row(line + 1, digest_bytes(b""), fault=fault)


def promised_rows(path: Path) -> int | None:
    """The number of rows in the file's footer; None where it cannot be read, which the parser will say."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return int(pq.read_metadata(path).num_rows)
    except (pa.ArrowException, OSError):
        return None


def _row(slice_of_one: Any, line: int) -> Row:
    data = b""
    try:
        # A null column is how a columnar file says that a row has no such field.
        cells = {name: cell for name, cell in slice_of_one.to_pylist()[0].items() if cell is not None}
        check_depth(cells)
        fields = {name: value for name, cell in cells.items() if (value := _cell(name, cell)) is not None}
        data = canonical_json(fields)
        if len(data) > MAX_ROW:
            raise Fault("row-too-long", f"the row has {len(data):,} bytes; at most {MAX_ROW:,} are read")
    except UnicodeError:
        return Row(line, digest_bytes(data), fault=Fault("encoding", "a text is not UTF-8"))
    except Fault as fault:
        return Row(line, digest_bytes(data), fault=fault)
    return Row(line, digest_bytes(data), fields)


def _cell(name: str, cell: Any) -> Any:
    """A cell as JSON; None for one that JSON cannot hold in a column that nobody reads."""
    try:
        return _json_value(cell)
    except Fault as fault:
        if missing(name, alone=not isinstance(cell, list | dict) and fault.rule == "number-not-finite"):
            return None
        raise


def _json_value(value: Any) -> Any:  # noqa: PLR0911 (one return a kind)
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            if not math.isfinite(value):
                raise Fault("number-not-finite", "NaN and infinities are no JSON numbers")
            return value
        case list() if value and all(isinstance(pair, tuple) for pair in value):  # a map
            return {str(name): _json_value(inner) for name, inner in value}
        case list():
            return [_json_value(inner) for inner in value]
        case dict():
            # A struct has every key of the column: a null in it is a key that the row does not have.
            return {str(name): _json_value(inner) for name, inner in value.items() if inner is not None}
        case datetime.datetime() | datetime.date() | datetime.time():
            return value.isoformat()
        case decimal.Decimal():
            return str(value)
    raise Fault("not-json", f"a value of type {type(value).__name__} has no place in a text row")
