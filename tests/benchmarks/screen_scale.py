"""Time and memory of the screen by number of rows; with model evidence if ``--model`` names the base model's folder.

Rows are base rows with a share of their words exchanged, so that they are as varied as real ones. Run as
``python -m tests.benchmarks.screen_scale --rows 2000 20000 200000``.
"""

import argparse
import random
import resource
import time
from collections.abc import Iterator
from pathlib import Path

from assets.record import Origin, Record
from assets.screened.base_model.scorer import LateScorer
from assets.screened.screen import screen
from tests.benchmarks import figures
from tests.benchmarks import screen_bases as bases
from tests.benchmarks.figures import Figure

CHANGED = 0.3  # of the words


def rows(count: int, pool: list[bases.Row], words: list[str]) -> Iterator[Record]:
    """The same rows every time they are asked for."""
    rng = random.Random(count)
    for number in range(count):
        row = rng.choice(pool)
        changed = {name: _changed(str(text), words, rng) for name, text in row.items()}
        yield Record(str(number), changed, Origin("scale", "1", number + 1, str(number), source=f"s{number % 5}"))


def _changed(text: str, words: list[str], rng: random.Random) -> str:
    return " ".join(rng.choice(words) if rng.random() < CHANGED else word for word in text.split(" "))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[2_000, 20_000])
    parser.add_argument("--model", type=Path)
    parser.add_argument("--data", type=Path, default=bases.DATA)
    figures.option(parser)
    options = parser.parse_args()
    taken: list[Figure] = []
    loaded = bases.load(options.data)
    pool = loaded["instructions"] + loaded["backdoor_clean"] + loaded["stories"] + loaded["library_docs"]
    words = sorted({word for row in pool for text in row.values() for word in str(text).split()})
    for count in options.rows:
        began = time.monotonic()
        model = LateScorer(lambda: options.model) if options.model else None
        result = screen(lambda count=count: rows(count, pool, words), model=model)  # type: ignore[misc]
        took = time.monotonic() - began
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        taken += [
            Figure(f"{count:,} rows", took, "seconds", unit="s"),
            Figure(f"{count:,} rows", count / took, "speed", unit="rows/s"),
            Figure(f"{count:,} rows", peak, "peak memory", unit="GiB"),
        ]
        steps = ", ".join(f"{name} {seconds:.1f}" for name, seconds in result.seconds.items())
        print(
            f"{count:>9,} rows  {took:7.1f} s  {count / took:8.0f} rows/s  peak {peak:.2f} GiB  ({steps})", flush=True
        )
    figures.write(options.json, taken)


if __name__ == "__main__":
    main()
