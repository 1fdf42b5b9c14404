"""Multiple choice in HellaSwag's form, by likelihood, base and adapter on the same items.

A line of the file is ``{"ctx": "...", "endings": ["...", ...], "label": 0}``; text is scored as it stands, without a
chat template, as lm-evaluation-harness does it, and so are the two accuracies: ``acc`` by the log-probability of an
ending, ``acc_norm`` by that divided by the ending's length in bytes. Zellers et al. 2019, arXiv:1905.07830.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from assets.golden.inference.statistics import Change, paired_proportions
from resources.errors import InputError
from resources.language_model import LanguageModel


@dataclass(frozen=True, slots=True)
class Ending:
    """One item of the file."""

    context: str
    endings: tuple[str, ...]
    label: int


@dataclass(frozen=True, slots=True)
class ChoiceResult:
    """Paired changes of both accuracies."""

    acc: Change
    acc_norm: Change


def read_endings(path: Path) -> list[Ending]:
    """The items of a file; ``InputError`` names the line that is none."""
    found = []
    with path.open(encoding="utf-8") as stream:
        for line, text in enumerate(stream, 1):
            try:
                body = json.loads(text)
                item = Ending(str(body["ctx"]), tuple(map(str, body["endings"])), int(body["label"]))
            except (ValueError, KeyError, TypeError) as error:
                raise InputError(
                    "is no item of ctx, endings and label", object_key=path.name, line=line, rule="choice"
                ) from error
            if not 0 <= item.label < len(item.endings):
                raise InputError("label is the number of an ending", object_key=path.name, line=line, rule="choice")
            found.append(item)
    return found


def run_endings(model: LanguageModel, items: Sequence[Ending]) -> ChoiceResult:
    """Score every ending once with each model; a context is computed once for all its endings."""
    pairs = [pair for item in items for pair in _tokens(model, item)]
    adapter, base = model.both(lambda: [float(score.sum()) for score in model.score_tokens(pairs)])
    right: list[list[list[bool]]] = [[], []]
    for scores in (base, adapter):
        given = iter(scores)
        plain, normed = [], []
        for item in items:
            row = np.array([next(given) for _ in item.endings])
            lengths = np.array([len(ending.encode()) for ending in item.endings])
            plain.append(int(row.argmax()) == item.label)
            normed.append(int((row / lengths).argmax()) == item.label)
        right[0].append(plain)
        right[1].append(normed)
    return ChoiceResult(paired_proportions(*right[0]), paired_proportions(*right[1]))


def _tokens(model: LanguageModel, item: Ending) -> list[tuple[list[int], list[int]]]:
    """Context and endings in tokens, cut where the context's own tokens end."""
    context = model.tokens(item.context)
    return [(context, model.tokens(f"{item.context} {ending}")[len(context) :]) for ending in item.endings]
