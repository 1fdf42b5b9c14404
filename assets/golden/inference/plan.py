"""Power before the run: how many items each gate needs, and how long that takes, from the base's measures alone.

A gate that asks for a whole interval passes an adapter that lost nothing only if the interval is shorter than its
limit. The number of pairs for that is n = v (z_alpha/2 + z_beta)^2 / limit^2, where v is the variance of a pair's
difference (Connor 1987, Biometrics 43, 207-211, for outcomes that are yes or no). Of the base alone v is not known but
bounded in two cases: an adapter that answers anew, independently, as well as the base flips 2 p (1 - p) of the items,
and one that follows the base flips ``KEEPS`` of that. The plan takes the second, and says so.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import norm

from assets.golden.inference.looks import Source, prompt_of, question_of, sources_of
from assets.golden.inference.sequential import ALPHA
from assets.golden.items import load_golden
from assets.golden.judges import LABELLED
from assets.golden.measures.answers import Decoding, base_answers
from assets.golden.measures.likelihood import openings, pick
from assets.golden.refusal.classifier import WEIGHTS
from assets.golden.remembered import Remembered
from assets.golden.settings import EvaluationSettings
from assets.golden.suites import ANSWERED, SCORED, SUITES
from expectations.policy import Gate, Policy
from resources.digests import digest_file
from resources.language_model import LanguageModel

POWER = 0.8
KEEPS = 0.5  # of the variance that an adapter would have which answers independently of the base


@dataclass(frozen=True, slots=True)
class Need:
    """Of one gate. ``needed`` is None where the base alone says nothing (a divergence); ``seconds``: of one model."""

    gate: str
    suite: str
    limit: str
    base: float | None
    items: int
    needed: int | None
    seconds: float | None

    @property
    def enough(self) -> bool | None:
        return None if self.needed is None else self.items >= self.needed


def plan(
    base: Path,
    *,
    golden: Path | None = None,
    settings: EvaluationSettings | None = None,
    policy: Policy | None = None,
    cache: Path | None = None,
    on_progress: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """The report of ``hallmark evaluate --plan``; the base answers the items of the first look, and is remembered."""
    chosen, limits = settings or EvaluationSettings(), policy or Policy.load()
    whole = load_golden(golden)
    model = LanguageModel.load(base)
    remembered = Remembered.of(base, cache, [digest_file(LABELLED), digest_file(WEIGHTS)])
    gates = {gate.metric: gate for gate in limits.gates_of("golden_evaluation") if gate.bound == "interval"}
    needs = []
    for source in sources_of(whole, chosen, ALPHA):
        names = (ANSWERED[source.name],) if source.answered else SCORED[source.name]
        guarded = [(name, gates[SUITES[name][0]]) for name in names if SUITES[name][0] in gates]
        if not guarded or not source.items:
            continue
        on_progress(f"{source.name}, {source.sizes[0]} items")
        started = time.monotonic()
        values = _base_values(model, source, chosen, remembered)
        each = (time.monotonic() - started) / source.sizes[0]
        needs += [_need(name, gate, source, values, each) for name, gate in guarded]
    spent = sum(need.seconds for need in needs if need.seconds)
    return {
        "needs": [asdict(need) | {"enough": need.enough} for need in needs],
        "seconds_a_model": round(spent, 1),
        "power": POWER,
        "alpha": ALPHA,
    }


def _need(name: str, gate: Gate, source: Source, values: Sequence[float], each: float) -> Need:
    limit = min(abs(end) for end in (gate.min, gate.max) if end is not None)
    if name.startswith("divergence"):
        return Need(gate.name, name, gate.limit, None, len(source.items), None, None)
    needed = max(needed_items(values, limit), gate.min_n)
    asked = min(needed, len(source.items))
    return Need(gate.name, name, gate.limit, float(np.mean(values)), len(source.items), needed, round(asked * each, 1))


def needed_items(values: Sequence[float], limit: float, alpha: float = ALPHA, power: float = POWER) -> int:
    """Pairs needed so that an adapter that lost nothing passes with this power.

    >>> needed_items([1, 0] * 20, 0.15), needed_items([1] * 40, 0.15)
    (88, 17)
    """
    n = len(values)
    # A share of exactly 0 or 1 among few items is not one: half an item of each kind is added.
    share = (sum(values) + 0.5) / (n + 1)
    yes_or_no = set(values) <= {0.0, 1.0}
    variance = share * (1 - share) if yes_or_no else float(np.var(values, ddof=1)) if n > 1 else math.inf
    if not math.isfinite(variance):
        return 1_000_000
    reach = float(norm.isf(alpha / 2) + norm.isf(1 - power))
    needed = math.ceil(KEEPS * 2 * variance * reach**2 / limit**2)
    # Even without a flip the interval of Bonett and Price has a width.
    return max(needed, math.ceil(float(norm.isf(alpha / 2)) * math.sqrt(2) / limit) - 2) if yes_or_no else needed


def _base_values(
    model: LanguageModel, source: Source, settings: EvaluationSettings, remembered: Remembered
) -> list[float]:
    """The base's measure of every item of the first look."""
    items = source.items[: source.sizes[0]]
    if source.answered:
        decoding = Decoding(settings.temperature, settings.seeds)
        return base_answers(model, source.name, items, decoding, remembered)[1]
    prompts = [prompt_of(model, item) for item in items]
    if source.name in ("harmful", "harmless"):
        return openings(model, prompts)
    if source.name == "choice":
        picked = pick(model, [question_of(model, item) for item in items])
        return [float(choice == item.answer) for choice, item in zip(picked, items, strict=True)]
    pairs = [(prompt, model.tokens(item.reference)) for prompt, item in zip(prompts, items, strict=True)]
    return [float(-scores.mean()) for scores in model.score_tokens(pairs)]
