"""Stories about reading files that someone else wrote: every form comes in, and nothing is lost on the way."""

import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest

from assets.raw import lines
from assets.raw.formats import count_rows, read_rows
from assets.raw.reading import Reading
from resources.errors import InputError
from tests.assets.raw.files import ROWS, jsonl, parquet, read, rules


class TestForms:
    @pytest.mark.parametrize("name", ["a.jsonl", "a.ndjson", "a.json", "a.jsonl.gz", "a"])
    def test_one_object_a_line(self, tmp_path: Path, name: str) -> None:
        data = gzip.compress(jsonl(ROWS)) if name.endswith("gz") else jsonl(ROWS)
        outcomes = read(tmp_path, name, data)
        assert [outcome.record.fields for outcome in outcomes] == ROWS
        assert [outcome.record.form for outcome in outcomes] == ["instruction", "prompt", "messages"]

    @pytest.mark.parametrize(
        "wrap", ["%s", '{"data": %s}', '{"version": {"data": [1]}, "data": %s, "count": 3}', " \n%s\n"]
    )
    def test_an_array_of_objects(self, tmp_path: Path, wrap: str) -> None:
        outcomes = read(tmp_path, "a.json", (wrap % json.dumps(ROWS, indent=2)).encode())
        assert [outcome.record.fields for outcome in outcomes] == ROWS
        assert [outcome.record.origin.line for outcome in outcomes] == [1, 2, 3]

    def test_one_object_is_one_row_also_if_it_has_a_list_named_data(self, tmp_path: Path) -> None:
        row = {"prompt": "Sum up", "data": [1, 2], "completion": "3"}
        assert [outcome.record.fields for outcome in read(tmp_path, "a.json", json.dumps(row, indent=1).encode())] == [
            row
        ]

    def test_csv_of_mixed_forms_drops_the_empty_cells_of_other_forms(self, tmp_path: Path) -> None:
        text = io.StringIO()
        table = csv.DictWriter(text, ["instruction", "input", "output", "messages"])
        table.writeheader()
        table.writerow(ROWS[0])
        table.writerow({"messages": json.dumps(ROWS[2]["messages"])})
        first, second = read(tmp_path, "a.csv", text.getvalue().encode())
        assert first.record.fields == ROWS[0]
        assert [turn.content for turn in second.record.messages()] == ["Hi", "Hello"]

    @pytest.mark.parametrize("delimiter", [",", ";", "\t"])
    def test_csv_lines_are_counted_through_quoted_newlines(self, tmp_path: Path, delimiter: str) -> None:
        text = f'prompt{delimiter}completion\r\n"a\r\nb"{delimiter}c\r\n\r\nd{delimiter}"e ""x"""\r\n'
        outcomes = read(tmp_path, "a.csv", text.encode())
        assert [(outcome.record.origin.line, outcome.record.fields["prompt"]) for outcome in outcomes] == [
            (2, "a\r\nb"),
            (5, "d"),
        ]
        assert outcomes[1].record.fields["completion"] == 'e "x"'

    def test_parquet_by_row_groups(self, tmp_path: Path) -> None:
        rows = [{"prompt": f"p{n}", "completion": f"c{n}", "score": n / 2} for n in range(300)]
        outcomes = read(tmp_path, "a.parquet", parquet(tmp_path, rows, row_group_size=70))
        assert [outcome.record.fields for outcome in outcomes] == rows
        assert outcomes[-1].record.origin.line == 300 == count_rows(tmp_path / "a.parquet", "a.parquet")

    def test_parquet_nulls_are_absent_fields(self, tmp_path: Path) -> None:
        columns = dict.fromkeys(name for row in ROWS for name in row)
        outcomes = read(tmp_path, "a.parquet", parquet(tmp_path, [{**columns, **row} for row in ROWS]))
        assert [outcome.record.fields for outcome in outcomes] == ROWS

    def test_a_byte_order_mark_is_no_content(self, tmp_path: Path) -> None:
        for name, data in [("a.jsonl", jsonl(ROWS)), ("a.json", json.dumps(ROWS).encode()), ("a.csv", b"prompt\nHi")]:
            assert rules(read(tmp_path, name, b"\xef\xbb\xbf" + data)) == [""] * (1 if name == "a.csv" else 3)


