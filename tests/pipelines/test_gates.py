"""The walls hold in Dagster: a failed gate stops what follows, also when what follows is run alone, later, by hand."""

import json
from pathlib import Path

import dagster as dg
import pytest

from assets.outcome import read_lines
from expectations.checks import WHOLE_CHECK
from resources.artifacts import MANIFEST
from tests.house import House

GOOD = [{"prompt": f"Where is parcel number {n} today?", "completion": f"It is in depot {n}."} for n in range(30)]


def failed(result: dg.ExecuteInProcessResult) -> set[str]:
    return {check.check_name for check in result.get_asset_check_evaluations() if not check.passed}


def lines(rows: list[dict], *more: str) -> dict[str, bytes]:
    return {"a.jsonl": "".join(f"{line}\n" for line in (*map(json.dumps, rows), *more)).encode()}


def test_a_good_drop_passes_every_gate(tmp_path: Path) -> None:
    house = House(tmp_path, lines(GOOD))
    result = house.run("raw_drop", "validated_records")
    assert result.success, [event.message for event in result.all_events if event.is_failure]
    assert failed(result) == set()
    names = {check.check_name for check in result.get_asset_check_evaluations()}
    assert {WHOLE_CHECK, "raw_conserved", "validated_conserved"} <= names
    materialized = result.asset_materializations_for_node("validated_records")[0]
    assert materialized.metadata["dagster/row_count"].value == 30
    assert (
        materialized.tags["dagster/data_version"]
        == house.project.artifacts.current("validated_records", house.partition).manifest.digest
    )


def test_a_failed_gate_stops_what_follows_in_the_run_and_alone_and_later(tmp_path: Path) -> None:
    house = House(tmp_path, lines(GOOD, *["{ not json"] * 20))
    result = house.run("raw_drop", "validated_records")
    assert not result.success
    assert "raw_rejected_share" in failed(result)
    assert house.made("raw_drop") and not house.made("validated_records")
    alone = house.run("validated_records")
    assert not alone.success and not house.made("validated_records")
    failure = alone.failure_data_for_node("validated_records")
    assert failure is not None and "raw_rejected_share" in str(failure.error)


def test_the_same_file_under_another_name_is_not_taken_twice(tmp_path: Path) -> None:
    house = House(tmp_path, lines(GOOD))
    assert house.run("raw_drop").success
    first, store = house.partition, house.project.workspace.drops
    (store / "again.jsonl").write_bytes((store / "a.jsonl").read_bytes())
    (house.partition,) = house.announced() - {first}
    assert "raw_rows" in failed(house.run("raw_drop"))
    again = house.project.artifacts.current("raw_drop", house.partition)
    (removed,) = read_lines(again.path("rejected.jsonl"), house.project.line_cipher())
    assert "duplicate-object" in str(removed) and f"a.jsonl of drop {first}" in str(removed)
    house.partition = first  # and the first one stays what it was
    assert house.run("raw_drop").success


@pytest.mark.parametrize("harm", ["changed", "forged"])
def test_a_predecessor_that_was_tampered_with_is_refused(tmp_path: Path, harm: str) -> None:
    house = House(tmp_path, lines(GOOD))
    assert house.run("raw_drop").success
    raw = house.project.artifacts.current("raw_drop", house.partition)
    if harm == "changed":
        target = raw.path("records.jsonl")
        target.write_bytes(target.read_bytes().replace(b"A", b"B", 1))
    else:
        body = json.loads(raw.path(MANIFEST).read_bytes())
        body["metrics"]["rejected_share"]["value"] = None
        raw.path(MANIFEST).write_text(json.dumps(body))
    alone = house.run("validated_records")
    assert not alone.success and not house.made("validated_records")


def test_rows_that_vanish_are_found(tmp_path: Path) -> None:
    house = House(tmp_path, lines(GOOD))
    assert house.run("raw_drop").success
    raw = house.project.artifacts.current("raw_drop", house.partition)
    kept = raw.path("records.jsonl").read_text().splitlines(keepends=True)[:-1]
    raw.path("records.jsonl").write_text("".join(kept))
    again = house.run("raw_drop")
    assert not again.success
    assert not house.made("validated_records")


def test_running_again_with_nothing_new_makes_nothing_new(tmp_path: Path) -> None:
    house = House(tmp_path, lines(GOOD))
    first = house.run("raw_drop", "validated_records")
    written = house.project.artifacts.current("validated_records", house.partition).manifest
    second = house.run("raw_drop", "validated_records")
    assert first.success and second.success
    assert house.project.artifacts.current("validated_records", house.partition).manifest == written
