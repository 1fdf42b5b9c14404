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

import dagster as dg
import pytest
import yaml

from assets.outcome import FILES, names_of
from assets.raw.asset import raw_drop
from assets.raw.drops import discover
from assets.raw.sharded import SHARDS as RAW_SHARDS
from assets.sanitized.asset import sanitized_records
from assets.shards.joining import file_of, join
from assets.shards.rounds import Tools, shard
from assets.shards.workers import make_all
from assets.stage import drops, judged, policy_of, proven
from assets.validated.asset import validated_records
from assets.validated.sharded import IDENTITIES, buckets_for
from expectations.checks import build_checks
from expectations.policy import DEFAULT_POLICY, Policy
from expectations.suite import RecordSuite
from resources.artifacts import Artifact, Counts
from resources.errors import GateRefused, HallmarkError, StoreError
from resources.project import Project
from resources.vault import Vault

ROOT = Path(__file__).resolve().parents[3]
ASSETS = {"raw_drop": raw_drop, "validated_records": validated_records, "sanitized_records": sanitized_records}
KEY = "5" * 64
MODIFIED = (1_790_000_000, 1_790_000_000)


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


class House:
    """A workspace with one drop of three objects, of which one cannot be cut, and an instance to run it in."""

    def __init__(self, root: Path, shard_rows: int, count: int = 1000, **project: object) -> None:
        policy = yaml.safe_load(DEFAULT_POLICY.read_text())
        policy["settings"]["raw_drop"] = {"shard_rows": shard_rows}
        root.mkdir(parents=True, exist_ok=True)
        (root / "policy.yaml").write_text(yaml.safe_dump(policy))
        self.project = Project(home=str(root), policy=str(root / "policy.yaml"), **project)
        folder = self.project.workspace.drops / "export"
        folder.mkdir(parents=True)
        lines = rows(count)
        (folder / "a.jsonl").write_bytes(b"\xef\xbb\xbf" + b"\n".join(lines[: count // 2]) + b"\n\n")
        (folder / "b.jsonl").write_bytes(b"\n".join(lines[count // 2 :]))
        (folder / "c.csv").write_text(
            "prompt,completion\n" + "".join(f"Is {n} open?,Yes it is number {n}.\n" for n in range(30))
        )
        (folder / "d.jsonl").write_bytes((folder / "b.jsonl").read_bytes())
        (folder / "e.jsonl").write_bytes(b"\n")
        (folder / "manifest.json").write_text('{"source": "helpdesk", "created_at": "2026-11-02"}')
        for path in folder.iterdir():
            os.utime(path, MODIFIED)
        (drop,) = discover(self.project.object_store())
        self.partition = drop.partition
        self.instance = dg.DagsterInstance.ephemeral()
        self.instance.add_dynamic_partitions(str(drops.name), [self.partition])

    def run(self, *stages: str) -> dg.ExecuteInProcessResult:
        guards = [
            c for c in build_checks(Policy.load()) if any(key.asset_key.path[-1] in stages for key in c.check_keys)
        ]
        return dg.materialize(
            [*(ASSETS[stage] for stage in stages), *guards],
            instance=self.instance,
            partition_key=self.partition,
            resources={"project": self.project, "record_suite": RecordSuite},
            raise_on_error=False,
        )

    def artifact(self, stage: str) -> Artifact:
        found = self.project.artifacts.current(stage, self.partition)
        assert found is not None, stage
        return found

    def content(self, stage: str) -> dict[str, bytes]:
        """The bytes of each fate's rows, shards one after another."""
        made = self.artifact(stage)
        return {
            fate: b"".join(made.path(name).read_bytes() for name in names_of(made.manifest.files, fate))
            for fate in FILES
        }

    def vault(self) -> list[dict[str, object]]:
        found = []
        for path in self.project.workspace.vault_files(self.partition):
            found += [
                dataclasses.asdict(entry) for entry in Vault(path, self.project.vault_secret(), path.name).entries()
            ]
        return found


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HALLMARK_VAULT_KEY", KEY)


def same(left: House, right: House, *stages: str) -> None:
    for stage in stages:
        one, other = left.artifact(stage).manifest, right.artifact(stage).manifest
        assert left.content(stage) == right.content(stage), stage
        assert one.counts == other.counts and one.metrics == other.metrics, stage
        assert one.details == {name: value for name, value in other.details.items() if name != "shards"}, stage


def test_a_drop_in_shards_is_the_drop_in_one_piece(tmp_path: Path) -> None:
    """The two stages that need no language engine; copies are far from their first row, in other shards."""
    stages = ("raw_drop", "validated_records")
    whole, cut = House(tmp_path / "whole", 250_000, count=300), House(tmp_path / "cut", 60, count=300, spread=True)
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
    stages = tuple(ASSETS)
    whole, cut = House(tmp_path / "whole", 250_000), House(tmp_path / "cut", 50, spread=spread, processes=2)
    assert whole.run(*stages).success
    result = cut.run(*stages)
    assert result.success, [event.message for event in result.all_events if event.is_failure]
    same(whole, cut, *stages)
    shards = cut.artifact("sanitized_records").manifest.details["shards"]
    assert len(shards) >= 20 and "shards" not in whole.artifact("raw_drop").manifest.details
    assert whole.vault() and whole.vault() == cut.vault()
    assert len(cut.project.workspace.vault_files(cut.partition)) > 5
    steps = {event.step_key for event in result.all_events if event.event_type_value == "STEP_SUCCESS"}
    assert (f"sanitized_records.sanitized_records_shard[{len(shards) - 1:05d}]" in steps) == spread
    copies = cut.artifact("validated_records").manifest.metrics["duplicate_share"]
    assert copies.value and copies.value > 0.03


def planned(root: Path, shard_rows: int = 40) -> tuple[House, Tools, list[int]]:
    house = House(root, shard_rows, count=200)
    RAW_SHARDS.prepare(house.project, house.partition)
    return house, Tools(house.project), RAW_SHARDS.missing(house.project, house.partition)


def test_a_killed_worker_is_told_and_only_its_shard_is_made_again(tmp_path: Path) -> None:
    house, tools, missing = planned(tmp_path)
    assert len(missing) > 4
    for number in missing[2:]:
        RAW_SHARDS.make(tools, house.partition, number)
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
    words = [json.dumps(house.project.model_dump()), house.partition, str(missing[0])]
    killed = subprocess.run([sys.executable, "-c", script, *words], cwd=ROOT, env=os.environ)
    assert killed.returncode == -signal.SIGKILL
    left = list((house.project.artifacts.root / ".drafts").glob("*/records.jsonl"))
    assert left  # half a shard, which nobody reads as whole
    assert RAW_SHARDS.missing(house.project, house.partition) == missing[:2]
    assert house.run("raw_drop").success
    assert {path: path.stat().st_mtime_ns for path in sealed} == sealed
    whole = House(tmp_path / "whole", 250_000, count=200)
    assert whole.run("raw_drop").success
    same(whole, house, "raw_drop")


def test_a_shard_that_another_process_is_making_is_waited_for_and_not_made_twice(tmp_path: Path) -> None:
    house, tools, missing = planned(tmp_path)
    inputs = RAW_SHARDS.tasks(house.project, house.partition)[missing[0]]
    name, store = shard(house.partition, missing[0]), house.project.artifacts
    with concurrent.futures.ThreadPoolExecutor() as pool:
        with store.draft(RAW_SHARDS.name, name, RAW_SHARDS.code_version, inputs) as draft:
            second = pool.submit(RAW_SHARDS.make, tools, house.partition, missing[0])
            time.sleep(0.3)
            assert not second.done()
            first = RAW_SHARDS.build(tools, house.partition, missing[0], draft)
        assert second.result(timeout=60).manifest == first.manifest
    assert not list((store.root / ".drafts").glob("*.json"))


def test_a_worker_that_dies_is_named_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import assets.shards.workers as workers

    house, tools, missing = planned(tmp_path)
    monkeypatch.setattr(workers, "MODULE", "tests.no_such_module")
    tools = Tools(tools.project.model_copy(update={"processes": 2}))
    with pytest.raises(HallmarkError, match=r"ended with status 1.*shards that are made are kept"):
        make_all(tools, RAW_SHARDS, house.partition, missing)
    with pytest.raises(HallmarkError, match="was not made; run again"):
        RAW_SHARDS.made(house.project, house.partition)


def test_conservation_is_asked_of_every_shard(tmp_path: Path) -> None:
    house, _, _ = planned(tmp_path)
    assert house.run("raw_drop").success
    parts = RAW_SHARDS.made(house.project, house.partition)
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
    house, tools, missing = planned(tmp_path)
    for number in missing:
        RAW_SHARDS.make(tools, house.partition, number)
    liar = RAW_SHARDS.made(house.project, house.partition)[2]
    told = json.loads((liar.folder / "report.json").read_bytes())
    told["objects"][0]["rows"] -= 1
    (liar.folder / "report.json").write_text(json.dumps(told))
    result = house.run("raw_drop")
    assert not result.success
    (gate,) = [
        gate for gate in judged(policy_of(house.project), house.artifact("raw_drop")) if gate.gate == "raw_conserved"
    ]
    assert gate.verdict == "fail" and gate.value == 1
    with pytest.raises(GateRefused, match="raw_conserved"):
        proven(house.project, "raw_drop", house.partition)


def test_a_shard_that_was_changed_is_refused_by_the_next_stage(tmp_path: Path) -> None:
    house, _, _ = planned(tmp_path)
    assert house.run("raw_drop").success
    target = house.artifact("raw_drop").path(file_of(3, "records.jsonl"))
    target.write_bytes(target.read_bytes()[:-30])
    result = house.run("validated_records")
    assert not result.success and house.project.artifacts.current("validated_records", house.partition) is None


def test_an_object_that_changes_between_plan_and_shard_is_refused(tmp_path: Path) -> None:
    house, tools, missing = planned(tmp_path)
    path = house.project.workspace.drops / "export" / "a.jsonl"
    body = path.read_bytes()
    path.write_bytes(body.replace(b"parcel 1 ", b"parcel 2 "))
    with pytest.raises(StoreError, match="no longer in the store"):
        RAW_SHARDS.make(tools, house.partition, missing[0])
    path.write_bytes(body)
    os.utime(path, MODIFIED)
    assert RAW_SHARDS.make(tools, house.partition, missing[0]).manifest.counts.conserved


def test_a_drop_whose_rows_are_many_is_judged_in_more_buckets() -> None:
    assert buckets_for(1) == 1 and buckets_for(8_000_000) == 1 and buckets_for(8_000_001) == 2
    assert buckets_for(1_000_000_000) == 125
    assert IDENTITIES.name == "validated_records.identities" and shard("d", 3) == "d.00003"
