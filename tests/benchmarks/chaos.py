"""Kill things at random through a whole lineage: nothing is lost, nothing is twice, and the digests are the same.

::

    python -m tests.benchmarks.chaos --kills 20 --seed 1                 drops in shards, over S3 and Postgres
    python -m tests.benchmarks.chaos --kills 20 --seed 2 --whole         and training and the trials, on a tiny model

The lineage runs once undisturbed, then again and again, each time from nothing, until so many kills have been dealt:
SIGKILL of a worker with its shard, of the training process, of the run itself; every connection to the store cut in the
middle of what it carries; every connection to Postgres terminated. What dies is started again by the same command, as
a person or a scheduler would. Every life must end as the undisturbed one did. Ends with status 1 where one does not.
"""

import argparse
import contextlib
import dataclasses
import json
import logging
import os
import random
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from assets.outcome import names_of, read_lines
from expectations.policy import DEFAULT_POLICY
from resources.digests import digest_json, digest_tree
from resources.line_cipher import LineCipher
from resources.object_store import ObjectStore
from resources.shared_artifacts import SharedArtifactStore
from resources.vault import Vault
from tests.benchmarks import figures
from tests.benchmarks.figures import Figure
from tests.pipelines.postgres import server
from tests.resources.s3_server import conditional_s3
from tests.tiny_model import write_tiny_base

ROOT = Path(__file__).parents[2]
DATA = ("raw_drop", "validated_records", "sanitized_records")
WHOLE = (*DATA, "screened_records", "training_corpus")
TRIALS = ("golden_evaluation", "backdoor_scan", "memorization_audit", "extraction_audit")
LIMIT = 200  # starts of the command in one life


