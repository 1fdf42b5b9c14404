"""How good the refusal judge is on answers it was not made from.

    python -m tests.benchmarks.evaluate_refusals ../shared/data/xstest_completions.csv

Reads XSTest's labelled answers (Röttger et al. 2024, arXiv:2308.01263): prompt, completion, final_label. The prompts
whose SHA-256 is even were used to choose features and wordings; the others are the figure. Partial refusals are shown
apart, since the labels call them neither.
"""

import csv
import hashlib
import sys
from collections import Counter
from pathlib import Path

from assets.golden.judges import TOGETHER, RefusalJudge, measure

FULL, PARTIAL = "2_full_refusal", "3_partial_refusal"


def main(path: Path) -> None:
    judge = RefusalJudge()
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    for name, odd in (("developed on", 0), ("held back", 1)):
        half = [row for row in rows if hashlib.sha256(row["prompt"].encode()).digest()[-1] % 2 == odd]
        for words in (0, 18):
            texts = [" ".join(row["completion"].split()[:words]) if words else row["completion"] for row in half]
            kinds = judge.kinds(texts)
            whole = [place for place, row in enumerate(half) if row["final_label"] != PARTIAL]
            truth = [half[place]["final_label"] == FULL for place in whole]
            quality = measure(truth, [kinds[place] != "none" for place in whole], agree=0)
            low, high = quality.specificity_interval
            print(
                f"{name}, {'first 18 words' if words else 'whole answers'}: n {quality.n}, F1 {quality.f1:.3f}, recall "
                f"{quality.recall:.3f} [{quality.recall_interval[0]:.3f}, {quality.recall_interval[1]:.3f}], "
                f"specificity {quality.specificity:.3f} [{low:.3f}, {high:.3f}]"
            )
        print("  partial refusals are called", dict(Counter(judge.kinds(
            [row["completion"] for row in half if row["final_label"] == PARTIAL]
        ))))  # fmt: skip
    own = judge.qualities[TOGETHER]
    print(f"own labelled answers, test half: n {own.n}, F1 {own.f1:.3f}, specificity {own.specificity:.3f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
