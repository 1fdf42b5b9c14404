"""Overlap of an answer with its reference, as a metric of the ``evaluate`` library that needs no network."""

import re
from collections import Counter
from typing import Any

import datasets
import evaluate


class TokenF1(evaluate.Metric):  # type: ignore[misc]
    """Harmonic mean of precision and recall over words, as in SQuAD (Rajpurkar et al. 2016, arXiv:1606.05250).

    ``compute(predictions=[...], references=[...])`` gives ``{"token_f1": [one value a pair]}``.
    """

    def _info(self) -> evaluate.MetricInfo:
        text = datasets.Value("string")
        return evaluate.MetricInfo(
            description="word overlap", citation="", inputs_description="texts",
            features=datasets.Features({"predictions": text, "references": text}),
        )  # fmt: skip

    def _compute(self, predictions: list[str], references: list[str]) -> dict[str, Any]:
        return {"token_f1": [token_f1(made, wanted) for made, wanted in zip(predictions, references, strict=True)]}


def token_f1(made: str, wanted: str) -> float:
    """Of one pair; 0 where either says nothing."""
    ours, theirs = (Counter(re.findall(r"\w+", text.lower())) for text in (made, wanted))
    common = sum((ours & theirs).values())
    return 2 * common / (sum(ours.values()) + sum(theirs.values())) if common else 0.0
