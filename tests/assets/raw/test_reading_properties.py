"""Whatever the rows or the bytes: what was written is read, every line is an outcome, and no parser crashes."""

import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assets.raw import lines
from assets.raw.formats import SUFFIXES, count_rows
from resources.errors import InputError
from tests.assets.raw.files import jsonl, parquet, read

PROPERTY = settings(
    deadline=None, max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
SCALARS = st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    SCALARS | TEXT, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3), max_leaves=8
)
OBJECTS = st.dictionaries(TEXT.filter(lambda key: key not in ("messages", "instruction", "prompt")), VALUES, max_size=4)


class TestProperties:
    @PROPERTY
    @given(rows=st.lists(OBJECTS, min_size=1, max_size=5))
    def test_json_comes_back_as_it_was_written(self, tmp_path: Path, rows: list[dict[str, Any]]) -> None:
        for name, data in [("a.jsonl", jsonl(rows)), ("a.json", json.dumps(rows, indent=1).encode())]:
            outcomes = read(tmp_path, name, data)
            assert [outcome.record.fields for outcome in outcomes] == rows
            assert all(outcome.fate == "passed" for outcome in outcomes)

    @PROPERTY
    @given(rows=st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=5))
    def test_csv_comes_back_as_it_was_written(self, tmp_path: Path, rows: list[tuple[str, str]]) -> None:
        text = io.StringIO()
        table = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
        table.writerow(["prompt", "completion"])
        starts = []
        for row in rows:
            starts.append(text.getvalue().count("\n") + 1)
            table.writerow(row)
        outcomes = read(tmp_path, "a.csv", text.getvalue().encode())
        assert [tuple(outcome.record.fields.values()) for outcome in outcomes] == rows
        assert [outcome.record.origin.line for outcome in outcomes] == starts

    @PROPERTY
    @given(rows=st.lists(st.fixed_dictionaries({"prompt": TEXT, "n": st.integers(0, 9)}), min_size=1, max_size=5))
    def test_parquet_comes_back_as_it_was_written(self, tmp_path: Path, rows: list[dict[str, Any]]) -> None:
        outcomes = read(tmp_path, "a.parquet", parquet(tmp_path, rows))
        assert [outcome.record.fields for outcome in outcomes] == rows

    @PROPERTY
    @given(parts=st.lists(st.binary(max_size=40) | OBJECTS.map(lambda row: json.dumps(row).encode()), max_size=8))
    def test_every_line_that_is_not_blank_is_an_outcome(self, tmp_path: Path, parts: list[bytes]) -> None:
        data = b'{"prompt": "first"}\n' + b"\n".join(parts)
        expected = [number for number, line in enumerate(data.split(b"\n"), start=1) if line.strip()]
        outcomes = read(tmp_path, "a.jsonl", data)
        assert [outcome.record.origin.line for outcome in outcomes] == expected
        assert count_rows(tmp_path / "a.jsonl", "a.jsonl") == len(expected)

    @PROPERTY
    @given(
        parts=st.lists(st.binary(max_size=30).map(lambda line: line.replace(b'"', b"").replace(b"\n", b"")), max_size=8)
    )
    def test_every_csv_line_without_quotes_is_an_outcome(self, tmp_path: Path, parts: list[bytes]) -> None:
        data = b"prompt,completion\na,b\n" + b"\n".join(parts)
        expected = [number for number, line in enumerate(data.split(b"\n"), start=1) if line.strip() and number > 1]
        assert [outcome.record.origin.line for outcome in read(tmp_path, "a.csv", data)] == expected

    @PROPERTY
    @given(
        data=st.binary(max_size=300), name=st.sampled_from([f"a{suffix}" for suffix in SUFFIXES] + ["a", "a.json.gz"])
    )
    def test_no_bytes_crash_a_parser(self, tmp_path: Path, data: bytes, name: str) -> None:
        for content in (data, gzip.compress(data), b'[{"prompt": "a"},' + data, b"prompt,completion\n" + data):
            try:
                outcomes = read(tmp_path, name, content)
            except InputError as error:
                assert error.rule
            else:
                assert outcomes

    @PROPERTY
    @given(rows=st.lists(OBJECTS, min_size=1, max_size=4), cut=st.integers(0, 300), size=st.integers(1, 9))
    def test_where_a_chunk_ends_makes_no_difference(
        self, tmp_path: Path, rows: list[dict[str, Any]], cut: int, size: int
    ) -> None:
        data = json.dumps({"data": rows}).encode()
        data = data[: max(10, len(data) - cut)]

        def result() -> list[Any]:
            return [(o.record, o.removal) for o in read(tmp_path, "a.json", data)]

        whole = result()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(lines, "CHUNK", size)
            assert result() == whole
