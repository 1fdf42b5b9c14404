"""The dossier's content: everything a reviewer decides by, as plain JSON, gathered from the artefacts of a candidate.

``collect`` gathers, ``with_approvals`` adds what people said since, ``assets.verdict.page.render`` shows it. Nothing
here is text of a training row: of the trials' reports only numbers, names and masked evidence are taken (law 7), and
a trigger or payload that was found is cut short.
"""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from assets.verdict.assemble import ROW_STAGES, STAGES, TRIALS, split_key
from assets.verdict.explain import explain
from assets.verdict.page import render
from assets.verdict.threat import ThreatModel
from assets.verdict.verdict import Judgement, Verdict
from expectations.policy import Policy
from resources.artifacts import Artifact
from resources.decision_log import DecisionLog

__all__ = ["collect", "render", "with_approvals"]

REPORTS = {
    "golden_evaluation": "evaluation.json",
    "backdoor_scan": "backdoor.json",
    "memorization_audit": "memorization.json",
    "extraction_audit": "extraction.json",
}
OWN_DECISIONS = ("verdict", "approval", "rejection", "promotion", "rollback", "revocation", "passkey")
# Keys whose text a report may show: names and sentences of the trials' own, never what a model or a row said.
TEXT_KEYS = frozenset(
    "verdict type kind name suite method reason missing fingerprint limit format id item category direction why model "
    "device note unit reading mode statistic source position skipped".split()
)
LONGEST = 160  # characters of any text taken from a report
SENTENCE = 400  # characters of a finding's sentence, which the screen has masked already
MOST_VERDICTS = 20  # on other candidates
MOST_POINTS = 200  # of a curve


def collect(
    artifacts: Mapping[str, Artifact | None], verdict: Verdict, policy: Policy, threats: ThreatModel, log: DecisionLog
) -> dict[str, Any]:
    """The dossier of a candidate. Stages that were not run leave their section empty and are named as not tested."""
    found = {key: artifact for key, artifact in artifacts.items() if artifact is not None}
    adapter = found.get("lora_adapter")
    return {
        "candidate": verdict.candidate,
        "verdict": verdict.verdict,
        "evaluation": verdict.digest,
        "author": verdict.author,
        "made_at": adapter.manifest.created_at if adapter else "",
        "policy": policy.name,
        "profile": str(policy.settings.get("evaluated_adapter", {}).get("profile", "")),
        "flaws": list(verdict.flaws),
        "gates": [_gate(judgement, policy) for judgement in verdict.judgements],
        "threats": _threats(verdict, threats),
        "data": _data(found),
        "decisions": _decisions(log, found),
        "judged_before": _judged_before(log, verdict),
        "behaviour": _report(found, "golden_evaluation"),
        "backdoor": _report(found, "backdoor_scan"),
        "memorization": _report(found, "memorization_audit"),
        "extraction": _report(found, "extraction_audit"),
        "training": _training(adapter),
        "cost": [
            {"what": key, "seconds": artifact.manifest.seconds} for key, artifact in sorted(found.items(), key=_order)
        ],
        "digests": dict(verdict.digests),
        "evidence": [item.model_dump() for item in verdict.evidence],
        "untested": _untested(found, verdict, threats),
        "approvals": [],
    }


