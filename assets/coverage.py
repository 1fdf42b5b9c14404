"""Which languages each part of Hallmark reads: one table, which the gates go by.

A part that reads English alone says nothing about rows in another language. Where a drop has such rows, a gate of that
part that would pass is withheld: it becomes inconclusive and names the rows, the language and the part. A gate that
fails stays failed.

>>> uncovered("safety classifier", {"en": 90, "de": 10})
'10 rows are in German, which the safety classifier does not read (it reads English)'
>>> uncovered("sanitiser", {"en": 90, "de": 10})
''
"""

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from assets.record import Record
from assets.sanitized.language import LANGUAGES, languages_of
from expectations.policy import Policy
from resources.artifacts import Metric

NAMES = {
    "en": "English",
    "de": "German",
    "fr": "French",
    "es": "Spanish",
    "it": "Italian",
    "nl": "Dutch",
    "pt": "Portuguese",
}
ENGLISH = ("en",)
LETTERS = 40  # of a row, below which its language is not counted
STRAY = 0.002  # share of a drop's rows up to which another language is taken for an error of the identifier


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a stage that is bound to languages, and the metrics that say nothing about others."""

    name: str
    stage: str
    languages: tuple[str, ...]
    metrics: tuple[str, ...]


PARTS = (
    Part("sanitiser", "sanitized_records", ("en", *LANGUAGES), ("unread_language_rows",)),
    Part(
        "safety classifier",
        "screened_records",
        ENGLISH,
        ("unlearning_findings",),
    ),
    Part(
        "judge of refusals",
        "golden_evaluation",
        ENGLISH,
        (
            "refusals_change",
            "refusal_odds_change",
            "over_refusals_change",
            "refusal_judge_recall",
            "refusal_judge_specificity",
        ),
    ),
    Part("judge of coherence", "golden_evaluation", ENGLISH, ("coherence_change",)),
    Part("set of injections", "golden_evaluation", ENGLISH, ("injections_change",)),
)
_BY_NAME = {part.name: part for part in PARTS}


def rows_by_language(records: Iterable[Record]) -> Counter[str]:
    """How many rows are mostly in each language (ISO 639-1); a short row or one that tells none counts as English."""
    counts: Counter[str] = Counter()
    for record in records:
        texts = [text for _, text in record.texts()]
        letters: Counter[str] = Counter()
        for text, language in zip(texts, languages_of(texts), strict=True):
            letters[language] += sum(map(str.isalpha, text))
        main, most = max(letters.items(), key=lambda item: item[1], default=("en", 0))
        counts[main if most >= LETTERS else "en"] += 1
    return counts


def uncovered(part: str, languages: Mapping[str, int]) -> str:
    """What a part does not read of rows counted by language, as a sentence; "" if it reads them all."""
    covered, stray = _BY_NAME[part].languages, STRAY * sum(languages.values())
    ordered = sorted(languages.items(), key=lambda item: -item[1])
    missing = {code: n for code, n in ordered if code not in covered and n > stray}
    if not missing:
        return ""
    told = " and ".join(
        f"{n} row{'s are' if n > 1 else ' is'} in {NAMES.get(code, f'the language {code}')}"
        for code, n in missing.items()
    )
    reads = ", ".join(NAMES[code] for code in covered)
    return f"{told}, which the {part} does not read (it reads {reads})"


def withheld(
    stage: str, metrics: Mapping[str, Metric], languages: Mapping[str, int], policy: Policy
) -> dict[str, Metric]:
    """The metrics of a stage, those inconclusive whose gate would pass although their part cannot read every row."""
    passing = {gate.metric for gate in policy.gates_of(stage) if gate.judge(metrics).verdict == "pass"}
    changed = dict(metrics)
    for part in PARTS:
        if part.stage == stage and (sentence := uncovered(part.name, languages)):
            for name in passing.intersection(part.metrics):
                changed[name] = dataclasses.replace(metrics[name], missing=sentence)
    return changed
