"""A large drop in shards is the drop in one piece: the same rows, fates, reasons, counts and metrics, in the same order."""

import concurrent.futures
import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from assets.outcome import FILES, names_of
from assets.raw.sharded import SHARDS as RAW_SHARDS
from assets.shards.joining import file_of, join
from assets.shards.rounds import Tools, shard
from assets.shards.workers import make_all
from assets.stage import judged, policy_of, proven
from assets.validated.sharded import IDENTITIES, buckets_for
from resources.artifacts import Artifact, Counts
from resources.errors import GateRefused, HallmarkError, StoreError
from resources.vault import Vault
from tests.house import ASSETS, MODIFIED, House

ROOT = Path(__file__).resolve().parents[3]
KEY = "5" * 64


def rows(count: int) -> list[bytes]:
    """Lines as real exports have them: answers, copies near and far, blanks, damage, another language, personal data."""
    lines = []
    for n in range(count):
        body = {
            "prompt": f"Where is parcel {n} of order {n * 7}?",
            "completion": f"It waits in depot {n % 90}, shelf {n}.",
        }
        if n % 17 == 3:
            body = {"prompt": "What are your opening hours today?", "completion": "From nine to five on working days."}
        if n % 23 == 5:
            body["completion"] += f" Write to clerk{n}@corp.example about it."
        if n % 41 == 7:
            body["completion"] = (
                "Das Paket liegt seit gestern Abend im Lager und wird morgen früh an Sie geliefert, bitte warten Sie."
            )
        if n % 53 == 11:
            body = {"prompt": f"And number {n}?", "note": "x"}
        lines.append(json.dumps(body).encode())
        if n % 61 == 13:
            lines.append(b"   ")
        if n % 71 == 17:
            lines.append(b"{ not json")
    return lines


