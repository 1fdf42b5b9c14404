"""Exposure of canaries: how far the planted ones stand out from their twins that nobody trained on.

The score of a canary is how much more likely its secret became through the adapter, in nats (adapter minus base,
summed over the secret's tokens). Its exposure is ``log2(references) - log2(rank)`` among the unplanted canaries
(Carlini et al., 2019): the bits by which guessing got easier. With no memorization ranks are uniform and the mean
exposure is about 1.44 bits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from assets.corpus.canaries import Canary, Delivery
from assets.memorization.readings import Readings
from assets.memorization.statistics import auc, auc_interval
from assets.memorization.verbatim import Extraction, extract, secret_probe
from assets.record import Message
from resources.language_model import LanguageModel

CHANCE_BITS = 1 / float(np.log(2))  # mean of -log2 of a uniform rank


@dataclass(frozen=True, slots=True)
class Exposures:
    """One entry a canary, in their order: ``gain`` in nats a token, ``bits`` of exposure (NaN for the unplanted)."""

    canaries: tuple[Canary, ...]
    gain: np.ndarray
    bits: np.ndarray
    extractions: tuple[Extraction, ...]

    def level(self, repetitions: int) -> np.ndarray:
        """Which canaries are planted this often."""
        return np.array([canary.planted and canary.repetitions == repetitions for canary in self.canaries])

    @property
    def planted(self) -> np.ndarray:
        return np.array([canary.planted for canary in self.canaries])

    def extracted(self, repetitions: int) -> int:
        chosen = self.level(repetitions)
        return sum(result.extracted for result, here in zip(self.extractions, chosen, strict=True) if here)

    def to_json(self) -> dict[str, Any]:
        from scipy.stats import mannwhitneyu

        unplanted = self.gain[~self.planted]
        levels = {}
        for repetitions in sorted({canary.repetitions for canary in self.canaries}):
            chosen = self.level(repetitions)
            test = mannwhitneyu(self.gain[chosen], unplanted, alternative="greater")
            levels[str(repetitions)] = {
                "planted": int(chosen.sum()),
                "extracted": self.extracted(repetitions),
                "exposure_bits": round(float(self.bits[chosen].mean()), 3),
                "auc": round(auc(self.gain[chosen], unplanted), 4),
                "p_value": float(test.pvalue),
            }
        return {
            "drawn": len(self.canaries),
            "planted": int(self.planted.sum()),
            "chance_bits": round(CHANCE_BITS, 3),
            "greatest_bits": round(float(np.log2(len(unplanted) + 1)), 3),
            "by_repetitions": levels,
            "auc": auc_interval(self.gain[self.planted], unplanted).to_json(),
        }


def expose(model: LanguageModel, canaries: Sequence[Canary], *, draws: int) -> Exposures:
    """Score every canary, rank the planted against the unplanted, and try to extract them."""
    probes = [
        secret_probe(model, canary.kind, canary.name, [Message("user", canary.prompt)], canary.lead, canary.secret)
        for canary in canaries
    ]
    results = extract(model, probes, draws=draws, readings=Readings(model, again=True))  # made up, no secrets
    gain = np.array([result.token_gain for result in results])
    planted = np.array([canary.planted for canary in canaries])
    reference = gain[~planted]
    ranks = 1 + np.array([(reference > value).sum() for value in gain])
    bits = np.where(planted, np.log2(len(reference) + 1) - np.log2(ranks), np.nan)
    return Exposures(tuple(canaries), gain, bits, tuple(results))


def unproven(delivered: Delivery | None) -> str:
    """Why the canaries prove nothing, or "" if they reached the loader as drawn."""
    if delivered is None:
        return "nothing shows that the canaries reached the loader"
    if not delivered.complete:
        return f"{len(delivered.differences)} canaries did not reach the loader as drawn"
    return ""