class Proxy:
    """Carries bytes to a service of this machine; ``cut`` breaks every connection off where it is.

    Most carry one request and are over in milliseconds: where there is none, the next one is broken off in the midst.
    """

    WAIT = 2.0  # seconds for the next one

    def __init__(self, port: int) -> None:
        self._target, self._pairs, self._lock = port, set[tuple[socket.socket, socket.socket]](), threading.Lock()
        self._armed, self._broken = threading.Event(), threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> int:
        with self._lock:
            pairs, self._pairs = self._pairs, set()
        for ends in pairs:
            _shut(ends)
        if pairs:
            return len(pairs)
        self._broken.clear()
        self._armed.set()
        broken = self._broken.wait(self.WAIT)
        self._armed.clear()
        return int(broken)

    def _accept(self) -> None:
        while True:
            here, _ = self._listener.accept()
            there = socket.create_connection(("127.0.0.1", self._target))
            with self._lock:
                self._pairs.add((here, there))
            for source, sink in ((here, there), (there, here)):
                threading.Thread(target=self._carry, args=(source, sink, (here, there)), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket, pair: Any) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                if self._armed.is_set():
                    self._armed.clear()
                    sink.sendall(data[: len(data) // 2])
                    self._broken.set()
                    break
                sink.sendall(data)
        _shut(pair)
        with self._lock:
            self._pairs.discard(pair)


def _shut(ends: tuple[socket.socket, socket.socket]) -> None:
    for end in ends:
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


def rows(count: int) -> Iterator[str]:
    for n in range(count):
        body = {
            "prompt": f"How do I claim parcel {n} at counter {n % 9}?",
            "completion": f"Ask the clerk for form {n}, please.",
        }
        if n % 12 == 5:
            body["completion"] += f" Write to clerk{n}@corp.example about it."
        if n % 25 == 9:
            body = {"prompt": "When do you open today?", "completion": "At nine on working days."}
        yield json.dumps(body)


class World:
    """Services, a drop and settings that every life shares."""

    def __init__(
        self, folder: Path, s3: dict[str, str], postgres: dict[str, str], whole: bool, through: str, count: int
    ) -> None:
        self.folder, self.whole, self.s3, self.postgres = folder, whole, s3, postgres
        self.stages = DATA[: DATA.index(through) + 1]
        self.proxy = Proxy(int(s3["HALLMARK_S3_ENDPOINT"].rpartition(":")[2]))
        (folder / "drops").mkdir()
        (folder / "drops" / "own.jsonl").write_text("\n".join(rows(count)) + "\n")
        policy = yaml.safe_load(DEFAULT_POLICY.read_text())
        policy["settings"]["raw_drop"] = {"shard_rows": max(1, count // 8)}
        policy["settings"]["sanitized_records"]["residual_rows"] = 60
        for gate in policy["gates"]:
            if gate["metric"] in ("loss_ratio", "held_out_loss"):
                gate["max"] = 99  # random weights learn nothing
        (folder / "policy.yaml").write_text(yaml.safe_dump(policy))
        (folder / "recipe.yaml").write_text("epochs: 1\ncheckpoint_every: 2\n")
        self.key = secrets.token_hex(32)
        os.environ.update({**s3, "HALLMARK_VAULT_KEY": self.key})
        base = {"HALLMARK_BASE": str(write_tiny_base(folder / "base"))} if whole else {}
        self.environment = {
            **os.environ,
            **postgres,
            **base,
            "HALLMARK_STORE": (folder / "drops").as_uri(),
            "HALLMARK_POLICY": str(folder / "policy.yaml"),
            "HALLMARK_RECIPE": str(folder / "recipe.yaml"),
            "HALLMARK_PROCESSES": "2",
        }

    def environment_of(self, name: str, *, through: bool) -> dict[str, str]:
        said = {"HALLMARK_HOME": str(self.folder / name), "HALLMARK_ARTIFACTS": f"s3://state/{name}"}
        if through:
            said["HALLMARK_S3_ENDPOINT"] = f"http://127.0.0.1:{self.proxy.port}"
        return {**self.environment, **said}

    def commands(self, environment: dict[str, str]) -> list[list[str]]:
        """What a person types: the lineage, or of it the stages that read rows."""
        hallmark = [sys.executable, "-m", "pipelines.command"]
        if self.whole:
            return [[*hallmark, "run"]]
        listed = subprocess.run(
            [*hallmark, "stage", "list", "--json"], env=environment, cwd=ROOT, check=True, capture_output=True
        )
        (drop,) = json.loads(listed.stdout)
        return [[*hallmark, "stage", stage, "--partition", drop["partition"], "--json"] for stage in self.stages]

    def terminate_backends(self) -> int:
        """Of Postgres: every connection of the lineage."""
        import psycopg2

        place = {
            name: self.postgres[f"HALLMARK_POSTGRES_{name.upper()}"] for name in ("host", "port", "user", "password")
        }
        with contextlib.closing(psycopg2.connect(dbname=self.postgres["HALLMARK_POSTGRES_DB"], **place)) as connection:
            cursor = connection.cursor()
            cursor.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where usename = current_user and pid <> pg_backend_pid()"
            )
            return len(cursor.fetchall())

    def told(self, name: str) -> dict[str, Any]:
        """What a life has come to: digests of every artefact, the rows one by one, the removed values."""
        store = SharedArtifactStore(self.folder / f"{name}.looked", ObjectStore.open(f"s3://state/{name}/artifacts"))
        found: dict[str, Any] = {}
        for stage in WHOLE if self.whole else self.stages:
            for partition in store.partitions(stage):
                artifact = store.current(stage, partition)
                assert artifact is not None
                artifact.verify()
                found[f"{stage}/{partition}"] = artifact.manifest.digest
                if stage in DATA:
                    cipher = LineCipher(bytes.fromhex(self.key)) if stage != DATA[-1] else None
                    names = [
                        name
                        for fate in ("passed", "quarantined", "rejected")
                        for name in names_of(artifact.manifest.files, fate)
                    ]
                    ids = [line["row_id"] for name in names for line in read_lines(artifact.path(name), cipher)]
                    assert len(ids) == len(set(ids)), f"{stage}: a row is there twice"
                    found[f"{stage}/{partition}/rows"] = digest_json(ids)
        entries = [
            dataclasses.asdict(entry)
            for path in sorted((self.folder / name / "vault").glob("*.jsonl"))
            for entry in Vault(path, bytes.fromhex(self.key), path.name).entries()
        ]
        found["vault"] = [len(entries), digest_json(entries)]
        if self.whole:
            adapter = store.current("lora_adapter")
            assert adapter is not None
            adapter.verify()
            tree = digest_tree(adapter.path("adapter"))
            found["adapter"] = tree["adapter_model.safetensors"]
            for trial in TRIALS:
                made = store.current(trial)
                assert made is not None, f"{trial} is missing"
                found[trial] = digest_json({name: metric.value for name, metric in made.manifest.metrics.items()})
        return found


def descendants(pid: int) -> list[tuple[int, str]]:
    """Processes below ``pid`` with their command lines, from /proc."""
    parents: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError):
            parents.setdefault(int(path.read_text().rpartition(")")[2].split()[1]), []).append(int(path.parent.name))
    found, waiting = [], [pid]
    while waiting:
        for child in parents.get(waiting.pop(), []):
            waiting.append(child)
            with contextlib.suppress(OSError):
                found.append((child, Path(f"/proc/{child}/cmdline").read_bytes().replace(b"\0", b" ").decode()))
    return found


@dataclasses.dataclass(slots=True)
class Reaper:
    """Deals kills while a command runs, as many as are left."""

    world: World
    random: random.Random
    left: int
    pause: float
    dealt: Counter[str] = dataclasses.field(default_factory=Counter)

    def watch(self, running: "subprocess.Popen[bytes]") -> None:
        """Until it ends: a kill after every pause, drawn at random."""
        due = self._due()
        while running.poll() is None:
            time.sleep(0.05)
            if self.left and time.monotonic() >= due:
                kind = self._strike(running)
                if kind:
                    self.dealt[kind] += 1
                    self.left -= 1
                due = self._due()

    def _due(self) -> float:
        return time.monotonic() + self.random.expovariate(1 / self.pause)

    def _strike(self, running: "subprocess.Popen[bytes]") -> str:
        below = descendants(running.pid)
        shards = [pid for pid, line in below if "assets.shards.worker" in line]
        ranks = [pid for pid, line in below if "assets.adapter.train" in line]
        kinds = ["store", "store", *["run"], *["shard"] * (2 * bool(shards)), *["rank"] * (3 * bool(ranks))]
        kinds += ["postgres"] if self.world.postgres else []
        kind = self.random.choice(kinds)
        if kind == "store":
            return kind if self.world.proxy.cut() else ""
        if kind == "postgres":
            return kind if self.world.terminate_backends() else ""
        victim = running.pid if kind == "run" else self.random.choice(shards if kind == "shard" else ranks)
        with contextlib.suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)
        return kind


def live(world: World, name: str, reaper: Reaper | None, log: Path) -> int:
    """From nothing to the end; how often the command had to be started again."""
    environment = world.environment_of(name, through=reaper is not None)
    retries = 0
    for command in world.commands(world.environment_of(name, through=False)):
        for start in range(LIMIT):
            with log.open("ab") as stream:
                running = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=stream, stderr=stream)
                if reaper:
                    reaper.watch(running)
                if running.wait() in (0, 1, 3) and _ended(world, name, command):
                    break
            retries += 1
            if start and reaper:
                reaper.pause *= 1.2  # or nothing would ever come to its end
        else:
            raise SystemExit(f"{name} did not come to its end in {LIMIT} starts; see {log}")
    return retries


