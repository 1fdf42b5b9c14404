"""Stories about a drop becoming rows: provenance, promises of the manifest, objects that are no use."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from assets.outcome import Outcome
from assets.raw.drops import discover
from assets.raw.formats import read_rows
from assets.raw.ingest import RawReport, ingest
from expectations.policy import Policy
from resources.errors import InputError, StoreError
from resources.folder_store import FolderStore
from resources.object_store import ObjectStore

ROW = b'{"prompt": "Hi", "completion": "Hello"}\n'


@pytest.fixture
def store(tmp_path: Path) -> ObjectStore:
    (tmp_path / "drops").mkdir()
    (tmp_path / "spool").mkdir()
    return ObjectStore.open((tmp_path / "drops").as_uri())


def run(store: ObjectStore, spool: Path, **objects: bytes | dict[str, Any]) -> tuple[list[Outcome], RawReport]:
    """Put a drop of these objects (``_`` in a name stands for its dot), ingest it."""
    for name, data in objects.items():
        store.put(data if isinstance(data, bytes) else json.dumps(data).encode(), f"d/{name.replace('_', '.')}")
    if not any(name.startswith("manifest") for name in objects):
        store.put(b"{}", "d/manifest.json")
    report = RawReport()
    (drop,) = discover(store)
    outcomes = list(ingest(store, drop, spool, report))
    assert not list(spool.iterdir())  # raw text does not stay behind
    return outcomes, report


def rules(outcomes: list[Outcome]) -> list[str]:
    return [outcome.removal.rule if outcome.removal else "" for outcome in outcomes]


def test_rows_of_all_objects_with_their_provenance(store: ObjectStore, tmp_path: Path) -> None:
    store.put(ROW * 2, "d/a.jsonl", {"source": "chat", "author": "Ann"})
    manifest = {
        "source": "desk",
        "created_at": "2026-11-02",
        "objects": ["a.jsonl", {"key": "b.csv", "source": "mail"}],
    }
    outcomes, report = run(store, tmp_path / "spool", b_csv=b"prompt,completion\nq,a\n", manifest_json=manifest)
    assert rules(outcomes) == ["", "", ""]
    assert [(o.record.origin.object_key, o.record.origin.line) for o in outcomes] == [
        ("d/a.jsonl", 1),
        ("d/a.jsonl", 2),
        ("d/b.csv", 2),
    ]
    first, last = outcomes[0].record.origin, outcomes[2].record.origin
    assert (first.source, first.author, first.created_at) == ("chat", "Ann", "2026-11-02")
    assert (last.source, last.author) == ("mail", "")
    assert first.digest == hashlib.sha256(ROW.strip()).hexdigest()
    assert first.version and first.drop == discover(store)[0].partition
    assert [(entry.rows, entry.owed, entry.fault) for entry in report.objects] == [(2, 2, ""), (1, None, "")]
    assert report.metrics()["unaccounted_rows"].value == 0
    assert report.objects[0].sha256 == hashlib.sha256(ROW * 2).hexdigest()


def test_a_parser_that_loses_rows_is_caught_by_an_independent_count(
    store: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forgetful(*given: Any, **named: Any) -> Any:
        return (outcome for place, outcome in enumerate(read_rows(*given, **named)) if place != 1)

    monkeypatch.setattr("assets.raw.ingest.read_rows", forgetful)
    _, report = run(
        store, tmp_path / "spool", a_jsonl=b"\xef\xbb\xbf" + ROW * 3 + b"\n \n" + b"no json", b_csv=b"prompt\nx\ny\n"
    )
    assert [(entry.rows, entry.owed) for entry in report.objects] == [(3, 4), (1, None)]
    unaccounted = report.metrics()["unaccounted_rows"]
    assert (unaccounted.value, unaccounted.n) == (1, 1)
    conserved = next(gate for gate in Policy.load().gates_of("raw_drop") if gate.metric == "unaccounted_rows")
    assert conserved.judge(report.metrics()).verdict == "fail"


def test_the_digest_in_the_manifest_is_checked(store: ObjectStore, tmp_path: Path) -> None:
    listed = [{"key": "a.jsonl", "sha256": hashlib.sha256(ROW).hexdigest()}, {"key": "b.jsonl", "sha256": "0" * 64}]
    outcomes, report = run(
        store, tmp_path / "spool", a_jsonl=ROW, b_jsonl=b'{"prompt": "forged"}', manifest_json={"objects": listed}
    )
    assert rules(outcomes) == ["", "digest-mismatch"]
    assert report.metrics()["unusable_objects"].value == 1


def test_an_object_the_manifest_does_not_list_is_rejected(store: ObjectStore, tmp_path: Path) -> None:
    outcomes, report = run(
        store,
        tmp_path / "spool",
        a_jsonl=ROW,
        z_jsonl=b'{"prompt": "slipped in"}',
        manifest_json={"objects": ["a.jsonl"]},
    )
    assert rules(outcomes) == ["", "unlisted-object"]
    assert report.metrics()["unusable_objects"].value == 1


def test_an_object_the_manifest_lists_and_that_is_missing_stops_the_drop(store: ObjectStore, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"lists 1 objects that are not there, d/b\.jsonl") as caught:
        run(store, tmp_path / "spool", a_jsonl=ROW, manifest_json={"objects": ["a.jsonl", "b.jsonl"]})
    assert caught.value.rule == "drop-incomplete"


def test_a_drop_with_a_broken_manifest_is_an_input_error(store: ObjectStore, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not valid"):
        run(store, tmp_path / "spool", a_jsonl=ROW, manifest_json=b"{")


def test_the_same_bytes_twice_are_read_once(store: ObjectStore, tmp_path: Path) -> None:
    outcomes, report = run(store, tmp_path / "spool", a_jsonl=ROW * 3, b_jsonl=ROW * 3, c_jsonl=ROW * 3)
    assert rules(outcomes) == ["", "", "", "duplicate-object", "duplicate-object"]
    assert "d/a.jsonl" in outcomes[3].removal.reason  # type: ignore[union-attr]
    assert report.metrics()["unusable_objects"].value == 0
    assert len({outcome.record.row_id for outcome in outcomes}) == 5


@pytest.mark.parametrize(
    ("name", "data", "rule", "unusable"),
    [
        ("b_jsonl", b"", "empty-object", 0),
        ("b_jsonl", ROW.decode().encode("utf-16"), "encoding", 1),
        ("b_pdf", b"%PDF-1.7", "format-unknown", 1),
        ("b_json", b'[{"prompt": "a"}, {"pro', "json-truncated", 1),
        ("b_parquet", b"PAR1 no", "parquet-unreadable", 1),
    ],
)
def test_an_unreadable_object_is_one_outcome_and_the_others_are_read(
    store: ObjectStore, tmp_path: Path, name: str, data: bytes, rule: str, unusable: int
) -> None:
    outcomes, report = run(store, tmp_path / "spool", **{name: data}, c_jsonl=ROW)
    assert rules(outcomes)[-2:] == [rule, ""]
    assert report.metrics()["unusable_objects"].value == unusable
    assert outcomes[-2].record.origin.object_key.startswith("d/b.")


def test_a_drop_that_changes_while_it_is_read_stops(store: ObjectStore, tmp_path: Path) -> None:
    store.put(ROW, "d/a.jsonl")
    store.put(b'{"prompt": "b"}', "d/b.jsonl")
    store.put(b"{}", "d/manifest.json")
    (drop,) = discover(store)
    outcomes = ingest(store, drop, tmp_path / "spool")
    next(outcomes)
    store.put(b'{"prompt": "something else"}', "d/b.jsonl")
    with pytest.raises(StoreError, match="changed while it was read"):
        list(outcomes)
    assert not list((tmp_path / "spool").iterdir())


def test_a_store_that_goes_down_in_the_middle_stops_with_its_own_error(tmp_path: Path) -> None:
    class Failing(FolderStore):
        def _stream(self, info: Any) -> Any:
            yield b"{"
            raise StoreError("the store cannot be reached")

    (tmp_path / "a.jsonl").write_bytes(ROW)
    (tmp_path / ".spool").mkdir()
    store = Failing(tmp_path)
    (drop,) = discover(store)
    with pytest.raises(StoreError, match="cannot be reached"):
        list(ingest(store, drop, tmp_path / ".spool"))
    assert not list((tmp_path / ".spool").iterdir())
