"""What sleeping soon is worth: tokens/s of training with and without it, alone and beside a busy neighbour.

    python -m tests.benchmarks.train_process [--rows 24] [--base DIR]

Each run is a process of its own on the same rows; the neighbour is one process that never rests.
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


def measure(given: argparse.Namespace, *, settled: bool, neighbour: bool) -> float:
    environment = {name: value for name, value in os.environ.items() if name not in ENVIRONMENT}
    command = [sys.executable, "-m", "tests.benchmarks.train_process", CHILD, "--rows", str(given.rows)]
    command += ["--base", str(given.base)] if given.base else []
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"]) if neighbour else None
    try:
        environment |= ENVIRONMENT if settled else {}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
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
    for neighbour in (False, True):
        usual, settled = (measure(given, settled=settled, neighbour=neighbour) for settled in (False, True))
        place = "beside a busy process" if neighbour else "alone"
        print(f"{place:22} usual {usual:5.0f} tokens/s, settled {settled:5.0f}: {settled / usual:.2f} times")


if __name__ == "__main__":
    main()
