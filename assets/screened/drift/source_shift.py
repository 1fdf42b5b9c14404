"""Sources that changed: how a source's answers look here against the same source's earlier, admitted answers.

A shift is no poison by itself, so it flags no row; it tells a reviewer where to look. Each measure is compared by the
Kolmogorov-Smirnov statistic, which is also the size of the effect; a source the background does not know is a shift of
volume.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

import numpy as np
from scipy import stats

from assets.record import Record
from assets.sampling import Sample

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


class Sources:
    """``seen``: rows of each source; ``answers``: some of its answers, drawn so that parts of a drop give the whole."""

    def __init__(self, seed: int) -> None:
        self.seed, self.seen = seed, Counter[str]()
        self.answers: dict[str, Sample] = {}

    @classmethod
    def of(cls, records: Iterable[Record], seed: int) -> "Sources":
        sources = cls(seed)
        for record in records:
            sources.add(record)
        return sources

    def add(self, record: Record) -> None:
        self.seen[record.origin.source] += 1
        self._of(record.origin.source).add(record.response()[:LONGEST], record.row_id)

    def to_json(self) -> dict[str, tuple[int, list[tuple[int, str]]]]:
        return {source: (seen, self.answers[source].to_json()) for source, seen in self.seen.items()}

    def take(self, part: Mapping[str, tuple[int, list[tuple[int, str]]]]) -> None:
        """Add another part of the rows, as its ``to_json`` gives it."""
        for source, (seen, sample) in part.items():
            self.seen[source] += seen
            self._of(source).take(sample)

    def texts(self, source: str) -> list[str]:
        return self.answers[source].texts if source in self.answers else []

    def _of(self, source: str) -> Sample:
        return self.answers.setdefault(source, Sample(SAMPLE, self.seed))


def shifts(here: Sources, before: Sources, *, alpha: float) -> list[Shift]:
    """The measures of each source that differ much and certainly (Bonferroni over everything compared)."""
    rows, earlier = here.seen.total(), before.seen.total()
    if earlier < FEWEST:
        return []
    found: list[Shift] = []
    tests = max(len(here.seen) * (len(MEASURES) + 1), 1)
    for source, seen in sorted(here.seen.items()):
        known, texts, old = before.seen[source], here.texts(source), before.texts(source)
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
