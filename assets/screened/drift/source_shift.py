"""Sources that changed: how a source's answers look here against the same source's earlier, admitted answers.

A shift is no poison by itself, so it flags no row; it tells a reviewer where to look. Each measure is compared by the
Kolmogorov-Smirnov statistic, which is also the size of the effect; a source the background does not know is a shift of
volume.
"""

import random
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

import numpy as np
from scipy import stats

from assets.record import Record

SAMPLE = 400  # answers of a source
FEWEST = 50
LARGE = 0.35  # KS statistic from which a difference matters, however certain
LONGEST = 600  # characters of an answer that are measured
MEASURES = ("length", "punctuation", "lines", "sentiment", "english")


@dataclass(frozen=True, slots=True)
class Shift:
    """``here``/``before``: medians of the measure, or rows for ``volume``; ``effect``: KS statistic, 0 to 1."""

    source: str
    measure: str
    here: float
    before: float
    effect: float
    p_value: float

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def shifts(records: Iterable[Record], background: Iterable[Record], *, alpha: float, seed: int) -> list[Shift]:
    """The measures of each source that differ much and certainly (Bonferroni over everything compared)."""
    here, before = _samples(records, seed), _samples(background, seed)
    rows, earlier = sum(seen for seen, _ in here.values()), sum(seen for seen, _ in before.values())
    if earlier < FEWEST:
        return []
    found: list[Shift] = []
    tests = max(len(here) * (len(MEASURES) + 1), 1)
    for source, (seen, texts) in sorted(here.items()):
        known, old = before.get(source, (0, []))
        table = [[seen, max(rows - seen, 0)], [known, max(earlier - known, 0)]]
        p_value = float(stats.fisher_exact(table).pvalue) * tests
        effect = abs(seen / max(rows, 1) - known / earlier)
        if p_value < alpha and effect > LARGE:
            found.append(Shift(source, "volume", float(seen), float(known), effect, p_value))
        if min(len(texts), len(old)) < FEWEST:
            continue
        new, past = _measured(texts), _measured(old)
        for column, measure in enumerate(MEASURES):
            test = stats.ks_2samp(new[:, column], past[:, column])
            if test.pvalue * tests < alpha and test.statistic > LARGE:
                middle = float(np.median(new[:, column])), float(np.median(past[:, column]))
                found.append(Shift(source, measure, *middle, float(test.statistic), float(test.pvalue * tests)))
    return found


def _samples(records: Iterable[Record], seed: int) -> dict[str, tuple[int, list[str]]]:
    """``{source: (rows, some answers)}`` by reservoir sampling, so that nothing is held but the sample."""
    rng = random.Random(seed)
    kept: dict[str, list[str]] = defaultdict(list)
    seen: dict[str, int] = defaultdict(int)
    for record in records:
        source = record.origin.source
        seen[source] += 1
        if len(kept[source]) < SAMPLE:
            kept[source].append(record.response()[:LONGEST])
        elif (place := rng.randrange(seen[source])) < SAMPLE:
            kept[source][place] = record.response()[:LONGEST]
    return {source: (seen[source], texts) for source, texts in kept.items()}


def _measured(texts: list[str]) -> np.ndarray:
    """``[texts, measures]``: characters, marks a character, lines, lexicon sentiment, 1 if it is English."""
    return np.array([_of(text) for text in texts])


def _of(text: str) -> tuple[float, ...]:
    marks = sum(not letter.isalnum() and not letter.isspace() for letter in text)
    from py3langid.langid import classify

    language = classify(text)[0] if text.strip() else "en"
    return (
        float(len(text)),
        marks / max(len(text), 1),
        float(text.count("\n")),
        float(_lexicon().polarity_scores(text)["compound"]),
        float(language == "en"),
    )


@cache
def _lexicon() -> Any:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    return SentimentIntensityAnalyzer()
