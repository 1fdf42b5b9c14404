"""Records a second of ``hallmark sanitize`` against Presidio's default, on the same text in the same process.

    python -m tests.benchmarks.sanitize_speed [--data ../shared/data] [--repeats 3] [--rows 2000]

Presidio runs with its default recognisers and the same spaCy model, once by ``AnalyzerEngine.analyze`` and once by its
``BatchAnalyzerEngine`` (whichever is faster counts), both followed by ``AnonymizerEngine``. Every text is distinct, so
that nothing is gained by skipping repeats; the sides alternate and the best of the repeats counts. Seconds are the
process's CPU seconds, so that a busy machine does not decide; set OPENBLAS_NUM_THREADS=1 to give both one thread.
``--growth 200000`` then measures time a row and peak memory on synthetic drops of growing size, ``--command 200000``
the same of the real command, ``hallmark sanitize IN -o OUT --report R.json``, each size in a process of its own.
"""

import argparse
import itertools
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from assets.record import Origin, Record
from assets.sanitized.sanitize import Sanitizer
from assets.sanitized.settings import SanitizeSettings
from resources.entity_tagger import bundled_model
from tests.benchmarks import figures
from tests.benchmarks.figures import Figure

DATA = Path(__file__).parents[2].parent / "shared" / "data"
SIZES = (1_000, 10_000, 50_000, 200_000)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--rows", type=int, default=700, help="texts of each kind given to both")
    parser.add_argument("--growth", type=int, default=0, help="largest synthetic drop; 0 leaves that part out")
    parser.add_argument(
        "--command", type=int, default=0, help="largest drop given to the real command, and nothing else"
    )
    figures.option(parser)
    options = parser.parse_args()
    taken: list[Figure] = []
    if options.command:
        for size in SIZES:
            if size <= options.command:
                command(size)
        return
    sanitizer = Sanitizer(SanitizeSettings())
    single, batch = presidio()
    for name, texts in corpora(options.data, options.rows):
        characters = sum(map(len, texts))
        best: dict[str, float] = {}
        for _ in range(options.repeats):
            for side, run in (
                ("presidio, one by one", single),
                ("presidio, batch", batch),
                ("hallmark", hallmark(sanitizer)),
            ):
                started = time.process_time()
                run(texts)
                best[side] = min(best.get(side, float("inf")), time.process_time() - started)
        rival = min(best["presidio, one by one"], best["presidio, batch"])
        print(f"\n{name}: {len(texts)} distinct texts, {characters / len(texts):.0f} characters each")
        for side, seconds in best.items():
            print(f"  {side:22} {len(texts) / seconds:8.0f} records/s  {characters / seconds / 1000:8.1f} kchar/s")
        print(f"  ratio                  {rival / best['hallmark']:8.1f}")
        taken += [
            Figure(name, len(texts) / seconds, side, len(texts), unit="records/CPU s") for side, seconds in best.items()
        ]
        taken.append(Figure(name, rival / best["hallmark"], "ratio to the faster", len(texts), unit="times"))
    figures.write(options.json, taken)
    for size in SIZES:
        if size <= options.growth:
            growth(sanitizer, size)


def corpora(data: Path, rows: int) -> Iterator[tuple[str, list[str]]]:
    def distinct(texts: Iterator[str]) -> list[str]:
        return list(itertools.islice(dict.fromkeys(text for text in texts if text.strip()), rows))

    def read(name: str) -> Iterator[dict[str, object]]:
        return (json.loads(line) for line in (data / name).open(encoding="utf-8"))

    yield "pii_sentences", distinct(str(row["text"]) for row in read("pii_sentences.jsonl"))
    yield (
        "support_chat turns",
        distinct(
            turn["content"]
            for row in read("support_chat.jsonl")
            for turn in row["messages"]  # type: ignore[attr-defined]
        ),
    )
    yield (
        "instructions",
        distinct(f"{row['instruction']} {row['input']} {row['output']}" for row in read("instructions.jsonl")),
    )


def hallmark(sanitizer: Sanitizer) -> Callable[[list[str]], None]:
    def run(texts: list[str]) -> None:
        records = (Record(str(at), {"text": text}, Origin("bench", "", at, "")) for at, text in enumerate(texts))
        for _ in sanitizer.run(records):
            pass

    return run


def presidio() -> tuple[Callable[[list[str]], None], Callable[[list[str]], None]]:
    """Presidio as its documentation sets it up, with the suffix list read from its snapshot instead of the network."""
    import tldextract
    from presidio_analyzer import AnalyzerEngine, BatchAnalyzerEngine
    from presidio_analyzer.nlp_engine import NlpEngineProvider
    from presidio_anonymizer import AnonymizerEngine

    tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=())
    tldextract.extract = tldextract.TLDExtract(suffix_list_urls=())  # type: ignore[assignment]
    configuration = {"nlp_engine_name": "spacy", "models": [{"lang_code": "en", "model_name": str(bundled_model())}]}
    analyzer = AnalyzerEngine(nlp_engine=NlpEngineProvider(nlp_configuration=configuration).create_engine())
    batches, anonymizer = BatchAnalyzerEngine(analyzer), AnonymizerEngine()  # type: ignore[no-untyped-call]

    def single(texts: list[str]) -> None:
        for text in texts:
            anonymizer.anonymize(text, analyzer.analyze(text, language="en"))  # type: ignore[arg-type]

    def batch(texts: list[str]) -> None:
        for text, found in zip(texts, batches.analyze_iterator(texts, language="en", batch_size=64), strict=True):
            anonymizer.anonymize(text, found)  # type: ignore[arg-type]

    return single, batch


def growth(sanitizer: Sanitizer, rows: int) -> None:
    """Time a row and peak memory of one pass over ``rows`` distinct synthetic rows."""

    def records() -> Iterator[Record]:
        for at in range(rows):
            text = f"Ticket {at}: Maria Lopez wrote from user{at}@mail.example; please call 212-555-{at % 10000:04d}."
            yield Record(
                str(at),
                {"prompt": text, "completion": "We have answered the customer today."},
                Origin("bench", "", at, ""),
            )

    started = time.process_time()
    for _ in sanitizer.run(records()):
        pass
    seconds = time.process_time() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{rows:8} rows  {seconds / rows * 1e3:.3f} ms a row  peak {peak:.0f} MiB")


def command(rows: int) -> None:
    """Seconds a row and peak memory of ``hallmark sanitize`` on ``rows`` short rows, every second one with a value."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "in.jsonl")
        with source.open("w", encoding="utf-8") as stream:
            for at in range(rows):
                said = (
                    f"order {at} is late" if at % 2 else f"call me at 212-555-{at % 10000:04d}, user{at}@mail.example"
                )
                stream.write(json.dumps({"prompt": said, "completion": "We look into it."}) + "\n")
        arguments = [sys.executable, "-m", "pipelines.command", "sanitize", str(source)]
        arguments += ["-o", f"{folder}/out.jsonl", "--report", f"{folder}/report.json"]
        started = time.perf_counter()
        process = subprocess.Popen(arguments, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        with Path(folder, "out.jsonl").open(encoding="utf-8") as stream:
            written = sum(1 for _ in stream)
    print(
        f"{rows:8} rows  {written} out, status {os.waitstatus_to_exitcode(status)}  {seconds:.1f} s in all, "
        f"{(usage.ru_utime + usage.ru_stime) / rows * 1e3:.3f} CPU ms a row  peak {usage.ru_maxrss / 1024:.0f} MiB",
        flush=True,
    )


if __name__ == "__main__":
    main()
