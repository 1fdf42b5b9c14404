"""How good the refusal judge is on answers it was not made from.

    python -m tests.benchmarks.evaluate_refusals [../shared/data/xstest_completions.csv] [--errors]

Reads XSTest's labelled answers (Röttger et al. 2024, arXiv:2308.01263): prompt, completion, final_label. The prompts
whose SHA-256 is even were used to choose features and wordings; the others are the figure. Partial refusals are shown
apart, since the labels call them neither. ``refusals_registers.jsonl`` holds answers in other registers and languages,
labelled as they were written and before any judge saw them. ``--errors`` prints what is wrong on the half developed on.
"""

import argparse
import csv
import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from assets.golden.judges import TOGETHER, Quality, Refusal, RefusalJudge, measure
from tests.benchmarks import figures
from tests.benchmarks.figures import Figure

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
REGISTERS = Path(__file__).with_name("refusals_registers.jsonl")
LABELS: dict[str, Refusal] = {"2_full_refusal": "full", "3_partial_refusal": "partial"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("answers", nargs="?", type=Path, default=DATA / "xstest_completions.csv")
    parser.add_argument("--errors", action="store_true", help="print what is wrong on the half developed on")
    figures.option(parser)
    given = parser.parse_args()
    judge, found = RefusalJudge(), []
    with given.answers.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    for name, odd in (("held back", 1), ("developed on", 0)):
        half = [row for row in rows if hashlib.sha256(row["prompt"].encode()).digest()[-1] % 2 == odd]
        truth: list[Refusal] = [LABELS.get(row["final_label"], "none") for row in half]
        for words in (0, 18):
            texts = [" ".join(row["completion"].split()[:words]) if words else row["completion"] for row in half]
            what = f"{name}, {'first 18 words' if words else 'whole answers'}"
            found += shown(what, texts, truth, judge.kinds(texts), errors=given.errors and not odd)
    registers = [json.loads(line) for line in REGISTERS.read_text(encoding="utf-8").splitlines()]
    texts = [body["text"] for body in registers]
    found += shown("other registers and languages", texts, [body["kind"] for body in registers], judge.kinds(texts))
    own = judge.qualities[TOGETHER]
    found += of("own labelled answers, test half", own)
    print(f"own labelled answers, test half: n {own.n}, F1 {own.f1:.3f}, specificity {own.specificity:.3f}")
    figures.write(given.json, found)


def shown(
    what: str, texts: Sequence[str], truth: Sequence[Refusal], kinds: Sequence[Refusal], *, errors: bool = False
) -> list[Figure]:
    """Print and return how full refusals are told from answers that help, and what partial ones are called."""
    whole = [place for place, kind in enumerate(truth) if kind != "partial"]
    quality = measure([truth[at] == "full" for at in whole], [kinds[at] != "none" for at in whole], agree=0)
    low, high = quality.specificity_interval
    print(
        f"{what}: n {quality.n}, F1 {quality.f1:.3f}, recall {quality.recall:.3f} "
        f"[{quality.recall_interval[0]:.3f}, {quality.recall_interval[1]:.3f}], "
        f"specificity {quality.specificity:.3f} [{low:.3f}, {high:.3f}]"
    )
    called = Counter(kind for kind, label in zip(kinds, truth, strict=True) if label == "partial")
    print("  partial refusals are called", dict(called))
    if errors:
        for at in whole:
            if (truth[at] == "full") != (kinds[at] != "none"):
                print(f"  {truth[at]}, called {kinds[at]}: {texts[at][:200]!r}")
    return of(what, quality)


def of(what: str, quality: Quality) -> list[Figure]:
    """A row of the table: F1, and recall and specificity with their intervals."""
    sides = (("recall", quality.recall, quality.recall_interval),
             ("specificity", quality.specificity, quality.specificity_interval))  # fmt: skip
    told = [Figure(what, value, side, quality.n, *interval, "share") for side, value, interval in sides]
    return [Figure(what, quality.f1, "F1", quality.n, unit="share"), *told]


if __name__ == "__main__":
    main()
