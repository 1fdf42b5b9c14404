"""Files as the tests of reading write them, and how they read them back."""

import json
from pathlib import Path
from typing import Any

from assets.outcome import Outcome
from assets.raw.formats import read_rows

ROWS = [
    {"instruction": "Where is it?", "input": "", "output": "In Halden."},
    {"prompt": "Hi", "completion": "Hello"},
    {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]},
]


def read(folder: Path, name: str, data: bytes) -> list[Outcome]:
    path = folder / name
    path.write_bytes(data)
    return list(read_rows(path))


def rules(outcomes: list[Outcome]) -> list[str]:
    return [outcome.removal.rule if outcome.removal else "" for outcome in outcomes]


def jsonl(rows: list[dict[str, Any]]) -> bytes:
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()


def parquet(folder: Path, rows: list[dict[str, Any]], **options: Any) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.Table.from_pylist(rows), folder / "made.parquet", **options)
    return (folder / "made.parquet").read_bytes()