class TestFilesAsPeopleHaveThem:
    """What pandas, datasets and other people's exports look like, which is nobody's mistake."""

    def test_a_nan_in_a_column_that_nobody_reads_or_that_may_be_empty_costs_no_row(self, tmp_path: Path) -> None:
        data = b'{"instruction": "a", "input": NaN, "output": "b", "score": NaN, "tags": [Infinity]}'
        (outcome,) = read(tmp_path, "a.jsonl", data)
        assert outcome.record.fields == {
            "instruction": "a",
            "input": None,
            "output": "b",
            "score": None,
            "tags": [None],
        }
        rows: list[dict[str, Any]] = [{"prompt": "a", "completion": "b", "score": float("nan"), "raw": b"\x00"}]
        (outcome,) = read(tmp_path, "a.parquet", parquet(tmp_path, rows))
        assert outcome.record.fields == {"prompt": "a", "completion": "b"}

    def test_a_map_column_and_the_nulls_of_a_struct(self, tmp_path: Path) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        message = {"role": "user", "content": "Hi", "tool_calls": None}
        columns = {
            "meta": pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int64())),
            "messages": pa.array([[message, {"role": "assistant", "content": "Hello", "tool_calls": ["x"]}]]),
        }
        pq.write_table(pa.table(columns), tmp_path / "a.parquet")
        (outcome,) = read_rows(tmp_path / "a.parquet")
        assert outcome.record.fields["meta"] == {"a": 1}
        assert outcome.record.fields["messages"][0] == {"role": "user", "content": "Hi"}

    def test_csv_with_capitals_and_the_index_of_pandas(self, tmp_path: Path) -> None:
        (outcome,) = read(tmp_path, "a.csv", b",Prompt,Completion\n0,Hi,Hello\n")
        assert [turn.content for turn in outcome.record.messages()] == ["Hi", "Hello"]
        assert outcome.record.fields == {"Unnamed: 0": "0", "Prompt": "Hi", "Completion": "Hello"}

    @pytest.mark.parametrize(
        "table",
        [
            {"prompt": {"0": "a", "1": "c"}, "completion": {"0": "b", "1": "d"}},
            {"columns": ["prompt", "completion"], "index": [0, 1], "data": [["a", "b"], ["c", "d"]]},
            {"0": {"prompt": "a", "completion": "b"}, "1": {"prompt": "c", "completion": "d"}},
            {"prompt": ["a", "c"], "completion": ["b", "d"]},
        ],
    )
    def test_one_object_for_a_whole_table(self, tmp_path: Path, table: dict[str, Any]) -> None:
        outcomes = read(tmp_path, "a.json", json.dumps(table).encode())
        assert [outcome.record.fields for outcome in outcomes] == [
            {"prompt": "a", "completion": "b"},
            {"prompt": "c", "completion": "d"},
        ]
        assert [outcome.record.origin.line for outcome in outcomes] == [1, 2]

    @pytest.mark.parametrize("size", [3, 1 << 16])
    def test_every_split_of_a_file_is_read_and_each_row_knows_its_own(
        self, tmp_path: Path, size: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(lines, "CHUNK", size)
        outcomes = read(tmp_path, "a.json", json.dumps({"train": ROWS, "test": ROWS[:1], "note": "x"}).encode())
        assert [outcome.record.fields for outcome in outcomes] == [*ROWS, ROWS[0]]
        assert [outcome.record.origin.split for outcome in outcomes] == ["train"] * 3 + ["test"]
        assert len({outcome.record.row_id for outcome in outcomes}) == 4

    def test_one_conversational_row_is_no_table(self, tmp_path: Path) -> None:
        row = {"prompt": ROWS[2]["messages"][:1], "completion": ROWS[2]["messages"][1:]}
        assert [outcome.record.fields for outcome in read(tmp_path, "a.json", json.dumps(row).encode())] == [row]

    def test_messages_written_as_json_text_are_messages(self, tmp_path: Path) -> None:
        (outcome,) = read(tmp_path, "a.jsonl", jsonl([{"messages": json.dumps(ROWS[2]["messages"])}]))
        assert outcome.record.fields == ROWS[2]

    def test_text_in_another_encoding_says_which_and_is_read_when_that_is_said(self, tmp_path: Path) -> None:
        row = {"prompt": "Où est mon colis\xa0?", "completion": "Il arrive demain – “promis”, 5 €."}
        data = jsonl([row]).decode().encode("cp1252")
        (outcome,) = read(tmp_path, "a.jsonl", data)
        assert outcome.removal and outcome.removal.rule == "encoding"
        assert '"encoding": "windows-1252"' in outcome.removal.reason
        said = Reading("windows-1252")
        assert [one.record.fields for one in read_rows(tmp_path / "a.jsonl", reading=said)] == [row]
        assert count_rows(tmp_path / "a.jsonl", "a.jsonl", "windows-1252") == 1
        (tmp_path / "b.jsonl").write_bytes(jsonl([row]).decode().encode("utf-16"))
        assert [one.record.fields for one in read_rows(tmp_path / "b.jsonl", reading=Reading("utf-16"))] == [row]
        with pytest.raises(InputError, match="is not utf-16 text"):
            list(read_rows(tmp_path / "a.jsonl", reading=Reading("utf-16")))


class TestProvenance:
    def test_a_row_says_where_it_came_from(self, tmp_path: Path) -> None:
        path = tmp_path / "x.jsonl"
        path.write_bytes(b'\n{"prompt": "a", "author": "Ann"}\n')
        said = {"source": "desk", "author": "nobody", "created_at": "2026-01-01"}
        (outcome,) = read_rows(path, object_key="d/x.jsonl", version="v7", drop="20260101-abc", defaults=said)
        origin = outcome.record.origin
        assert (origin.object_key, origin.version, origin.line, origin.drop) == ("d/x.jsonl", "v7", 2, "20260101-abc")
        assert (origin.source, origin.author, origin.created_at) == ("desk", "Ann", "2026-01-01")

    def test_row_ids_depend_on_content_and_line_only(self, tmp_path: Path) -> None:
        one, two = (read(tmp_path, name, jsonl([*ROWS, ROWS[0]])) for name in ("a.jsonl", "b.jsonl"))
        assert [row.record.row_id for row in one] == [row.record.row_id for row in two]
        assert len({row.record.row_id for row in one}) == 4
        compact = read(tmp_path, "c.json", json.dumps(ROWS).encode())  # all on one physical line
        assert len({row.record.row_id for row in compact}) == 3
