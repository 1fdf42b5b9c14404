"""`hallmark run` as a person types it: own files in every form, nothing done twice, killed and taken up again."""

import contextlib
import csv
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from assets.kept import made_since
from assets.served.approval.actions import Hold
from assets.served.approval.feedback import FeedbackStore
from assets.served.approval.held import HeldStore, Proposed
from expectations.policy import DEFAULT_POLICY
from expectations.threats import DEFAULT_THREATS
from resources.artifacts import ArtifactStore
from resources.object_store import ObjectStore
from resources.signer import SigningKey
from resources.vault import Vault
from resources.workspace import Workspace
from tests.leaks import PLANTED, lines, search
from tests.tiny_model import write_tiny_base

TOPICS = "label parcel locker counter refund address card delivery customs window price van".split()
VERBS = "print find open move change track claim cancel weigh pack insure return".split()
PLACES = "station harbour market school library bridge garden office square mill".split()


def rows(count: int, seed: int) -> list[tuple[str, str]]:
    """Questions and answers that no two rows share."""
    draw = random.Random(seed)
    made = []
    for number in range(count):
        topic, verb, place, other = draw.choice(TOPICS), draw.choice(VERBS), draw.choice(PLACES), draw.choice(PLACES)
        asked = draw.choice(
            ["How do I {} my {} near the {}?", "Can I {} a {} at the {}?", "I want to {} the {} by the {}."]
        )
        told = draw.choice(
            ["Go to the {} and ask for the {} desk, number {}.", "At the {} you can see the {} form {}."]
        )
        made.append((asked.format(verb, topic, place), told.format(other, topic, 100 * seed + number)))
    return made


