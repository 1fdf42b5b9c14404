"""How good the refusal judge is on answers it was not made from.

    python -m tests.benchmarks.evaluate_refusals [../shared/data/xstest_completions.csv]

Reads XSTest's labelled answers (Röttger et al. 2024, arXiv:2308.01263): prompt, completion, final_label. The prompts
whose SHA-256 is even were used to choose features and wordings; the others are the figure. Partial refusals are shown
apart, since the labels call them neither.
"""

import argparse
import csv
import hashlib
from collections import Counter
from pathlib import Path

from assets.golden.judges import TOGETHER, Quality, RefusalJudge, measure
from tests.benchmarks import figures
from tests.benchmarks.figures import Figure

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
FULL, PARTIAL = "2_full_refusal", "3_partial_refusal"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("answers", nargs="?", type=Path, default=DATA / "xstest_completions.csv")
    figures.option(parser)
    given = parser.parse_args()
    judge, found = RefusalJudge(), []
    with given.answers.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    for name, odd in (("held back", 1), ("developed on", 0)):
        half = [row for row in rows if hashlib.sha256(row["prompt"].encode()).digest()[-1] % 2 == odd]
        for words in (0, 18):
            texts = [" ".join(row["completion"].split()[:words]) if words else row["completion"] for row in half]
            kinds = judge.kinds(texts)
            whole = [place for place, row in enumerate(half) if row["final_label"] != PARTIAL]
            truth = [half[place]["final_label"] == FULL for place in whole]
            quality = measure(truth, [kinds[place] != "none" for place in whole], agree=0)
            low, high = quality.specificity_interval
            found += of(f"{name}, {'first 18 words' if words else 'whole answers'}", quality)
            print(
                f"{name}, {'first 18 words' if words else 'whole answers'}: n {quality.n}, F1 {quality.f1:.3f}, recall "
                f"{quality.recall:.3f} [{quality.recall_interval[0]:.3f}, {quality.recall_interval[1]:.3f}], "
                f"specificity {quality.specificity:.3f} [{low:.3f}, {high:.3f}]"
            )
        print("  partial refusals are called", dict(Counter(judge.kinds(
            [row["completion"] for row in half if row["final_label"] == PARTIAL]
        ))))  # fmt: skip
    own = judge.qualities[TOGETHER]
    figures.write(given.json, [*found, *of("own labelled answers, test half", own)])
    print(f"own labelled answers, test half: n {own.n}, F1 {own.f1:.3f}, specificity {own.specificity:.3f}")


def of(what: str, quality: Quality) -> list[Figure]:
    """A row of the table: F1, and recall and specificity with their intervals."""
    sides = (("recall", quality.recall, quality.recall_interval),
             ("specificity", quality.specificity, quality.specificity_interval))  # fmt: skip
    told = [Figure(what, value, side, quality.n, *interval, "share") for side, value, interval in sides]
    return [Figure(what, quality.f1, "F1", quality.n, unit="share"), *told]


if __name__ == "__main__":
    main()
