"""Objects are cut behind lines, whatever the lines are and however the bytes arrive; copies are found over buckets."""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from assets.raw.formats import count_rows, read_lines_from, read_rows
from assets.raw.layout import Piece, packed, scan
from assets.raw.reading import Reading
from assets.record import Origin, Record
from assets.validated.duplicates import CopiesFound, bucket_file, copies, write_identities
from assets.validated.facts import identity
from assets.validated.identities import Identities
from resources.digests import digest_bytes
from resources.errors import InputError

LINES = st.lists(
    st.sampled_from([b'{"prompt": "a", "completion": "b"}', b"", b"  ", b"{", b'{"text": "\xc3\xa9"}', b"\r", b"\xff"]),
    max_size=30,
)


@settings(max_examples=150, deadline=None)
@given(lines=LINES, mark=st.booleans(), ends=st.booleans(), rows=st.integers(1, 7), size=st.integers(1, 40))
def test_parts_hold_the_rows_of_the_whole_with_their_line_numbers(
    tmp_path_factory, lines: list[bytes], mark: bool, ends: bool, rows: int, size: int
) -> None:
    body = (b"\xef\xbb\xbf" if mark else b"") + b"\n".join(lines) + (b"\n" if ends else b"")
    folder: Path = tmp_path_factory.mktemp("cut")
    whole = folder / "a.jsonl"
    whole.write_bytes(body)
    found = scan((body[at : at + size] for at in range(0, len(body), size)), "a.jsonl", rows)
    assert found.sha256 == digest_bytes(body)
    try:
        expected = list(read_rows(whole, version="v"))
    except InputError:
        expected = []
    read = []
    for part in found.parts:
        cut = folder / "part"
        cut.write_bytes(body[part.span.start : part.span.end])
        assert digest_bytes(cut.read_bytes()) == part.sha256
        here = list(
            read_lines_from(
                cut,
                part.first_line,
                object_key="a.jsonl",
                digest=found.sha256,
                version="v",
                drop="",
                defaults={},
                reading=Reading(),
            )
        )
        assert len(here) == part.rows <= rows
        read += here
    assert [(o.fate, o.record, o.removal) for o in read] == [(o.fate, o.record, o.removal) for o in expected]
    assert sum(part.rows for part in found.parts) == count_rows(whole, "a.jsonl")


def test_what_has_no_lines_is_not_cut() -> None:
    rows = b"".join(b'{"prompt": "a", "completion": "b"}\n' for _ in range(50))
    assert len(scan([rows], "a.jsonl", 10).parts) == 5
    assert len(scan([rows], "named.json", 10).parts) == 5  # lines under another name
    for name, body in (
        ("a.csv", b"prompt,completion\n" + b"a,b\n" * 50),
        ("a.json", b"[" + rows.replace(b"\n", b",") + b"1]"),
    ):
        assert scan([body], name, 10).parts == ()
    assert scan([b"\x1f\x8b" + rows], "a.jsonl.gz", 10).parts == ()
    assert scan([rows], "a.jsonl", 10, Reading("utf-16")).parts == ()


def test_small_neighbours_share_a_shard() -> None:
    pieces = [(Piece(str(n), "", ""), rows) for n, rows in enumerate((3, 4, 5, 20, 1, 1))]
    assert [[piece.key for piece in shard] for shard in packed(pieces, 10)] == [["0", "1"], ["2"], ["3"], ["4", "5"]]


@settings(max_examples=60, deadline=None)
@given(
    said=st.lists(st.lists(st.integers(0, 6), max_size=12), min_size=1, max_size=5),
    buckets=st.integers(1, 5),
)
def test_buckets_find_the_copies_that_one_table_finds(tmp_path_factory, said: list[list[int]], buckets: int) -> None:
    folder: Path = tmp_path_factory.mktemp("copies")
    origin = Origin("a", "", 1, "")
    shards = [
        [Record("r", {"prompt": str(n), "completion": "x"} if n else {"odd": "1"}, origin) for n in each]
        for each in said
    ]
    expected, seen, ordinal = [], Identities(), 0
    for number, records in enumerate(shards):
        for place, record in enumerate(records):
            if (
                record.fields.get("prompt")
                and (first := seen.first(identity(record.conversation()), ordinal)) != ordinal
            ):
                expected.append((number, place, first))
            ordinal += 1
    places, starts, start = [], [], 0
    for number, records in enumerate(shards):
        place = folder / str(number)
        place.mkdir()
        write_identities(records, place, buckets)
        places.append(place)
        starts.append(start)
        start += len(records)
    found = CopiesFound(len(shards))
    every = [
        copy for bucket in range(buckets) for copy in copies([place / bucket_file(bucket) for place in places], starts)
    ]
    for copy in every:
        found.add(*copy)
    assert sorted(every) == expected
    assert [found.text(number) for number in range(len(shards))] == [
        str([[place, first] for at, place, first in expected if at == number]) for number in range(len(shards))
    ]
