"""What sleeping soon is worth: tokens/s of training with and without it, alone and beside a busy neighbour.

    python -m tests.benchmarks.train_process [--rows 24] [--base DIR]

Each run is a process of its own on the same rows; the neighbour is one process that never rests, in a session of its
own, as another program is. ``spinning`` is OpenMP's own way, ``settled`` Hallmark's, ``one thread`` leaves it a core.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from deploy.sample_drops import write_drops
from resources.process import ENVIRONMENT

CHILD = "--child"
COUNTS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")


def train(base: Path | None, rows: int) -> float:
    """Tokens a second of one epoch over ``rows`` rows of the sample drops."""
    from assets.adapter.recipe import Recipe
    from assets.adapter.train import read_rows_of
    from assets.adapter.train import train as run
    from resources.language_model import base_path
    from resources.workspace import Workspace

    with tempfile.TemporaryDirectory() as scratch:
        write_drops(Path(scratch) / "drops")
        records = read_rows_of(next(Path(scratch).glob("drops/*/tickets.jsonl")))[:rows]
        body = run(records, base_path(base, Workspace.locate().models), Path(scratch) / "out", Recipe(epochs=1))
    return float(body["tokens_per_second"])


def measure(given: argparse.Namespace, variables: dict[str, str], *, neighbour: bool) -> float:
    environment = {name: value for name, value in os.environ.items() if name not in (*ENVIRONMENT, *COUNTS)}
    command = [sys.executable, "-m", "tests.benchmarks.train_process", CHILD, "--rows", str(given.rows)]
    command += ["--base", str(given.base)] if given.base else []
    endless = [sys.executable, "-c", "while True: pass"]
    busy = subprocess.Popen(endless, start_new_session=True) if neighbour else None
    try:
        done = subprocess.run(command, env=environment | variables, capture_output=True, text=True, check=True)
    finally:
        if busy:
            busy.kill()
    return float(done.stdout.strip().splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rows", type=int, default=24)
    parser.add_argument("--base", type=Path)
    parser.add_argument(CHILD, action="store_true")
    given = parser.parse_args()
    if given.child:
        print(train(given.base, given.rows))
        return
    ways = {"spinning": {}, "settled": ENVIRONMENT, "one thread": ENVIRONMENT | dict.fromkeys(COUNTS, "1")}
    for neighbour in (False, True):
        found = {way: measure(given, variables, neighbour=neighbour) for way, variables in ways.items()}
        place = "beside a busy process" if neighbour else "alone"
        print(f"{place:22} {', '.join(f'{way} {speed:4.0f} tokens/s' for way, speed in found.items())}", flush=True)


if __name__ == "__main__":
    main()
