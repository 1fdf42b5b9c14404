"""The golden evaluation: adapter against base on the same items, with the same template and decoding (law 6).

Both models are one set of weights in memory, the adapter switched off for the base. What is cheap is scored (losses,
divergence, multiple choice, openings), what must be seen is generated (answers, refusals, odd messages, injections).
An adapter that changes nothing gives a difference of exactly zero in every suite.
"""

import dataclasses
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from assets.golden.answers import Answered, Outcomes, answer_suites
from assets.golden.items import GoldenSet, Item, load_golden
from assets.golden.judges import TOGETHER, Quality
from assets.golden.likelihood import Question, compare, openings, pick
from assets.golden.settings import EvaluationSettings
from assets.golden.suites import (
    SUITES,
    Suite,
    answer_suites_of,
    choice_suite,
    likelihood_suites,
    odds_suites,
)
from expectations.policy import GateResult, Policy
from resources.artifacts import Metric
from resources.language_model import LanguageModel

STAGE = "golden_evaluation"
SHOWN = 160  # characters of an answer that a flip shows

__all__ = ["EvaluationSettings", "evaluate"]


def evaluate(
    base: Path,
    adapter: Path,
    *,
    golden: Path | None = None,
    settings: EvaluationSettings | None = None,
    policy: Policy | None = None,
    on_progress: Callable[[str], None] = lambda line: None,
) -> tuple[dict[str, Any], dict[str, Metric]]:
    """The report (contract: ``suites``, ``flips``) and the metrics that the policy's gates judge.

    ``policy`` (the default one if None) puts a verdict and a limit beside each suite; authority is the gate's own
    judgement of the metrics. Raises ``InputError`` on a broken golden set, ``ModelError`` on a broken model.
    """
    started = time.monotonic()
    chosen, limits = settings or EvaluationSettings(), policy or Policy.load()
    whole = load_golden(golden)
    model = LanguageModel.load(base, adapter)
    on_progress(f"golden set of {whole.size} items")
    suites, right = _scored(model, whole.sample(chosen.items), on_progress)
    asked = whole.sample(chosen.answers)
    answered = answer_suites(
        model, asked.suites, seeds=chosen.seeds, temperature=chosen.temperature, on_progress=on_progress
    )
    suites += answer_suites_of(answered, chosen.least_refusals)
    judges, judged = _judges(model)
    metrics = dict(suite.metric for suite in suites) | judged
    gates = {result.metric: result for result in limits.judge(STAGE, metrics)}
    report = {
        "suites": {suite.name: _entry(suite, gates.get(SUITES[suite.name][0])) for suite in suites},
        "flips": [*_choice_flips(right), *_flips(answered)],
        "judges": judges,
        "golden": {"sha256": whole.digest, "items": {name: len(items) for name, items in whole.suites.items()}},
        "settings": chosen.to_json(),
        "seconds": round(time.monotonic() - started, 3),
    }
    return report, metrics


def _scored(
    model: LanguageModel, golden: GoldenSet, on_progress: Callable[[str], None]
) -> tuple[list[Suite], list[tuple[Item, int, int]]]:
    """The suites that need no generation; and each multiple-choice item with both models' picks."""
    compared = {}
    for name in ("task", "passage"):
        items = golden.suites.get(name, ())
        on_progress(f"likelihood of {len(items)} {name} texts")
        compared[name] = compare(model, [(prompt_of(model, item), model.tokens(item.reference)) for item in items])
    choices = golden.suites.get("choice", ())
    on_progress(f"{len(choices)} multiple-choice questions")
    questions = [question_of(model, item) for item in choices]
    adapter, base = model.both(lambda: pick(model, questions)) if choices else ([], [])
    picks = list(zip(choices, base, adapter, strict=True))
    odds = {}
    for name in ("harmful", "harmless"):
        if items := golden.suites.get(name, ()):
            on_progress(f"openings of answers to {len(items)} {name} requests")
            prompts = [prompt_of(model, item) for item in items]
            raised, plain = model.both(lambda prompts=prompts: openings(model, prompts))  # type: ignore[misc]
            odds[name] = plain, raised
    right = [[picked[place] == picked[0].answer for picked in picks] for place in (1, 2)]
    return [*likelihood_suites(compared), choice_suite((right[0], right[1])), *odds_suites(odds)], picks