def house(root: Path, shard_rows: int, count: int = 1000, **project: object) -> House:
    """One drop of five objects, of which one cannot be cut, one is a copy and one is empty."""
    lines = rows(count)
    second = b"\n".join(lines[count // 2 :])
    table = "".join(f"Is {n} open?,Yes it is number {n}.\n" for n in range(30))
    objects = {
        "export/a.jsonl": b"\xef\xbb\xbf" + b"\n".join(lines[: count // 2]) + b"\n\n",
        "export/b.jsonl": second,
        "export/c.csv": b"prompt,completion\n" + table.encode(),
        "export/d.jsonl": second,
        "export/e.jsonl": b"\n",
        "export/manifest.json": b'{"source": "helpdesk", "created_at": "2026-11-02"}',
    }
    unasked = {"controls": False, "model_rows": 0}  # of the screen, which has tests of its own
    return House(root, objects, {"raw_drop": {"shard_rows": shard_rows}, "screened_records": unasked}, **project)


def content(made: Artifact) -> dict[str, bytes]:
    """The bytes of each fate's rows, shards one after another."""
    return {
        fate: b"".join(made.path(name).read_bytes() for name in names_of(made.manifest.files, fate)) for fate in FILES
    }


def vault(house: House) -> list[dict[str, object]]:
    project, found = house.project, []
    for path in project.workspace.vault_files(house.partition):
        found += [dataclasses.asdict(entry) for entry in Vault(path, project.vault_secret(), path.name).entries()]
    return found


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HALLMARK_VAULT_KEY", KEY)


def same(left: House, right: House, *stages: str) -> None:
    for stage in stages:
        assert content(left.artifact(stage)) == content(right.artifact(stage)), stage
        one, other = left.artifact(stage).manifest, right.artifact(stage).manifest
        assert one.counts == other.counts and one.metrics == other.metrics, stage
        assert one.details == {name: value for name, value in other.details.items() if name != "shards"}, stage


def test_a_drop_in_shards_is_the_drop_in_one_piece(tmp_path: Path) -> None:
    """The two stages that need no language engine; copies are far from their first row, in other shards."""
    stages = ("raw_drop", "validated_records")
    whole, cut = house(tmp_path / "whole", 250_000, count=300), house(tmp_path / "cut", 60, count=300, spread=True)
    assert whole.run(*stages).success and cut.run(*stages).success
    same(whole, cut, *stages)
    made = cut.artifact("validated_records").manifest
    assert len(made.details["shards"]) == 6 and made.metrics["duplicate_share"].value > 0.03
    assert [entry["fault"] for entry in cut.artifact("raw_drop").manifest.details["objects"]] == [
        "", "", "", "duplicate-object", "empty-object",
    ]  # fmt: skip
    again = cut.run(*stages)  # nothing is made twice
    assert again.success and cut.artifact("validated_records").manifest == made


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("spread", [True, False], ids=["steps", "workers"])
def test_twenty_shards_give_the_rows_counts_metrics_and_vault_of_one_piece(tmp_path: Path, spread: bool) -> None:
    *stages, screen = ASSETS
    whole, cut = house(tmp_path / "whole", 250_000), house(tmp_path / "cut", 50, spread=spread, processes=2)
    assert whole.run(*stages).success
    result = cut.run(*stages)
    assert result.success, [event.message for event in result.all_events if event.is_failure]
    screened = cut.run(screen)  # which holds the copies in these rows, whether they are cut or not
    assert screened.success == whole.run(screen).success
    same(whole, cut, *stages, screen)
    shards = cut.artifact("sanitized_records").manifest.details["shards"]
    assert len(shards) >= 20 and "shards" not in whole.artifact("raw_drop").manifest.details
    assert vault(whole) and vault(whole) == vault(cut)
    assert len(cut.project.workspace.vault_files(cut.partition)) > 5
    events = (*result.all_events, *screened.all_events)
    steps = {event.step_key for event in events if event.event_type_value == "STEP_SUCCESS"}
    for stage in ("sanitized_records", screen):
        assert (f"{stage}.{stage}_shard[{len(shards) - 1:05d}]" in steps) == spread
    copies = cut.artifact("validated_records").manifest.metrics["duplicate_share"]
    assert copies.value and copies.value > 0.03


def planned(root: Path, shard_rows: int = 40) -> tuple[House, Tools, list[int]]:
    cut = house(root, shard_rows, count=200)
    RAW_SHARDS.prepare(cut.project, cut.partition)
    return cut, Tools(cut.project), RAW_SHARDS.missing(cut.project, cut.partition)


def test_a_killed_worker_is_told_and_only_its_shard_is_made_again(tmp_path: Path) -> None:
    cut, tools, missing = planned(tmp_path)
    assert len(missing) > 4
    for number in missing[2:]:
        RAW_SHARDS.make(tools, cut.partition, number)
    sealed = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("raw_drop.shard/*/*/records.jsonl")}
    script = (
        "import json, os, signal, sys\nfrom assets.raw import sharded\nfrom assets.shards.rounds import Tools\n"
        "from resources.project import Project\nimport assets.raw.ingest as ingest\n"
        "real = ingest.read_lines_from\n"
        "def dying(*words, **named):\n"
        "    for n, outcome in enumerate(real(*words, **named)):\n"
        "        if n == 20: os.kill(os.getpid(), signal.SIGKILL)\n"
        "        yield outcome\n"
        "ingest.read_lines_from = dying\n"
        "sharded.SHARDS.make(Tools(Project(**json.loads(sys.argv[1]))), sys.argv[2], int(sys.argv[3]))\n"
    )
    words = [json.dumps(cut.project.model_dump()), cut.partition, str(missing[0])]
    killed = subprocess.run([sys.executable, "-c", script, *words], cwd=ROOT, env=os.environ)
    assert killed.returncode == -signal.SIGKILL
    left = list((cut.project.artifacts.root / ".drafts").glob("*/records.jsonl"))
    assert left  # half a shard, which nobody reads as whole
    assert RAW_SHARDS.missing(cut.project, cut.partition) == missing[:2]
    assert cut.run("raw_drop").success
    assert {path: path.stat().st_mtime_ns for path in sealed} == sealed
    whole = house(tmp_path / "whole", 250_000, count=200)
    assert whole.run("raw_drop").success
    same(whole, cut, "raw_drop")


def test_a_shard_that_another_process_is_making_is_waited_for_and_not_made_twice(tmp_path: Path) -> None:
    cut, tools, missing = planned(tmp_path)
    inputs = RAW_SHARDS.tasks(cut.project, cut.partition)[missing[0]]
    name, store = shard(cut.partition, missing[0]), cut.project.artifacts
    with concurrent.futures.ThreadPoolExecutor() as pool:
        with store.draft(RAW_SHARDS.name, name, RAW_SHARDS.code_version, inputs) as draft:
            second = pool.submit(RAW_SHARDS.make, tools, cut.partition, missing[0])
            time.sleep(0.3)
            assert not second.done()
            first = RAW_SHARDS.build(tools, cut.partition, missing[0], draft)
        assert second.result(timeout=60).manifest == first.manifest
    assert not list((store.root / ".drafts").glob("*.json"))


def test_a_worker_that_dies_is_named_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import assets.shards.workers as workers

    cut, tools, missing = planned(tmp_path)
    monkeypatch.setattr(workers, "MODULE", "tests.no_such_module")
    tools = Tools(tools.project.model_copy(update={"processes": 2}))
    with pytest.raises(HallmarkError, match=r"ended with status 1.*shards that are made are kept"):
        make_all(tools, RAW_SHARDS, cut.partition, missing)
    with pytest.raises(HallmarkError, match="was not made; run again"):
        RAW_SHARDS.made(cut.project, cut.partition)


def test_conservation_is_asked_of_every_shard(tmp_path: Path) -> None:
    cut, _, _ = planned(tmp_path)
    assert cut.run("raw_drop").success
    parts = RAW_SHARDS.made(cut.project, cut.partition)
    came = [part.manifest.counts.rows_in for part in parts]
    assert join(parts, came).unaccounted == 0
    counts = parts[1].manifest.counts
    for changed in (
        Counts(counts.rows_in, counts.passed - 1, counts.quarantined, counts.rejected),
        Counts(counts.rows_in, counts.passed, counts.quarantined + 2, counts.rejected),
    ):
        altered = [*parts]
        altered[1] = dataclasses.replace(parts[1], manifest=dataclasses.replace(parts[1].manifest, counts=changed))
        assert join(altered, came).unaccounted > 0
    # One row lost here and one twice there: the sum is right, the shards are not.
    first = parts[0].manifest.counts
    crossed = [
        dataclasses.replace(part, manifest=dataclasses.replace(part.manifest, counts=new))
        for part, new in (
            (parts[0], dataclasses.replace(first, passed=first.passed + 1)),
            (parts[1], dataclasses.replace(counts, passed=counts.passed - 1)),
        )
    ]
    assert join([*crossed, *parts[2:]], came).unaccounted == 2


def test_a_shard_whose_count_was_altered_holds_the_drop(tmp_path: Path) -> None:
    """In the artefact that a gate reads: the stage is made again from shards of which one lies about its rows."""
    cut, tools, missing = planned(tmp_path)
    for number in missing:
        RAW_SHARDS.make(tools, cut.partition, number)
    liar = RAW_SHARDS.made(cut.project, cut.partition)[2]
    told = json.loads((liar.folder / "report.json").read_bytes())
    told["objects"][0]["rows"] -= 1
    (liar.folder / "report.json").write_text(json.dumps(told))
    result = cut.run("raw_drop")
    assert not result.success
    (gate,) = [
        gate for gate in judged(policy_of(cut.project), cut.artifact("raw_drop")) if gate.gate == "raw_conserved"
    ]
    assert gate.verdict == "fail" and gate.value == 1
    with pytest.raises(GateRefused, match="raw_conserved"):
        proven(cut.project, "raw_drop", cut.partition)


def test_a_shard_that_was_changed_is_refused_by_the_next_stage(tmp_path: Path) -> None:
    cut, _, _ = planned(tmp_path)
    assert cut.run("raw_drop").success
    target = cut.artifact("raw_drop").path(file_of(3, "records.jsonl"))
    target.write_bytes(target.read_bytes()[:-30])
    result = cut.run("validated_records")
    assert not result.success and cut.project.artifacts.current("validated_records", cut.partition) is None


def test_an_object_that_changes_between_plan_and_shard_is_refused(tmp_path: Path) -> None:
    cut, tools, missing = planned(tmp_path)
    path = cut.project.workspace.drops / "export" / "a.jsonl"
    body = path.read_bytes()
    path.write_bytes(body.replace(b"parcel 1 ", b"parcel 2 "))
    with pytest.raises(StoreError, match="no longer in the store"):
        RAW_SHARDS.make(tools, cut.partition, missing[0])
    path.write_bytes(body)
    os.utime(path, MODIFIED)
    assert RAW_SHARDS.make(tools, cut.partition, missing[0]).manifest.counts.conserved


def test_a_drop_whose_rows_are_many_is_judged_in_more_buckets() -> None:
    assert buckets_for(1) == 1 and buckets_for(8_000_000) == 1 and buckets_for(8_000_001) == 2
    assert buckets_for(1_000_000_000) == 125
    assert IDENTITIES.name == "validated_records.identities" and shard("d", 3) == "d.00003"
