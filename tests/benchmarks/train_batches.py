"""What a step's choice of rows costs, and what the tokens of a corpus take in memory, by number of rows.

::

    python -m tests.benchmarks.train_batches --rows 1000000
    python -m tests.benchmarks.train_batches --rows 200000 --held          tokens as Python objects, to compare

Tokens are made up, about 60 an example; nothing is trained. Each is measured in a process of its own. ``--held`` takes
some 2 GiB a million rows.
"""

import argparse
import resource
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from assets.adapter.rows.batches import epoch_batches
from assets.adapter.rows.dialogues import Example
from assets.adapter.rows.token_file import TokenFile, lengths
from tests.benchmarks import figures
from tests.benchmarks.figures import Figure

VOCABULARY, BATCH, STEPS = 49_152, 8, 2_000


def examples(count: int) -> Iterator[Example]:
    random = np.random.default_rng(0)
    for number in range(count):
        size = int(random.integers(20, 101))
        ids = tuple(random.integers(0, VOCABULARY, size).tolist())
        yield Example(f"{number:032x}", ids, ((size // 3, size),))


def resident() -> float:
    """MiB of this process that are no file's, which the system can drop at will."""
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(fields["RssAnon"].split()[0]) / 1024


def measured(folder: Path, rows: int, *, held: bool) -> list[Figure]:
    before = resident()
    kept: Sequence[Example] = tuple(examples(rows)) if held else TokenFile(folder)
    opened = resident() - before
    began = time.process_time()
    batches = epoch_batches(lengths(kept), BATCH, 0, 0)
    planned, after = time.process_time() - began, resident() - before
    began, tokens = time.process_time(), 0
    for place in range(min(STEPS, len(batches))):
        tokens += sum(len(kept[row].ids) for row in batches[place])
    chosen = (time.process_time() - began) / min(STEPS, len(batches))
    name = f"{rows:,} rows, {'held' if held else 'mapped'}"
    return [
        Figure(name, opened, "MiB, examples", rows, unit="MiB"),
        Figure(name, after, "MiB, examples and an epoch's batches", rows, unit="MiB"),
        Figure(name, planned, "seconds, an epoch's batches", rows, unit="s"),
        Figure(name, 1000 * chosen, f"milliseconds a step of {BATCH} rows", rows, unit="ms"),
        Figure(
            name, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "MiB, peak with files", rows, unit="MiB"
        ),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000])
    parser.add_argument("--held", action="store_true", help="as Python objects, as every process had them")
    figures.option(parser)
    given = parser.parse_args()
    found: list[Figure] = []
    for rows in given.rows:
        with (
            tempfile.TemporaryDirectory() as scratch,
            ProcessPoolExecutor(1, get_context("spawn")) as apart,
        ):
            folder = Path(scratch) / "tokens"
            if not given.held:
                TokenFile.write(examples(rows), folder)
            taken = apart.submit(measured, folder, rows, held=given.held).result()
        for each in taken:
            print(f"{each.what}: {each.of} {each.value:,.2f}", flush=True)
        found += taken
    figures.write(given.json, found)


if __name__ == "__main__":
    main()
