"""Stories about what a drop is and which drops are new."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from assets.raw.drops import Drop, discover, scan
from resources.object_store import ObjectStore

LATER = datetime.now(UTC) + timedelta(hours=1)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "drops").mkdir()
    return tmp_path / "drops"


@pytest.fixture
def store(root: Path) -> ObjectStore:
    return ObjectStore.open(root.as_uri())


def put(store: ObjectStore, key: str, data: bytes | dict[str, Any] = b'{"prompt": "a"}') -> None:
    store.put(data if isinstance(data, bytes) else json.dumps(data).encode(), key)


def names(drops: list[Drop]) -> list[str]:
    return [drop.name for drop in drops]


def test_a_lone_object_is_a_drop_and_a_folder_is_one_once_its_manifest_is_there(store: ObjectStore) -> None:
    put(store, "lone.jsonl")
    put(store, "week/a.jsonl")
    put(store, "week/deep/b.csv")
    assert names(discover(store)) == ["lone.jsonl"]
    put(store, "week/manifest.json", {"source": "desk", "kind": "feedback"})
    lone, week = discover(store)
    assert [info.key for info in week.objects] == ["week/a.jsonl", "week/deep/b.csv"]
    assert (week.kind, week.manifest.source, lone.kind) == ("feedback", "desk", "data")


def test_names_with_a_dot_or_an_underscore_in_front_are_no_data(store: ObjectStore) -> None:
    for key in ("_SUCCESS", "manifest.json", "week/_temporary/x.jsonl", "week/a.jsonl", "week/manifest.json"):
        put(store, key, {})
    (drop,) = discover(store)
    assert [info.key for info in drop.objects] == ["week/a.jsonl"]


def test_the_partition_is_the_day_and_the_content(store: ObjectStore, root: Path) -> None:
    put(store, "week/a.jsonl")
    put(store, "week/manifest.json", {})
    os.utime(root / "week" / "a.jsonl", (1_700_000_000, 1_700_000_000))
    (first,) = discover(store)
    assert first.partition == f"20231114-{first.fingerprint[:12]}"
    os.utime(root / "week" / "a.jsonl", (1_800_000_000, 1_800_000_000))
    (touched,) = discover(store)
    assert touched.fingerprint == first.fingerprint
    put(store, "week/a.jsonl", b"changed")
    (changed,) = discover(store)
    assert changed.fingerprint != first.fingerprint


def test_the_manifest_counts_as_content(store: ObjectStore) -> None:
    put(store, "week/a.jsonl")
    put(store, "week/manifest.json", {})
    (first,) = discover(store)
    put(store, "week/manifest.json", {"source": "x"})
    assert discover(store)[0].fingerprint != first.fingerprint


@pytest.mark.parametrize(
    "manifest",
    [b"{not json", {"kind": "gossip"}, {"objects": [{"key": "a.jsonl", "sha256": "zz"}]}, {"objects": [{}]}, b"[]"],
)
def test_a_manifest_that_is_not_valid_is_reported_with_its_drop(store: ObjectStore, manifest: Any) -> None:
    put(store, "ok.jsonl")
    put(store, "week/a.jsonl")
    put(store, "week/manifest.json", manifest)
    ok, week = discover(store)
    assert not ok.fault
    assert "manifest.json that is not valid" in week.fault


def test_a_manifest_alone_and_one_that_is_huge_are_faults(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    put(store, "week/manifest.json", {})
    assert "nothing but its manifest" in discover(store)[0].fault
    monkeypatch.setattr("assets.raw.drops.MANIFEST_LIMIT", 1)
    assert "at most 1 are read" in discover(store)[0].fault


class TestScan:
    def test_every_drop_is_announced_once(self, store: ObjectStore) -> None:
        put(store, "a.jsonl")
        found, cursor = scan(store, None, 10, now=LATER)
        assert names(found) == ["a.jsonl"]
        assert scan(store, cursor, 10, now=LATER) == ([], cursor)
        put(store, "b.jsonl", b"other")
        found, cursor = scan(store, cursor, 10, now=LATER)
        assert names(found) == ["b.jsonl"]

    def test_a_late_arrival_with_an_old_or_equal_date_is_not_lost(self, store: ObjectStore, root: Path) -> None:
        put(store, "m.jsonl")
        _, cursor = scan(store, None, 10, now=LATER)
        date = (root / "m.jsonl").stat().st_mtime
        for name, when in (("a.jsonl", date), ("z.jsonl", 0)):
            put(store, name, name.encode())
            os.utime(root / name, (when, when))
        assert names(scan(store, cursor, 10, now=LATER)[0]) == ["a.jsonl", "z.jsonl"]

    def test_a_changed_drop_is_a_new_one_and_one_put_back_is_known(self, store: ObjectStore) -> None:
        put(store, "a.jsonl", b"one")
        _, cursor = scan(store, None, 10, now=LATER)
        put(store, "a.jsonl", b"two")
        found, cursor = scan(store, cursor, 10, now=LATER)
        assert names(found) == ["a.jsonl"]

    @pytest.mark.parametrize(("limit", "objects"), [(2, 100), (100, 3), (1, 1)])
    def test_a_tick_does_a_bounded_piece_of_work_and_the_next_goes_on(
        self, store: ObjectStore, limit: int, objects: int
    ) -> None:
        for number in range(9):
            put(store, f"d{number}/x.jsonl", str(number).encode())
            put(store, f"d{number}/manifest.json", {})
        cursor, seen = None, []
        for _ in range(20):
            found, cursor = scan(store, cursor, limit, now=LATER, objects=objects)
            assert len(found) <= limit
            seen += names(found)
        assert seen == [f"d{number}/" for number in range(9)]
        put(store, "a.jsonl", b"late, and in front of all")
        late = []
        for _ in range(20):
            found, cursor = scan(store, cursor, limit, now=LATER, objects=objects)
            late += names(found)
        assert late == ["a.jsonl"]

    def test_drops_that_left_the_store_leave_the_cursor(self, store: ObjectStore, root: Path) -> None:
        for number in range(50):
            put(store, f"{number}.jsonl", str(number).encode())
        _, full = scan(store, None, 100, now=LATER)
        for path in root.glob("*.jsonl"):
            path.unlink()
        _, empty = scan(store, full, 100, now=LATER)
        assert len(empty) < 50 < len(full)

    def test_a_file_that_may_still_be_written_is_left_to_the_next_tick(self, store: ObjectStore) -> None:
        put(store, "a.jsonl")
        now = datetime.now(UTC)
        found, cursor = scan(store, None, 10, now=now)
        assert found == []
        assert names(scan(store, cursor, 10, now=now + timedelta(seconds=10))[0]) == ["a.jsonl"]
