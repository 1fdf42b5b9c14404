"""Writes the files of one sample drop, and the truth about each row apart from them."""

import csv
import datetime
import hashlib
import io
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.sample_personal import unmark


@dataclass(slots=True)
class Row:
    """A row of the export and what it is. Texts in ``fields`` may carry the marks of ``sample_personal``."""

    fields: dict[str, Any]
    label: str = "clean"
    detail: str = ""

    def plain(self) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """The fields without marks, and where what they marked stands: field path, characters, type."""
        spans: list[dict[str, Any]] = []

        def walk(path: str, value: Any) -> Any:
            if isinstance(value, dict):
                return {name: walk(f"{path}.{name}" if path else name, inner) for name, inner in value.items()}
            if isinstance(value, list):
                return [walk(f"{path}[{place}]", inner) for place, inner in enumerate(value)]
            if not isinstance(value, str):
                return value
            text, found = unmark(value)
            spans.extend({"field": path, "start": span.start, "end": span.end, "type": span.type} for span in found)
            return text

        return walk("", self.fields), spans


@dataclass(slots=True)
class DropWriter:
    """One drop's folder. ``truth`` has an entry for every row: object, line, label, detail, spans."""

    folder: Path
    truth: list[dict[str, Any]] = field(default_factory=list)

    def jsonl(self, name: str, rows: Sequence[Row], broken: Sequence[tuple[bytes, str]] = ()) -> None:
        """One object a line, with ``broken`` lines (and the rules they break) scattered among them."""
        step = len(rows) // (len(broken) + 1)
        written: list[bytes] = []
        for number, row in enumerate(rows):
            written.append(json.dumps(self._plain(row, name, len(written) + 1), ensure_ascii=False).encode())
            if broken and number % step == step - 1 and number // step < len(broken):
                data, rule = broken[number // step]
                written.append(data)
                self._note(name, len(written), Row({}, "garbage", rule), [])
        (self.folder / name).write_bytes(b"\n".join(written) + b"\n")

    def csv(self, name: str, rows: Iterable[Row]) -> None:
        text = io.StringIO()
        table = csv.DictWriter(text, ["prompt", "completion"], lineterminator="\n")
        table.writeheader()
        for row in rows:
            table.writerow(self._plain(row, name, text.getvalue().count("\n") + 1))
        (self.folder / name).write_bytes(text.getvalue().encode())

    def json(self, name: str, rows: Iterable[Row]) -> None:
        plain = [self._plain(row, name, line) for line, row in enumerate(rows, start=1)]
        (self.folder / name).write_bytes(json.dumps(plain, indent=1, ensure_ascii=False).encode() + b"\n")

    def parquet(self, name: str, rows: Iterable[Row]) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        plain = [self._plain(row, name, line) for line, row in enumerate(rows, start=1)]
        pq.write_table(pa.Table.from_pylist(plain), self.folder / name)

    def manifest(self, created: datetime.date) -> None:
        """Says what is there, with digests; written last. Every file gets the drop's date, so that nothing varies."""
        files = sorted(self.folder.iterdir())
        listed = [{"key": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()} for path in files]
        body = {"source": "sample", "author": "Halden Post support desk", "created_at": created.isoformat()}
        manifest = self.folder / "manifest.json"
        manifest.write_bytes(json.dumps({**body, "kind": "data", "objects": listed}, indent=1).encode() + b"\n")
        noon = datetime.datetime.combine(created, datetime.time(12), datetime.UTC).timestamp()
        for path in (*files, manifest):
            os.utime(path, (noon, noon))

    def _plain(self, row: Row, name: str, line: int) -> dict[str, Any]:
        fields, spans = row.plain()
        self._note(name, line, row, spans)
        return fields

    def _note(self, name: str, line: int, row: Row, spans: list[dict[str, Any]]) -> None:
        place = {"object": f"{self.folder.name}/{name}", "line": line}
        self.truth.append({**place, "label": row.label, "detail": row.detail, "spans": spans})
