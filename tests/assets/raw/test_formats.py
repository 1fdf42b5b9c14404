"""Stories about reading files that someone else wrote: every form comes in, and nothing is lost on the way."""

import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assets.outcome import Outcome
from assets.raw import lines
from assets.raw.formats import DAMAGE, SUFFIXES, count_rows, read_rows
from assets.raw.reading import Reading
from assets.raw.rows import MAX_ROW
from resources.errors import InputError

PROPERTY = settings(
    deadline=None, max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
SCALARS = st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    SCALARS | TEXT, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3), max_leaves=8
)
OBJECTS = st.dictionaries(TEXT.filter(lambda key: key not in ("messages", "instruction", "prompt")), VALUES, max_size=4)
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


class TestBadInput:
    @pytest.mark.parametrize(
        ("line", "rule"),
        [
            (b'{"prompt": "a', "json-syntax"),
            (b"not json at all", "json-syntax"),
            (b'{"prompt": "a"} {"prompt": "b"}', "json-syntax"),
            (b'{"prompt": "tab\there"}', "json-syntax"),
            (b'["a", "b"]', "not-an-object"),
            (b"null", "not-an-object"),
            (b'{"prompt": NaN}', "number-not-finite"),
            (b'{"prompt": [-Infinity]}', "number-not-finite"),
            (b'{"prompt": 1e999}', "number-not-finite"),
            (b'{"prompt": ' + b"9" * 5000 + b"}", "number-too-long"),
            (b'{"prompt": "a", "prompt": "b"}', "duplicate-key"),
            (b'{"x": {"a": 1, "a": 1}}', "duplicate-key"),
            (b'{"prompt": "\\ud800"}', "lone-surrogate"),
            (b'{"\\udc00": 1}', "lone-surrogate"),
            (b'{"prompt": "caf\xe9"}', "encoding"),
            (b'{"prompt": "\xed\xa0\x80"}', "encoding"),
            (b'{"a": ' * 40 + b"1" + b"}" * 40, "nesting"),
            (b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nesting"),
            (b"{" + b",".join(b'"%d":1' % n for n in range(1_001)) + b"}", "too-many-keys"),
        ],
    )
    def test_a_bad_row_is_rejected_alone(self, tmp_path: Path, line: bytes, rule: str) -> None:
        good = b'{"prompt": "fine"}'
        assert rules(read(tmp_path, "a.jsonl", b"\n".join([good, line, good]))) == ["", rule, ""]
        if rule != "json-syntax":  # an element without an end hides where the next one starts
            assert rules(read(tmp_path, "a.json", b"[" + b",".join([good, line, good]) + b"]")) == ["", rule, ""]

    def test_reasons_quote_nothing_of_the_row(self, tmp_path: Path) -> None:
        secret = b"hunter2secret"
        for line in (
            secret,
            b'{"prompt": {"' + secret + b'": NaN}}',
            b'{"' + secret + b'": 1, "' + secret + b'": 2}',
            secret + b"\xff",
        ):
            (outcome,) = read(tmp_path, "a.jsonl", line)
            assert outcome.removal and secret.decode() not in outcome.removal.reason
            assert outcome.record.fields == {}

    def test_a_line_of_64_mib_is_rejected_without_being_held(self, tmp_path: Path) -> None:
        import tracemalloc

        path = tmp_path / "a.jsonl"
        with path.open("wb") as stream:
            stream.write(b'{"prompt": "a"}\n{"prompt": "')
            for _ in range(64):
                stream.write(b"x" * (1 << 20))
            stream.write(b'"}\n{"prompt": "b"}\n')
        tracemalloc.start()
        outcomes = list(read_rows(path))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert rules(outcomes) == ["", "row-too-long", ""]
        assert peak < 4 * MAX_ROW

    def test_an_object_of_a_million_keys_is_rejected(self, tmp_path: Path) -> None:
        line = b"{" + b",".join(b'"%x":0' % n for n in range(1_000_000)) + b"}"
        assert rules(read(tmp_path, "a.jsonl", line + b"\n{}")) == ["row-too-long", ""]
        assert rules(read(tmp_path, "b.jsonl", line[: MAX_ROW // 2].rpartition(b",")[0] + b"}")) == ["too-many-keys"]

    def test_a_truncated_array_gives_its_whole_rows_and_says_that_it_is_cut(self, tmp_path: Path) -> None:
        data = json.dumps(ROWS).encode()
        for cut in (len(data) - 1, len(data) - 5, data.rindex(b",") + 1):
            outcomes = read(tmp_path, "a.json", data[:cut])
            assert rules(outcomes)[-1] == "json-truncated" in DAMAGE
            assert len(outcomes) >= 3

    @pytest.mark.parametrize("tail", [b"x", b'{"prompt": "b"}', b"]"])
    def test_what_follows_an_array_is_not_ignored(self, tmp_path: Path, tail: bytes) -> None:
        assert rules(read(tmp_path, "a.json", b'[{"prompt": "a"}]' + tail)) == ["", "json-trailing"]
        assert rules(read(tmp_path, "a.json", b'{"data": [{"prompt": "a"}], "x": 1}' + tail)) == ["", "json-trailing"]

    def test_a_damaged_gzip_gives_what_can_be_read_and_says_so(self, tmp_path: Path) -> None:
        data = gzip.compress(jsonl([{"prompt": str(n) * 50} for n in range(50_000)]))
        outcomes = read(tmp_path, "a.jsonl.gz", data[: len(data) // 2])
        assert rules(outcomes)[-1] == "gzip-damaged"
        assert len(outcomes) > 1000

    def test_csv_rows_that_do_not_fit_their_header(self, tmp_path: Path) -> None:
        data = b'prompt,completion\na,b,c\na\n"a"b,c\n\xff,b\nlone " quote,is text\n"open,\nx,y\n'
        outcomes = read(tmp_path, "a.csv", data)
        assert rules(outcomes) == ["csv-columns", "csv-columns", "csv-quoting", "encoding", "", "csv-quoting", ""]
        assert [outcome.record.origin.line for outcome in outcomes] == [2, 3, 4, 5, 6, 7, 8]

    @pytest.mark.parametrize("header", [b"a,a", b"a,,b", b"\xff,b", b'"a'])
    def test_csv_without_a_usable_header_is_refused_as_a_whole(self, tmp_path: Path, header: bytes) -> None:
        with pytest.raises(InputError) as caught:
            read(tmp_path, "a.csv", header + b"\n1,2\n")
        assert (caught.value.rule, caught.value.line) == ("csv-header", 1)

    def test_parquet_values_that_are_no_text_row(self, tmp_path: Path) -> None:
        rows: list[dict[str, Any]] = [{"prompt": "a", "output": float("nan")}, {"prompt": "b", "output": 1.0}]
        assert rules(read(tmp_path, "a.parquet", parquet(tmp_path, rows))) == ["number-not-finite", ""]
        assert rules(read(tmp_path, "b.parquet", parquet(tmp_path, [{"prompt": b"raw"}]))) == ["not-json"]

    @pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.csv", "a.txt", "a"])
    @pytest.mark.parametrize("data", [b"", b"\n \n", b"\xef\xbb\xbf"])
    def test_an_empty_file_is_an_input_error(self, tmp_path: Path, name: str, data: bytes) -> None:
        with pytest.raises(InputError, match="no rows") as caught:
            read(tmp_path, name, data)
        assert caught.value.rule == "empty-object"

    @pytest.mark.parametrize(
        ("name", "data", "rule"),
        [
            ("a.jsonl", '{"prompt": "a"}\n'.encode("utf-16"), "encoding"),
            ("a.parquet", b"PAR1 but then nothing", "parquet-unreadable"),
            ("a.parquet", b'{"prompt": "a"}', "format-mismatch"),
            ("a.jsonl", b"PAR1\x00", "format-mismatch"),
            ("a.bin", b"\x7fELF", "format-unknown"),
        ],
    )
    def test_a_file_that_is_no_rows_at_all(self, tmp_path: Path, name: str, data: bytes, rule: str) -> None:
        with pytest.raises(InputError) as caught:
            read(tmp_path, name, data)
        assert caught.value.rule == rule
        assert str(caught.value).startswith(name)

    def test_a_missing_file_is_an_input_error(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="cannot be read"):
            list(read_rows(tmp_path / "none.jsonl"))


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


def test_rows_of_a_broken_parquet_file_are_counted_by_nobody_and_its_fault_is_told(tmp_path: Path) -> None:
    path = tmp_path / "broken.parquet"
    path.write_bytes(b"PAR1 and then nothing of a parquet file")
    assert count_rows(path, path.name) is None
    with pytest.raises(InputError, match="parquet-unreadable"):
        list(read_rows(path))
