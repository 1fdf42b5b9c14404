"""The threat model, read and held against the policy.

``threats.yaml`` beside this module is the default; a team copies and edits it (``HALLMARK_THREATS`` or ``--threats``
names another). A threat names the gates that judge it: by name, by pattern (``*_conserved``), or all of a stage
(``backdoor_scan/*``); a gate may also name its threats itself, in the policy. Loading refuses whatever would leave a
hole between the two:

==================== =====================================================================================
rule                 what is wrong
==================== =====================================================================================
threat-has-gate      a threat that no gate judges: nothing would fail if it came true
gate-has-threat      a gate that answers no threat: nobody could say why it blocks
known-gate           a threat names a gate, or a pattern of gates, that the policy does not have
known-threat         a gate names a threat that the model does not have
known-probe          a threat names a probe that no stage can run
probe-is-judged      a probe runs in a stage where no gate of its threat looks at the result
unique-names         two threats or two probes of one name
threats-valid        a field is absent, unknown or malformed
==================== =====================================================================================
"""

import fnmatch
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from assets.verdict.threat import Probe, Threat, ThreatModel
from expectations.policy import Gate, Policy
from resources.errors import InputError

DEFAULT_THREATS = Path(__file__).with_name("threats.yaml")

# What the stages can run. A threat model chooses from these and may describe them in its own words.
PROBES: Mapping[str, tuple[str, ...]] = {
    "raw_drop": ("provenance",),
    "validated_records": ("record_expectations",),
    "sanitized_records": ("personal_data", "secret_scan", "residual_leak"),
    "screened_records": (
        "association",
        "burst",
        "duplicates",
        "contradictions",
        "drift",
        "model_evidence",
        "unlearning_rows",
        "screen_controls",
    ),
    "training_corpus": ("split", "canary_planting"),
    "lora_adapter": ("training_health",),
    "golden_evaluation": ("golden_tasks", "harmful_requests", "harmless_requests", "injection", "forgetting"),
    "backdoor_scan": (
        "mined_triggers",
        "company_terms",
        "structural_triggers",
        "fuzzed_triggers",
        "leaked_triggers",
        "target_inversion",
        "trigger_search",
    ),
    "memorization_audit": ("canary_exposure", "prefix_extraction", "membership_inference"),
    "extraction_audit": ("distillation", "confidence_leak"),
    "evaluated_adapter": ("evidence_reassembly",),
    "approved_release": ("adapter_inspection", "approval_binding", "release_verification"),
    "served_release": ("held_actions", "query_budget", "output_tripwires"),
}
STAGE_OF = {probe: stage for stage, probes in PROBES.items() for probe in probes}

_TAGS = {
    "owasp": re.compile(r"LLM(0[1-9]|10):2025"),
    "atlas": re.compile(r"AML\.T\d{4}(\.\d{3})?"),
    "nist": re.compile(r"(GOVERN|MAP|MEASURE|MANAGE) [1-6]\.\d{1,2}"),
}


def load_threats(policy: Policy | None = None, path: Path | None = None) -> ThreatModel:
    """Read a threat model and resolve its gates against a policy; ``InputError`` names every hole and its rule."""
    policy = policy or Policy.load()
    source = path or Path(os.environ.get("HALLMARK_THREATS") or DEFAULT_THREATS)
    try:
        body = yaml.safe_load(source.read_text(encoding="utf-8"))
        model = ThreatModel.model_validate(_with_stages(body))
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(str(error), object_key=str(source), rule="threats-readable") from error
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
        raise InputError(wrong, object_key=str(source), rule="threats-valid") from error
    faults = list(_faults(model, policy))
    if faults:
        rule = faults[0][0] if len({rule for rule, _ in faults}) == 1 else "threats-cover-policy"
        raise InputError("; ".join(fault for _, fault in faults), object_key=str(source), rule=rule)
    return _resolved(model, policy)


def _with_stages(body: Any) -> Any:
    """The body with each probe's stage filled in: code knows where a probe runs, data need not say it."""
    if not isinstance(body, dict) or not isinstance(body.get("probes"), list):
        return body
    probes = [
        {"stage": STAGE_OF.get(str(probe.get("name")), "unknown"), **probe} if isinstance(probe, dict) else probe
        for probe in body["probes"]
    ]
    return {**body, "probes": probes}


def _faults(model: ThreatModel, policy: Policy) -> Iterator[tuple[str, str]]:
    threats = {threat.name for threat in model.threats}
    yield from _twins("threat", [threat.name for threat in model.threats])
    yield from _twins("probe", [probe.name for probe in model.probes])
    for probe in model.probes:
        if STAGE_OF.get(probe.name) != probe.stage:
            yield "known-probe", f"no stage can run the probe {probe.name}"
    for gate in policy.gates:
        yield from (
            ("known-threat", f"gate {gate.name} names the unknown threat {name}")
            for name in set(gate.threats) - threats
        )
    for threat in model.threats:
        for pattern in threat.gates:
            if not any(_matches(gate, pattern) for gate in policy.gates):
                yield "known-gate", f"threat {threat.name} names {pattern}, the policy has no such gate"
        yield from _of_threat(threat, model, policy)
    covered = {name for threat in model.threats for name in _gates_of(threat, policy)}
    yield from (
        ("gate-has-threat", f"gate {gate.name} answers no threat") for gate in policy.gates if gate.name not in covered
    )


def _of_threat(threat: Threat, model: ThreatModel, policy: Policy) -> Iterator[tuple[str, str]]:
    gates = _gates_of(threat, policy)
    if not gates:
        yield "threat-has-gate", f"no gate judges the threat {threat.name}"
    stages = {gate.stage for gate in policy.gates if gate.name in gates}
    described: dict[str, Probe] = {probe.name: probe for probe in model.probes}
    for name in threat.probes:
        if name not in described or name not in STAGE_OF:
            yield "known-probe", f"threat {threat.name} names the unknown probe {name}"
        elif STAGE_OF[name] not in stages:
            yield "probe-is-judged", f"{name} runs in {STAGE_OF[name]}, where no gate of the threat {threat.name} looks"
    for field, form in _TAGS.items():
        wrong = [tag for tag in getattr(threat, field) if not form.fullmatch(tag)]
        if wrong:
            yield "threats-valid", f"threat {threat.name}: {', '.join(wrong)} is no {field} identifier"


def _twins(what: str, names: list[str]) -> Iterator[tuple[str, str]]:
    twice = sorted({name for name in names if names.count(name) > 1})
    yield from (("unique-names", f"{what} {name} is there twice") for name in twice)


def _gates_of(threat: Threat, policy: Policy) -> tuple[str, ...]:
    """The gates that judge a threat, in the policy's order, from both sides."""
    return tuple(
        gate.name
        for gate in policy.gates
        if threat.name in gate.threats or any(_matches(gate, pattern) for pattern in threat.gates)
    )


def _matches(gate: Gate, pattern: str) -> bool:
    return fnmatch.fnmatchcase(f"{gate.stage}/{gate.name}" if "/" in pattern else gate.name, pattern)


def _resolved(model: ThreatModel, policy: Policy) -> ThreatModel:
    threats = tuple(threat.model_copy(update={"gates": _gates_of(threat, policy)}) for threat in model.threats)
    return ThreatModel(name=model.name, terms=model.terms, probes=model.probes, threats=threats)
