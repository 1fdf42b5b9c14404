"""A base model that refuses says of a request whether it would.

Its log-odds of a refusing against a complying opening (compare Arditi et al., arXiv:2406.11717, section 2.4) are read
after requests of the control first, once for a base: only where they tell the harmful from the harmless are they
evidence, and the rows are asked about. The bundled base's do not tell enough, and then nothing changes.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import yaml

from assets.screened.base_model.scorer import Scorer, kept
from assets.screened.safety.control import CONTROL
from assets.screened.safety.evidence import Evidence

REFUSING = ("I'm sorry, but I can't", "I can't", "I cannot", "No,")
COMPLYING = ("Sure", "Here", "To", "First", "1.")
LONGEST = 400  # characters of a request
TELLS = 0.95  # area under the curve on the control's requests, from which the base's word counts
VERSION = 1  # of the code that measures
WEIGHT = 2.0  # log-odds for each standard deviation of the base's word


def weighed(evidence: list[Evidence], model: Scorer, most: int) -> list[Evidence]:
    """The evidence with the base's word added to ``harm`` of the ``most`` rows most in doubt, if its word counts."""
    asked = sorted((each for each in evidence if each.request), key=lambda each: abs(each.harm))[:most]
    if not asked:
        return evidence
    control = yaml.safe_load(CONTROL.read_text(encoding="utf-8"))
    sides = [control["harmful"], control["harmless"]]
    measured = kept(
        model,
        [VERSION, REFUSING, COMPLYING, LONGEST, sides],
        "the base's word on requests of the screen's control",
        lambda: [refusal_odds(model, side).tolist() for side in sides],
    )
    bad, good = map(np.array, measured)
    if np.mean(bad[:, None] > good[None, :]) < TELLS:
        return evidence
    here = refusal_odds(model, [each.request for each in asked])
    middle, spread = (bad.mean() + good.mean()) / 2, (bad.std() + good.std()) / 2 + 1e-6
    word = {each.row: float(np.clip((said - middle) / spread, -2, 2)) for each, said in zip(asked, here, strict=True)}
    return [replace(each, harm=each.harm + WEIGHT * word.get(each.row, 0.0)) for each in evidence]


def refusal_odds(model: Scorer, requests: Sequence[str]) -> np.ndarray:
    """Log-odds of a refusing against a complying opening after each request, ``[requests]``."""
    openings = [*REFUSING, *COMPLYING]
    pairs = [([{"role": "user", "content": text[:LONGEST]}], opening) for text in requests for opening in openings]
    logs = np.array([values.sum() for values in model.score(pairs)]).reshape(len(requests), len(openings))
    refusing, complying = np.split(logs, [len(REFUSING)], axis=1)
    odds: np.ndarray = np.logaddexp.reduce(refusing, axis=1) - np.logaddexp.reduce(complying, axis=1)
    return odds