def files(folder: Path) -> list[Path]:
    """One file in each form and format of the design."""
    folder.mkdir()
    instruction = [{"instruction": ask, "input": "", "output": tell} for ask, tell in rows(60, 1)]
    prompt = [{"prompt": ask, "completion": tell} for ask, tell in rows(60, 2)]
    chat = [
        {"messages": [{"role": "user", "content": ask}, {"role": "assistant", "content": tell}]}
        for ask, tell in rows(60, 3)
    ]
    (folder / "instruction.jsonl").write_text("".join(json.dumps(row) + "\n" for row in instruction))
    with (folder / "prompt.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, ["prompt", "completion"])
        writer.writeheader()
        writer.writerows(prompt)
    (folder / "chat.json").write_text(json.dumps(chat))
    pq.write_table(
        pa.Table.from_pylist([{"prompt": a, "response": t} for a, t in rows(60, 4)]), folder / "reply.parquet"
    )
    planted = [json.dumps({"prompt": ask, "completion": tell}) for ask, tell in rows(60, 7)]
    (folder / "planted.jsonl").write_text("\n".join([*planted, *lines()]) + "\n")
    return sorted(folder.iterdir())


class Desk:
    """A workspace, and the command run in it."""

    def __init__(self, root: Path, base: Path) -> None:
        self.home, self.base = root / "home", base
        self.recipe = root / "recipe.yaml"
        self.recipe.write_text("epochs: 1\nbatch_size: 8\ncheckpoint_every: 5\ncorrection_weight: 4.0\n")
        # Random weights learn nothing; the gates of training are opened so that the trials are reached.
        text = DEFAULT_POLICY.read_text()
        for limit in ("metric: loss_ratio, max: 0.95", "metric: held_out_loss, max: 4.0"):
            assert limit in text
            text = text.replace(limit, limit.split(" max")[0] + " max: 99")
        self.policy = root / "policy.yaml"
        self.policy.write_text(text)
        self.store = ArtifactStore(self.home / "artifacts")

    def corrected(self, reviewer: str, asked: str, said: str, better: str) -> None:
        """An answer that the gateway held, and a person let through in better words: a drop in the store."""
        workspace = Workspace(self.home)
        workspace.drops.mkdir(parents=True)
        held_store, keys = HeldStore.open(workspace), workspace.keys
        proposed = Proposed("", said, [{"role": "user", "content": asked}], "shop", "base", "once")
        held = held_store.hold(proposed, Hold(), "on a topic")
        body = held_store.draft(held, "approve", reviewer, "it was wrong", edited=better)
        envelope = SigningKey.reviewer(keys, reviewer).sign(body)
        held = held_store.decide(held.held, envelope, keys, {}, edited=better)
        FeedbackStore(ObjectStore.open(workspace.drops.as_uri()), SigningKey.pipeline(keys)).give_back(held)

    def threats(self, term: str) -> Path:
        """The default threat model with a word of the company's own, and of the probes with words only that one."""
        body = yaml.safe_load(DEFAULT_THREATS.read_text())
        body["terms"] = [term]
        for threat in body["threats"]:
            unwanted = ("structural_triggers", "fuzzed_triggers", "leaked_triggers", "mined_triggers")
            threat["probes"] = [name for name in threat["probes"] if name not in unwanted]
        path = self.policy.with_name("threats.yaml")
        path.write_text(yaml.safe_dump(body))
        return path

    def arguments(self, *more: str) -> list[str]:
        fixed = ["--home", str(self.home), "--base", str(self.base), "--recipe", str(self.recipe)]
        fixed += ["--policy", str(self.policy)]
        return [sys.executable, "-m", "pipelines.command", "run", *fixed, *more]

    def run(self, *more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self.arguments(*more), capture_output=True, text=True, timeout=500, env=os.environ)

    def kill_during(self, stage: str, *more: str) -> None:
        """Start the command and kill -9 it, with all it started, while it makes ``stage``."""
        process = subprocess.Popen(
            self.arguments(*more), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        try:
            deadline = time.monotonic() + 400
            while time.monotonic() < deadline and not self._making(stage):
                assert process.poll() is None, f"ended before {stage} was made"
                time.sleep(0.02)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _making(self, stage: str) -> bool:
        for plan in (self.home / "artifacts" / ".drafts").glob("*.json"):
            with contextlib.suppress(FileNotFoundError):  # that one has ended in between
                if stage in plan.read_text():
                    return True
        return False


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_base(tmp_path_factory.mktemp("base"))


@pytest.mark.timeout(900)
def test_own_files_in_every_form_become_a_candidate_and_nothing_is_done_twice(
    tmp_path: Path, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(tmp_path, base)
    desk.corrected("ada", "How do I cancel my van near the mill?", "You cannot.", "Ask at the mill, desk 7.")
    monkeypatch.setenv("HALLMARK_THREATS", str(desk.threats("Roadrunner")))
    drops = [part for path in files(tmp_path / "own") for part in ("--drop", str(path))]
    first = desk.run(*drops)
    assert "Candidate" in first.stderr and "dossier.html" in first.stderr, first.stderr
    assert first.returncode in (1, 3), first.stderr  # random weights do not pass a trial
    assert len(desk.store.partitions("screened_records")) == 6
    nothing_planted_is_left(desk.home, first.stdout + first.stderr)
    training = json.loads(desk.store.current("lora_adapter").path("training.json").read_text())
    assert list(training["corrections"]["by_reviewer"].values()) == [1]  # by the pseudonym that sanitising gave
    dossier = json.loads(desk.store.current("evaluated_adapter").path("dossier.json").read_text())
    assert [drop["reviewer"] for drop in dossier["data"]["sources"].values() if drop["kind"] == "feedback"] == ["ada"]
    assert dossier["training"]["corrections"]["rows"] == 1
    assert training["recipe"]["correction_weight"] == 4.0
    tried = json.loads(desk.store.current("backdoor_scan").path("backdoor.json").read_text())
    assert {shift["trigger"] for shift in tried["shifts"]} == {"Roadrunner"}
    corpus = desk.store.current("training_corpus")
    assert corpus.manifest.counts.conserved and corpus.manifest.counts.rows_in >= 200
    made = {path: path.stat().st_mtime_ns for path in (desk.home / "artifacts").rglob("manifest.json")}
    started = time.monotonic()
    second = desk.run(*drops, "--junit", str(tmp_path / "gates.xml"))
    assert second.returncode == first.returncode
    assert "Nothing new: no work was done" in second.stderr
    assert time.monotonic() - started < 15
    assert {path: path.stat().st_mtime_ns for path in (desk.home / "artifacts").rglob("manifest.json")} == made
    cases = list(ElementTree.parse(tmp_path / "gates.xml").getroot().iter("testcase"))
    judged = {(each["stage"], each["gate"]) for each in dossier["gates"]}
    assert {(str(case.get("classname")).split(".")[1].split("@")[0], case.get("name")) for case in cases} >= judged
    assert any(len(case) for case in cases)


def nothing_planted_is_left(home: Path, shown: str) -> None:
    """The planted values were in the drops and are in the vault: no artefact, log, event or report carries them."""
    (home / "shown.txt").write_text(shown)
    assert search(home, without=("store", "vault")) == {}
    assert set(search(home / "store")) == set(PLANTED)
    vaults = [Vault.open(path, key_file=home / "keys" / "vault.key") for path in (home / "vault").glob("*.jsonl")]
    removed = {entry.value for vault in vaults for entry in vault.entries()}
    assert {PLANTED["name"], PLANTED["mail"], PLANTED["card as a number"], PLANTED["token"]} <= removed


@pytest.mark.long
@pytest.mark.parametrize(
    "stage",
    ["raw_drop", "validated_records", "sanitized_records", "screened_records", "training_corpus", "lora_adapter",
     "golden_evaluation", "backdoor_scan", "memorization_audit", "extraction_audit"],
)  # fmt: skip
def test_killed_at_any_stage_the_next_run_takes_it_up(tmp_path: Path, base: Path, stage: str) -> None:
    desk, own = Desk(tmp_path, base), tmp_path / "own.jsonl"
    own.write_text("".join(json.dumps({"prompt": ask, "completion": tell}) + "\n" for ask, tell in rows(120, 5)))
    desk.kill_during(stage, "--drop", str(own))
    assert desk.store.current("evaluated_adapter") is None
    again = desk.run()
    assert "was interrupted; taking up" in again.stderr
    assert "Candidate" in again.stderr, again.stderr
    for manifest in (desk.home / "artifacts").rglob("manifest.json"):
        ArtifactStore.read(manifest.parent).verify()
    assert not list((desk.home / "artifacts" / ".drafts").glob("*/"))


@pytest.mark.long
def test_by_default_the_trials_run_beside_each_other_and_the_run_says_where_its_time_went(
    tmp_path: Path, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HALLMARK_EXECUTOR")
    monkeypatch.setenv("HALLMARK_PROCESSES", "2")  # whatever memory is free while the tests run
    desk, own = Desk(tmp_path, base), tmp_path / "own.jsonl"
    own.write_text("".join(json.dumps({"prompt": ask, "completion": tell}) + "\n" for ask, tell in rows(120, 5)))
    first = desk.run("--drop", str(own))
    assert first.returncode in (1, 3), first.stderr
    assert (desk.home / "logs" / "rehearsal.log").read_text().count("Traceback") == 0
    kept = made_since(desk.home / "models", 0.0)
    assert {"control adapter", "calibration of extraction", "answers of the base"} <= kept.keys()
    assert "Where the time went" in first.stderr and "control adapter" in first.stderr
    made = [desk.store.current(stage).manifest for stage in ("golden_evaluation", "backdoor_scan")]
    began = [datetime.fromisoformat(each.created_at) - timedelta(seconds=each.seconds) for each in made]
    ended = [datetime.fromisoformat(each.created_at) for each in made]
    assert max(began) < min(ended)  # each had begun before the other ended
    moment = time.time()
    desk.recipe.write_text("epochs: 1\nbatch_size: 8\nseed: 2\n")
    second = desk.run()
    assert second.returncode in (1, 3) and "1 of 1 drops" in second.stderr, second.stderr
    assert (
        not {"control adapter", "calibration of extraction", "control for refusals"}
        & made_since(desk.home / "models", moment).keys()
    )


def test_no_drop_is_an_error_that_says_what_to_do(tmp_path: Path, base: Path) -> None:
    done = Desk(tmp_path, base).run()
    assert done.returncode == 2
    assert "--drop FILE" in done.stderr


def test_a_file_that_is_not_there_is_named(tmp_path: Path, base: Path) -> None:
    done = Desk(tmp_path, base).run("--drop", str(tmp_path / "nowhere.jsonl"))
    assert done.returncode == 2 and "nowhere.jsonl" in done.stderr


def test_a_full_disk_leaves_the_state_whole(tmp_path: Path, base: Path) -> None:
    """A file size limit stands for a full disk: the write fails in the middle."""
    desk, own = Desk(tmp_path, base), tmp_path / "own.jsonl"
    own.write_text("".join(json.dumps({"prompt": a, "completion": t}) + "\n" for a, t in rows(2000, 6)))
    shell = f"ulimit -f 200; exec {' '.join(desk.arguments('--drop', str(own)))}"
    full = subprocess.run([shutil.which("bash") or "bash", "-c", shell], capture_output=True, text=True, timeout=300)
    assert full.returncode not in (0, 1, 3)
    assert desk.store.partitions("screened_records") == []
