"""A large drop through ingest, validation, sanitising and the screen: speed and memory by number of processes.

::

    python -m tests.benchmarks.shards --rows 200000 --processes 1 2
    python -m tests.benchmarks.shards --rows 10000000 --processes 2 --shard-rows 250000

Rows are made up on the fly (support questions, two to three sentences, one in twenty with a person's name, mail or
phone, one in fifty a copy). What runs is ``hallmark stage``, with its defaults, in a home of its own. Ends with status
1 if a process needs more than ``--memory`` GiB or a row is unaccounted for.
"""

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from expectations.policy import DEFAULT_POLICY
from tests.benchmarks import figures
from tests.benchmarks.figures import Figure

ROOT = Path(__file__).parents[2]
STAGES = ("raw_drop", "validated_records", "sanitized_records", "screened_records")
DESK = ROOT / "deploy" / "sample_desk"
NAMES = ("Anna Keller", "Tom Brandt", "Maria Lopez", "James Whitfield", "Priya Nair", "Chen Wei")


@dataclass(frozen=True, slots=True)
class Spent:
    """Of one stage; ``processor`` seconds over all its processes, ``peak`` GiB of the largest of them."""

    wall: float
    processor: float
    peak: float


def sentences() -> list[str]:
    """Questions and answers of the sample's support desk, without the marks of its templates."""
    found = []
    for path in sorted(DESK.glob("*.txt")):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line[:2] in ("Q ", "A ", "= "):
                plain = line[2:].replace("{", "").replace("}", "").replace("|", " or ")
                found.append(plain.replace("<", "").replace(">", ""))
    return found


def lines(count: int, seed: int = 0) -> Iterator[str]:
    say, draw = sentences(), random.Random(seed)
    copy = json.dumps({"prompt": "What are your opening hours?", "completion": "From nine to five on working days."})
    for number in range(count):
        if number % 50 == 49:
            yield copy
            continue
        prompt, answer = f"{draw.choice(say)} It is about order {number}.", f"{draw.choice(say)} {draw.choice(say)}"
        if number % 20 == 7:
            name = draw.choice(NAMES)
            prompt += f" My name is {name}, write to {name.split()[0].lower()}{number}@mail.example or call 212-555-01{number % 90 + 10}."
        yield json.dumps({"prompt": prompt, "completion": answer})


def write(folder: Path, rows: int) -> int:
    """The drop, in objects of at most a million rows; its size in bytes."""
    folder.mkdir(parents=True)
    size = 0
    source = lines(rows)
    for part in range(-(-rows // 1_000_000)):
        path = folder / f"part-{part:04d}.jsonl"
        with path.open("w", encoding="utf-8") as stream:
            for _ in range(min(1_000_000, rows - part * 1_000_000)):
                stream.write(next(source) + "\n")
        size += path.stat().st_size
    (folder / "manifest.json").write_text("{}")
    return size


def measure(
    drops: Path, processes: int, shard_rows: int, stages: Sequence[str]
) -> tuple[list[Spent], list[dict[str, object]]]:
    with tempfile.TemporaryDirectory(dir=drops.parent) as scratch:
        policy = yaml.safe_load(DEFAULT_POLICY.read_text())
        policy["settings"]["raw_drop"] = {"shard_rows": shard_rows}
        policy["settings"]["sanitized_records"]["processes"] = processes
        (Path(scratch) / "policy.yaml").write_text(yaml.safe_dump(policy))
        environment = {
            **os.environ,
            "HALLMARK_HOME": str(Path(scratch) / "home"),
            "HALLMARK_STORE": drops.as_uri(),
            "HALLMARK_POLICY": str(Path(scratch) / "policy.yaml"),
            "HALLMARK_PROCESSES": str(processes),
        }
        command = [sys.executable, "-m", "pipelines.command", "stage"]
        listed = subprocess.run(
            [*command, "list", "--json"], env=environment, cwd=ROOT, check=True, capture_output=True
        )
        (drop,) = json.loads(listed.stdout)
        spent, told = [], []
        for stage in stages:
            words = [*command, stage, "--partition", drop["partition"], "--json"]
            started, before = time.monotonic(), os.times()
            with subprocess.Popen(words, env=environment, cwd=ROOT, stdout=subprocess.PIPE) as running:
                output, _ = running.communicate()
            after = os.times()
            used = after.children_user + after.children_system - before.children_user - before.children_system
            peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
            spent.append(Spent(time.monotonic() - started, used, peak))
            told.append(json.loads(output))
    return spent, told


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--processes", type=int, nargs="+", default=[1])
    parser.add_argument("--shard-rows", type=int, default=250_000)
    parser.add_argument("--through", choices=STAGES, default=STAGES[-1], help="the last stage that is run")
    parser.add_argument("--memory", type=float, default=2.0, help="GiB that no process may exceed")
    figures.option(parser)
    chosen = parser.parse_args()
    good, found, stages = True, list[Figure](), STAGES[: STAGES.index(chosen.through) + 1]
    with tempfile.TemporaryDirectory() as scratch:
        drops = Path(scratch) / "drops"
        size = write(drops / "export", chosen.rows)
        shards = -(-chosen.rows // chosen.shard_rows)
        print(
            f"{chosen.rows:,} rows, {size / 2**20:,.0f} MiB, {shards} shards of {chosen.shard_rows:,} rows", flush=True
        )
        for processes in chosen.processes:
            spent, told = measure(drops, processes, chosen.shard_rows, stages)
            for stage, each in zip(stages, spent, strict=True):
                name, speed, own = (
                    f"{stage}, {processes} processes",
                    chosen.rows / each.wall,
                    chosen.rows / each.processor,
                )
                print(
                    f"{name:<34} {speed:8,.0f} rows/s  {own:8,.0f} rows/s of processor time  peak {each.peak:.2f} GiB",
                    flush=True,
                )
                found += [
                    Figure(name, speed, "rows/s", chosen.rows, unit="rows/s"),
                    Figure(name, own, "rows/s of processor time", chosen.rows, unit="rows/s"),
                    Figure(name, each.peak, "GiB, largest process", unit="GiB"),
                ]
            whole = sum(each.processor for each in spent) / chosen.rows
            for many in (10_000_000, 100_000_000, 1_000_000_000):
                hours = whole * many / 3600
                print(f"  {many:>13,} rows: {hours:10,.1f} core hours at this speed")
                if processes == chosen.processes[0]:
                    found.append(Figure(f"{many // 1_000_000:,} M rows, reckoned", hours, "core hours", unit="h"))
            lost = [
                gate["gate"] for stage in told for gate in stage["gates"]  # type: ignore[attr-defined]
                if "conserved" in gate["gate"] and gate["verdict"] != "pass"
            ]  # fmt: skip
            peak = max(each.peak for each in spent)
            good &= not lost and peak <= chosen.memory
            print(f"  rows lost: {lost or 'none'}; largest process {peak:.2f} GiB")
    figures.write(chosen.json, found)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