def with_approvals(body: Mapping[str, Any], approvals: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The dossier with the reviewers' words in it (``Approval.to_json``)."""
    return {**body, "approvals": [dict(word) for word in approvals]}


def harmless(value: Any, key: str = "") -> Any:
    """What may be shown of a report: numbers, text under known keys and cut short, of rows how many; no more."""
    shown: Any = None
    if isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        shown = value
    elif isinstance(value, str):
        shown = _plain(value) if key in TEXT_KEYS else _cut(_plain(value)) if key in ("trigger", "payload") else None
    elif isinstance(value, list) and key == "rows":
        shown = len(value)
    elif isinstance(value, list):
        shown = [item for item in (harmless(item, key) for item in value[:MOST_POINTS]) if item is not None]
    elif isinstance(value, dict):
        kept = {_plain(name): harmless(item, str(name)) for name, item in value.items()}
        shown = {name: item for name, item in kept.items() if item is not None}
    return shown


def _plain(text: Any) -> str:
    """Text of bounded length without lone surrogates, which cannot be written down."""
    return str(text).encode(errors="replace").decode()[:LONGEST]


def _cut(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."


def _gate(judgement: Judgement, policy: Policy) -> dict[str, Any]:
    gate = next(gate for gate in policy.gates if gate.name == judgement.result.gate)
    told = explain(judgement.result, gate)
    return {
        "name": judgement.name,
        "partition": judgement.partition,
        **judgement.result.model_dump(),
        "explain": gate.explain,
        "would_pass": told.would_pass,
        "what_to_do": told.what_to_do,
    }


def _threats(verdict: Verdict, threats: ThreatModel) -> list[dict[str, Any]]:
    outcomes = {item.threat: item for item in verdict.threats}
    described = {probe.name: probe for probe in threats.probes}
    rows = []
    for threat in threats.threats:
        outcome = outcomes[threat.name]
        probes = [described[name].model_dump() for name in threat.probes]
        judged = {"verdict": outcome.verdict, "judgements": list(outcome.judgements)}
        rows.append({**threat.model_dump(mode="json"), "probes": probes, **judged})
    return rows


def _data(found: Mapping[str, Artifact]) -> dict[str, Any]:
    """Counts of each drop and stage, what was removed, and how the corpus came out."""
    drops: dict[str, list[dict[str, Any]]] = {}
    sources: dict[str, Any] = {}
    removed: dict[str, int] = {}
    findings: list[dict[str, str]] = []
    power: list[dict[str, Any]] = []
    by_month: dict[str, dict[str, tuple[int, int]]] = {}
    for key, artifact in sorted(found.items(), key=_order):
        stage, drop = split_key(key)
        manifest = artifact.manifest
        if stage not in ROW_STAGES or manifest.counts is None:
            continue
        counts = manifest.counts
        rules = {str(rule): int(rows) for rule, rows in dict(manifest.details.get("rules") or {}).items()}
        if sum(rules.values()) != counts.quarantined + counts.rejected:
            rules = {}  # counts of something else than of rows that left
        drops.setdefault(drop, []).append(
            {
                "stage": stage,
                "rows_in": counts.rows_in,
                "passed": counts.passed,
                "quarantined": counts.quarantined,
                "rejected": counts.rejected,
                "rules": rules,
            }
        )
        if stage == "raw_drop":
            objects = manifest.details.get("objects") or []
            kind = str(manifest.details.get("kind", ""))
            sources[drop] = {
                "source": str(manifest.details.get("source", "")), "objects": len(objects), "kind": kind,
                "reviewer": str(manifest.details.get("reviewer", ""))[:LONGEST],
            }  # fmt: skip
        if stage == "sanitized_records":
            for kind, rows in dict(manifest.details.get("types") or {}).items():
                removed[str(kind)] = removed.get(str(kind), 0) + int(rows)
        if stage == "screened_records":
            findings += [
                {"drop": drop, "sentence": str(said)[:SENTENCE]} for said in manifest.details.get("findings") or []
            ]
            power += [
                {"drop": drop, "found": bool(each["found"]), "sentence": str(each["sentence"])[:SENTENCE]}
                for each in manifest.details.get("power") or []
            ]
            for source, months in dict(manifest.details.get("source_by_month") or {}).items():
                known = by_month.setdefault(str(source), {})
                for month, (seen, flagged) in months.items():
                    before = known.get(month, (0, 0))
                    known[month] = before[0] + int(seen), before[1] + int(flagged)
    corpus = found.get("training_corpus")
    metrics = {name: metric.value for name, metric in corpus.manifest.metrics.items()} if corpus else {}
    return {
        "drops": drops,
        "sources": sources,
        "removed": removed,
        "findings": findings,
        "power": power,
        "source_by_month": by_month,
        "corpus": metrics,
    }


def _decisions(log: DecisionLog, found: Mapping[str, Artifact]) -> list[dict[str, Any]]:
    """What people decided about rows, from the log: who, when, what and why; never the rows themselves."""
    drops = {split_key(key)[1] for key in found}
    decisions = []
    for entry in log.entries():
        body = entry.body
        if entry.kind in OWN_DECISIONS or body.get("drop", "") not in {"", *drops}:
            continue
        said = {
            name: str(body.get(name, ""))[:LONGEST] for name in ("drop", "row_id", "decision", "reviewer", "reason")
        }
        decisions.append({"at": entry.at, "kind": entry.kind, **said})
    return decisions


def _judged_before(log: DecisionLog, verdict: Verdict) -> list[dict[str, str]]:
    """The last verdicts on other candidates: whoever trains until a gate is lucky leaves a trail here."""
    said = [
        {"at": entry.at, "candidate": str(entry.body.get("candidate")), "verdict": str(entry.body.get("verdict"))}
        for entry in log.entries("verdict")
        if entry.body.get("evaluation") != verdict.digest
    ]
    return said[-MOST_VERDICTS:]


def _report(found: Mapping[str, Artifact], stage: str) -> dict[str, Any]:
    artifact = found.get(stage)
    try:
        body = json.loads(artifact.path(REPORTS[stage]).read_bytes()) if artifact else {}
    except (OSError, ValueError):
        return {}
    kept = harmless(body)
    return kept if isinstance(kept, dict) else {}


def _training(adapter: Artifact | None) -> dict[str, Any]:
    try:
        body: dict[str, Any] = json.loads(adapter.path("training.json").read_bytes()) if adapter else {}
    except (OSError, ValueError):
        return {}
    losses = [loss for loss in body.get("losses") or [] if isinstance(loss, int | float)]
    step = max(1, len(losses) // MOST_POINTS)
    shown: dict[str, Any] = {
        name: body[name] for name in ("tokens", "seconds", "tokens_per_second", "steps", "stopped") if name in body
    }
    device = body.get("device")
    shown["device"] = str(device.get("kind", "")) if isinstance(device, dict) else str(device or "")
    recipe = {
        str(name): value for name, value in dict(body.get("recipe") or {}).items() if not isinstance(value, dict | list)
    }
    corrections = _corrections(body.get("corrections"))
    return {**shown, "recipe": recipe, "corrections": corrections, "losses": losses[::step], "loss_step": step}


def _corrections(said: Any) -> dict[str, Any]:
    """How many corrected rows were learnt, with which weight and from whom; empty where there are none."""
    if not isinstance(said, dict) or not said.get("rows"):
        return {}
    names = {str(name)[:LONGEST]: int(rows) for name, rows in dict(said.get("by_reviewer") or {}).items()}
    drops = [str(drop)[:LONGEST] for drop in said.get("drops") or []]
    counts = {name: said[name] for name in ("rows", "examples", "weight") if isinstance(said.get(name), int | float)}
    return {**counts, "by_reviewer": names, "drops": drops}


def _untested(found: Mapping[str, Artifact], verdict: Verdict, threats: ThreatModel) -> list[dict[str, str]]:
    """What nobody may take for proven: stages that did not run, gates that proved nothing, what no probe can see."""
    rows = [{"what": stage, "why": "this stage was not run"} for stage in TRIALS if stage not in found]
    rows += [
        {"what": item.name, "why": item.result.reason}
        for item in verdict.blocking()
        if item.result.verdict == "inconclusive"
    ]
    for stage in TRIALS:
        rows += [{"what": stage, "why": str(why)} for why in _report(found, stage).get("skipped") or []]
    return rows + [{"what": threat.title, "why": threat.limits} for threat in threats.threats]


def _order(item: tuple[str, Any]) -> tuple[int, str]:
    stage, _ = split_key(item[0])
    return (STAGES.index(stage) if stage in STAGES else len(STAGES), item[0])
