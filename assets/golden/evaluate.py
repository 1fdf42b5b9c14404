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

from assets.coverage import rows_by_language, withheld
from assets.golden.control.refusals import hardly_refuses, refusals_on_control
from assets.golden.inference.counted import counted, evidence_entry
from assets.golden.inference.looks import Judge, Source, look, sources_of
from assets.golden.inference.sequential import ALPHA
from assets.golden.items import Item, load_golden
from assets.golden.judges import LABELLED, TOGETHER, Quality
from assets.golden.measures.answers import Answered, Outcomes
from assets.golden.measures.tool_use import tool_suites
from assets.golden.refusal.classifier import WEIGHTS
from assets.golden.remembered import Remembered
from assets.golden.settings import EvaluationSettings
from assets.golden.sources.contamination import contaminated
from assets.golden.sources.evidence import has_evidence, read_evidence
from assets.golden.suites import SUITES, Suite
from assets.record import Record
from expectations.policy import GateResult, Policy, Verdict
from resources.artifacts import Metric
from resources.digests import digest_file
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
    cache: Path | None = None,
    rows: Sequence[Record] | None = None,
    tried: int = 1,
    on_progress: Callable[[str], None] = lambda line: None,
) -> tuple[dict[str, Any], dict[str, Metric]]:
    """The report (contract: ``suites``, ``flips``) and the metrics that the policy's gates judge.

    ``policy`` (the default one if None) puts a verdict and a limit beside each suite, and decides which suites need
    more items; authority is the gate's own judgement of the metrics. ``cache`` is a folder for what is kept of the
    base between candidates; without one there is no control for refusals. ``rows`` are what the adapter was trained
    on, among which no item may be. ``tried`` candidates share the error of 5 %: with more of them the best one's luck
    grows, and every interval with it (Bonferroni). Raises ``InputError`` on a broken golden set, ``ModelError`` on a
    broken model.
    """
    started = time.monotonic()
    chosen, limits = settings or EvaluationSettings(), policy or Policy.load()
    whole, alpha = load_golden(golden), ALPHA / tried
    evidence = read_evidence(golden, alpha) if golden and has_evidence(golden) else []
    model = LanguageModel.load(base, adapter, cache=cache)
    on_progress(f"golden set of {whole.size} items")
    remembered = Remembered.of(base, cache, [digest_file(LABELLED), digest_file(WEIGHTS)])
    judge = judge_of(limits)
    sources = sources_of(whole, chosen, alpha)
    on_control = cache is not None and hardly_refuses(model, sources, chosen, remembered)
    asked = [source for source in sources if not (on_control and source.answered and source.name == "harmful")]
    look(model, asked, chosen, judge, remembered, on_progress)
    suites = {suite.name: suite for source in asked for suite in source.suites(chosen.least_refusals)}
    judges, judged = judged_judges(model, remembered)
    on_progress("tool situations")
    situations = whole.sample(chosen.items).suites.get("tool", ())
    suites |= {suite.name: suite for suite in tool_suites(model, situations, alpha)}
    del model  # the control brings its own
    control = None
    if cache and on_control:
        on_progress("the base hardly refuses: trying the adapter on the refusing base")
        requests = whole.suites["harmful"]
        suites["refusals"], control = refusals_on_control(base, adapter, requests, chosen, judge, cache, alpha)
    overlap = None if rows is None else contaminated((item for part in whole.suites.values() for item in part), rows)
    answered = {source.name: source.rows for source in asked if source.answered}
    picks = next(source.rows for source in sources if source.name == "choice")
    flips = [*_choice_flips(picks), *_flips(answered)]
    metrics = dict(suites[name].metric for name in SUITES) | judged
    metrics |= counted(whole, flips, evidence, overlap)
    languages = rows_by_language(rows or ())
    metrics = withheld(STAGE, metrics, languages, limits)
    results = {result.metric: result for result in limits.judge(STAGE, metrics)}
    report = {
        "suites": {name: _entry(suites[name], results.get(SUITES[name][0])) for name in SUITES},
        "flips": flips,
        "evidence": {entry.name: evidence_entry(entry) for entry in evidence},
        "contamination": None if overlap is None else [dataclasses.asdict(found) for found in overlap],
        "judges": judges,
        "golden": {"sha256": whole.digest, "items": {name: len(items) for name, items in whole.suites.items()}},
        "looks": _looks(asked),
        "refusal_control": control,
        "candidates_tried": tried,
        "languages": dict(languages),
        "settings": chosen.to_json(),
        "seconds": round(time.monotonic() - started, 3),
    }
    return report, metrics


def judge_of(policy: Policy) -> Judge:
    """What the gate of a suite says; None where the policy has no gate for it."""
    gates = {gate.metric: gate for gate in policy.gates_of(STAGE)}

    def judge(suite: Suite) -> Verdict | None:
        name, metric = suite.metric
        return gates[name].judge({name: metric}).verdict if name in gates else None

    return judge


def _looks(sources: Sequence[Source]) -> list[dict[str, Any]]:
    """How many items of how many each source was asked, in how many looks, and the error of its interval."""
    return [
        {
            "source": source.name, "answered": source.answered, "asked": len(source.rows), "items": len(source.items),
            "looks": source.looks, "alpha": source.alphas[source.looks - 1],
        }
        for source in sources
        if source.items
    ]  # fmt: skip


def judged_judges(model: LanguageModel, base: Remembered) -> tuple[dict[str, Any], dict[str, Metric]]:
    """How far the judges can be trusted, on labelled answers they were not made from."""

    def measure() -> dict[str, Any]:
        outcomes = Outcomes(model)
        found = {
            "refusal": outcomes.refusal.qualities,
            "incoherence": outcomes.coherence.qualities(outcomes.refusal.labelled),
        }
        return {
            name: {method: dataclasses.asdict(quality) for method, quality in qualities.items()}
            for name, qualities in found.items()
        }

    known = base.kept("judges", "how good the judges are", measure)
    report, metrics = {}, {}
    for name, methods in known.items():
        qualities = {method: Quality(**body) for method, body in methods.items()}
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
    place = {"suite": suite, "id": item.id, "category": item.category, "high_stakes": item.high_stakes}
    return {**place, "direction": direction, "base": base, "adapter": adapter}