def question_of(model: LanguageModel, item: Item) -> Question:
    """A multiple-choice item as token ids."""
    choices = tuple(map(model.tokens, item.choices))
    return Question(prompt_of(model, item), choices, tuple(map(len, item.choices)), item.answer)


def prompt_of(model: LanguageModel, item: Item) -> list[int]:
    """An item's chat as token ids, up to the answer."""
    return model.encode(list(item.messages), for_generation=True)


def _judges(model: LanguageModel) -> tuple[dict[str, Any], dict[str, Metric]]:
    """How far the judges can be trusted, on labelled answers they were not made from."""
    outcomes = Outcomes(model)
    refusal = outcomes.refusal.qualities
    incoherence = outcomes.coherence.qualities(outcomes.refusal.labelled)
    report, metrics = {}, {}
    for name, qualities in (("refusal", refusal), ("incoherence", incoherence)):
        quality = qualities[TOGETHER]
        alone = {method: _quality(found) for method, found in qualities.items() if method != TOGETHER}
        report[name] = {**_quality(quality), "methods": alone}
        metrics[f"{name}_judge_recall"] = Metric(quality.recall, quality.positives, *quality.recall_interval)
        quiet = quality.n - quality.positives
        metrics[f"{name}_judge_specificity"] = Metric(quality.specificity, quiet, *quality.specificity_interval)
    return report, metrics


def _quality(quality: Quality) -> dict[str, Any]:
    body = {
        name: list(value) if isinstance(value, tuple) else value for name, value in dataclasses.asdict(quality).items()
    }
    return body | {"f1": quality.f1}


def _entry(suite: Suite, gate: GateResult | None) -> dict[str, Any]:
    """One suite of the report: numbers, which way the change goes, and what its gate says."""
    _, better, unit = SUITES[suite.name]
    body: dict[str, Any] = {"n": 0, **dict.fromkeys(("base", "adapter", "difference", "ci_low", "ci_high", "p_value"))}
    reading = "not measured"
    if suite.change is not None:
        change = suite.change
        body = dataclasses.asdict(change)
        moved = change.difference and not change.ci_low <= 0 <= change.ci_high
        way = (change.difference > 0) - (change.difference < 0)
        told = "better" if way == better else "worse" if better else "changed"
        reading = told if moved else "no change shown"
    verdict, limit, reason = (gate.verdict, gate.limit, gate.reason) if gate else ("not gated", "", "")
    return body | {"reading": reading, "unit": unit, "verdict": verdict, "limit": limit, "reason": reason}


def _choice_flips(picks: Sequence[tuple[Item, int, int]]) -> list[dict[str, Any]]:
    return [
        _flip("general_choice", item, worse=base == item.answer, base=item.choices[base], adapter=item.choices[adapter])
        for item, base, adapter in picks
        if (base == item.answer) != (adapter == item.answer)
    ]


def _flips(answered: dict[str, list[Answered]]) -> list[dict[str, Any]]:
    """Items whose outcome changed sides. What was said to a harmful request is left out: it may be an answer to it."""
    good_when_low = {"harmless": True, "injection": True}
    flips = []
    for name, rows in answered.items():
        for row in rows if name != "task" else ():
            if (row.base_outcome >= 0.5) == (row.adapter_outcome >= 0.5):
                continue
            worse = (row.adapter_outcome > row.base_outcome) == good_when_low.get(name, False)
            said = ("", "") if name == "harmful" else (row.base[:SHOWN], row.adapter[:SHOWN])
            flips.append(_flip(name, row.item, worse=worse, base=said[0], adapter=said[1]))
    return flips


def _flip(suite: str, item: Item, *, worse: bool, base: str, adapter: str) -> dict[str, Any]:
    direction = "worse" if worse else "better"
    place = {"suite": suite, "id": item.id, "category": item.category}
    return {**place, "direction": direction, "base": base, "adapter": adapter}