def _ended(world: World, name: str, command: list[str]) -> bool:
    """Whether what the command makes is there: status 1 is a gate that failed, or a stage that could not start."""
    store = SharedArtifactStore(world.folder / f"{name}.asked", ObjectStore.open(f"s3://state/{name}/artifacts"))
    return bool(store.partitions(command[4] if not world.whole else "evaluated_adapter"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rows", type=int, default=240)
    parser.add_argument("--whole", action="store_true", help="through training and the trials")
    parser.add_argument("--through", choices=DATA, default=DATA[-1], help="the last stage of rows, where not --whole")
    parser.add_argument("--no-postgres", action="store_true")
    figures.option(parser)
    chosen = parser.parse_args()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # the S3 server's log of every request
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hallmark-chaos-")))
        folder.chmod(0o711)
        service = stack.enter_context(conditional_s3())
        have = not chosen.no_postgres and any(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
        postgres = stack.enter_context(server(folder / "postgres", secrets.token_hex(8))) if have else {}
        world = World(folder, service, postgres, chosen.whole, chosen.through, chosen.rows)
        began = time.monotonic()
        live(world, "calm", None, folder / "log")
        took, expected = time.monotonic() - began, world.told("calm")
        print(f"undisturbed: {took:.0f} s, {len(expected)} digests; Postgres {'yes' if postgres else 'no'}", flush=True)
        reaper = Reaper(world, random.Random(chosen.seed), chosen.kills, pause=max(1.0, took / 8))
        lives = retries = wrong = 0
        good = True
        while reaper.left:
            lives += 1
            before, reaper.pause = sum(reaper.dealt.values()), max(1.0, took / 8)
            again = live(world, f"life{lives}", reaper, folder / "log")
            retries += again
            told = world.told(f"life{lives}")
            other = sorted(name for name in expected.keys() | told.keys() if expected.get(name) != told.get(name))
            good &= not other
            wrong += bool(other)
            dealt = sum(reaper.dealt.values()) - before
            print(
                f"life {lives}: {dealt} kills, {again} starts again, digests {other or 'equal'}",
                flush=True,
            )
        kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(reaper.dealt.items()))
        print(
            f"{sum(reaper.dealt.values())} kills ({kinds}), {lives} lives, {retries} starts again: {'all digests equal' if good else 'NOT EQUAL'}"
        )
        found = [Figure(f"kills of kind {kind}", count, "count") for kind, count in sorted(reaper.dealt.items())]
        found += [Figure("lineages run", lives, "count"), Figure("starts again", retries, "count")]
        found += [Figure("lineages with other digests, rows or values", wrong, "count")]
        figures.write(chosen.json, found)
        if not good:
            print((folder / "log").read_text(errors="replace")[-6000:])
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
