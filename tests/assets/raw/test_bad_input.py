"""Stories about files that are broken: a bad row is rejected alone, a bad file is told of, and no reason quotes a row."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from assets.raw.formats import DAMAGE, count_rows, read_rows
from assets.raw.rows import MAX_ROW
from resources.errors import InputError
from tests.assets.raw.files import ROWS, jsonl, parquet, read, rules


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


def test_rows_of_a_broken_parquet_file_are_counted_by_nobody_and_its_fault_is_told(tmp_path: Path) -> None:
    path = tmp_path / "broken.parquet"
    path.write_bytes(b"PAR1 and then nothing of a parquet file")
    assert count_rows(path, path.name) is None
    with pytest.raises(InputError, match="parquet-unreadable"):
        list(read_rows(path))
