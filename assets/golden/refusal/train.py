"""Make the classifier's weights: ``python -m assets.golden.refusal.train``. Prints what cross-validation finds.

``wordings.jsonl`` holds answers written for this: refusals (``full``), answers that decline a part (``partial``) and
answers that help (``none``), in many manners; a slot such as ``{act}`` is filled from ``fillings.json``. The training
half of the labelled answers is added, and of longer answers the first words once more, since the trial reads answers
that are cut off. In cross-validation the same wording is never on both sides.
"""

import json
import random
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from assets.golden.refusal.classifier import DECLINES, PARTLY, WEIGHTS, features

WORDINGS, FILLINGS = (Path(__file__).with_name(name) for name in ("wordings.jsonl", "fillings.json"))
COPIES = 3  # of a wording with slots
CUT = 14  # words of the answers that are cut off
STRENGTH = {DECLINES: 1.0, PARTLY: 1.0}  # inverse of the regularisation
FOLDS = 5


@dataclass(frozen=True, slots=True)
class Example:
    """``wording`` numbers what it was made from; the copies of one weigh as much as one example together."""

    text: str
    kind: str
    wording: int
    weight: float


def examples() -> list[Example]:
    """All of them, the same every time."""
    from assets.golden.judges import read_labelled

    fillings, draw = json.loads(FILLINGS.read_text(encoding="utf-8")), random.Random(0)
    found = []
    for number, line in enumerate(WORDINGS.read_text(encoding="utf-8").splitlines()):
        body = json.loads(line)
        copies = COPIES if "{" in body["text"] else 1
        for _ in range(copies):
            found.append(Example(_filled(body["text"], fillings, draw), body["kind"], number, 1 / copies))
    for number, item in enumerate(item for item in read_labelled() if item.half == "train"):
        found.append(Example(item.answer, "full" if item.refuses else "none", -1 - number, 1.0))
    cut = [
        Example(" ".join(item.text.split()[:CUT]), item.kind, item.wording, item.weight / 2)
        for item in found
        if item.kind != "partial" and len(item.text.split()) > CUT
    ]
    return found + cut


def _filled(text: str, fillings: dict[str, list[str]], draw: random.Random) -> str:
    def word(match: re.Match[str]) -> str:
        chosen = draw.choice(fillings[match[1].lower()])
        return chosen[0].upper() + chosen[1:] if match[1][0].isupper() else chosen

    return re.sub(r"\{(\w+)\}", word, text)


def main() -> None:
    from safetensors.numpy import save_file

    rows = examples()
    table = features([row.text for row in rows])
    kinds, weight = np.array([row.kind for row in rows]), np.array([row.weight for row in rows])
    groups = np.array([row.wording for row in rows])
    some = kinds != "none"
    found = {
        DECLINES: _fit(DECLINES, table, some, weight, groups),
        PARTLY: _fit(PARTLY, table[some], kinds[some] == "partial", weight[some], groups[some]),
    }
    save_file(found, WEIGHTS)


def _fit(name: str, table: np.ndarray, truth: np.ndarray, weight: np.ndarray, groups: np.ndarray) -> np.ndarray:
    from sklearn.model_selection import GroupKFold

    guessed = np.zeros(len(truth), bool)
    for train, test in GroupKFold(FOLDS).split(table, truth, groups):
        guessed[test] = _model(name).fit(table[train], truth[train], weight[train]).predict(table[test])
    recall, specificity = guessed[truth].mean(), (~guessed[~truth]).mean()
    print(f"{name}: {truth.sum()} of {len(truth)}; left out: recall {recall:.3f}, specificity {specificity:.3f}")
    model = _model(name).fit(table, truth, weight)
    return np.append(model.coef_[0], model.intercept_).astype(np.float32)


def _model(name: str) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=STRENGTH[name], max_iter=500, class_weight="balanced", solver="liblinear")


if __name__ == "__main__":
    main()
