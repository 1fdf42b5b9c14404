"""How fast raw and validated are, and that their memory does not grow with the drop.

::

    python -m tests.benchmarks.ingest_rows [--rows 20000 200000] [--form jsonl]

Each size runs in a process of its own over a generated file: fetch, parse, provenance, every expectation, outcomes
written to disk. Prints rows a second of processor time and the peak of resident memory; ends with status 1 if the
largest run needs more memory than the smallest beyond what knowing duplicates costs (at most 200 bytes a row).
"""

import argparse
import json
import multiprocessing
import random
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.benchmarks import figures
from tests.benchmarks.figures import Figure

ROOT = Path(__file__).parents[2]
BYTES_A_ROW = 200


def rows(count: int) -> Iterator[dict[str, Any]]:
    """Synthetic rows of about 400 characters, no two the same."""
    words = (ROOT / "deploy" / "sample_desk" / "delivery.txt").read_text(encoding="utf-8").split()
    source = random.Random(0)
    for number in range(count):
        say = [" ".join(source.choices(words, k=size)) for size in (15, 50)]
        yield {"instruction": f"{say[0]} ({number})", "input": "", "output": say[1]}


def write(path: Path, count: int) -> None:
    if path.suffix == ".parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        pq.write_table(pa.Table.from_pylist(list(rows(count))), path)
        return
    with path.open("w", encoding="utf-8") as stream:
        if path.suffix == ".csv":
            import csv

            table = csv.DictWriter(stream, ["instruction", "input", "output"])
            table.writeheader()
            table.writerows(rows(count))
            return
        opening, between, closing = ("[", ",\n", "]") if path.suffix == ".json" else ("", "\n", "\n")
        stream.write(opening)
        for number, row in enumerate(rows(count)):
            stream.write((between if number else "") + json.dumps(row, ensure_ascii=False))
        stream.write(closing)


def measure(folder: Path, results: Any) -> None:
    """Runs both stages over the drop in ``folder``; puts (rows, processor seconds, peak MiB) into the queue."""
    from assets.outcome import read_records, write_outcomes
    from assets.raw.drops import discover
    from assets.raw.ingest import ingest
    from assets.validated.settings import ValidationSettings
    from assets.validated.validate import validate
    from expectations.suite import RecordSuite
    from resources.object_store import ObjectStore

    settings = ValidationSettings()
    suite = RecordSuite(settings)
    store = ObjectStore.open((folder / "drops").as_uri())
    (drop,) = discover(store)
    for name in ("spool", "raw", "validated"):
        (folder / name).mkdir()
    started = time.process_time()
    write_outcomes(folder / "raw", ingest(store, drop, folder / "spool"))
    between = time.process_time()
    records = read_records(folder / "raw" / "records.jsonl")
    counts, _ = write_outcomes(folder / "validated", validate(records, suite, settings))
    ended = time.process_time()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    results.put((counts.rows_in, between - started, ended - between, peak))


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, nargs="+", default=[20_000, 200_000])
    parser.add_argument("--form", choices=["jsonl", "json", "csv", "parquet"], default="jsonl")
    figures.option(parser)
    chosen = parser.parse_args()
    taken: list[Figure] = []
    context = multiprocessing.get_context("spawn")
    peaks = []
    for count in chosen.rows:
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            (folder / "drops").mkdir()
            write(folder / "drops" / f"rows.{chosen.form}", count)
            results: Any = context.Queue()
            process = context.Process(target=measure, args=(folder, results))
            process.start()
            done, raw, validated, peak = results.get()
            process.join()
        peaks.append((done, peak))
        row = f"{done:,} rows of {chosen.form}"
        taken += [
            Figure(row, done / raw, "raw", unit="rows/CPU s"),
            Figure(row, done / validated, "validated", unit="rows/CPU s"),
            Figure(row, peak, "peak memory", unit="MiB"),
        ]
        speeds = f"raw {done / raw:,.0f} rows/s, validated {done / validated:,.0f} rows/s"
        print(f"{done:>9,} rows of {chosen.form}: {speeds}, peak {peak:,.0f} MiB")
    (few, low), (many, high) = peaks[0], peaks[-1]
    allowed = low + 64 + (many - few) * BYTES_A_ROW / 2**20
    print(f"peak grew by {high - low:,.0f} MiB over {many - few:,} rows (allowed {allowed - low:,.0f})")
    figures.write(chosen.json, taken)
    return 0 if high <= allowed else 1


if __name__ == "__main__":
    sys.exit(main())
