"""Assembling the verdict of a candidate from what its stages left behind.

Nothing recorded is believed: the bytes of every artefact are hashed again, each must have been made from the one
before it, every trial must have tried this very adapter, and every gate is judged anew from the recorded metrics.
What is absent, altered or about something else is a flaw, and a flaw fails (law 3).

``artifacts`` is keyed by stage, for the row stages by ``stage/drop``; a stage that was not run is absent or None.
"""

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from assets.verdict.threat import ThreatModel
from assets.verdict.verdict import CANDIDATE_DIGITS, Evidence, Judgement, ThreatOutcome, ThreatVerdict, Verdict
from expectations.policy import GateResult, Policy, worst
from resources.artifacts import WHOLE, Artifact, Metric
from resources.digests import digest_file, digest_json
from resources.errors import InputError, IntegrityError

ROW_STAGES = ("raw_drop", "validated_records", "sanitized_records", "screened_records")
TRIALS = ("golden_evaluation", "backdoor_scan", "memorization_audit", "extraction_audit")
STAGES = (*ROW_STAGES, "training_corpus", "lora_adapter", *TRIALS)
ADAPTER = "adapter/"
PROVENANCE = {"base": "base_sha256", "tokenizer": "tokenizer_sha256", "template": "template_sha256"}


def assemble(artifacts: Mapping[str, Artifact | None], policy: Policy, threats: ThreatModel) -> Verdict:
    """Judge a candidate. Pure in its arguments: the same evidence, policy and threat model give the same digest."""
    found = {key: artifact for key, artifact in artifacts.items() if artifact is not None}
    flaws = [*_absent(found), *_altered(found), *_unlinked(found)]
    digests, gaps = _digests(found.get("lora_adapter"), policy, threats)
    judgements, holes = judge(found, policy)
    flaws += [*gaps, *holes]
    results = [judgement.result for judgement in judgements]
    return Verdict(
        candidate=digests["adapter"][:CANDIDATE_DIGITS],
        verdict="fail" if flaws else worst(results),
        judgements=tuple(judgements),
        flaws=tuple(flaws),
        threats=tuple(_threat_verdicts(judgements, threats)),
        evidence=tuple(_evidence(found)),
        digests=digests,
        author=str(found["lora_adapter"].manifest.details.get("author", "")) if "lora_adapter" in found else "",
    )


def adapter_digest(artifact: Artifact) -> str:
    """The digest that names an adapter: of the tree ``{relative path: SHA-256}`` of its folder, by its manifest."""
    files = artifact.manifest.files
    tree = {name.removeprefix(ADAPTER): digest for name, digest in files.items() if name.startswith(ADAPTER)}
    if not tree:
        raise IntegrityError(f"{artifact.folder} holds no {ADAPTER} folder")
    return digest_json(tree)


def split_key(key: str) -> tuple[str, str]:
    """``(stage, partition)`` of a key of ``artifacts``."""
    stage, _, drop = key.partition("/")
    return stage, drop or WHOLE


def _absent(found: Mapping[str, Artifact]) -> Iterator[str]:
    drops = {split_key(key)[1] for key in found if "/" in key}
    if not drops:
        yield "no drop is among the evidence"
    for stage in STAGES:
        keys = [f"{stage}/{drop}" for drop in sorted(drops)] if stage in ROW_STAGES else [stage]
        yield from (f"{key} was not run" for key in keys if key not in found)


def _altered(found: Mapping[str, Artifact]) -> Iterator[str]:
    for key, artifact in found.items():
        try:
            artifact.verify()
            _ = artifact.manifest.digest  # a manifest with a number that is none has no digest
        except (IntegrityError, OSError, ValueError) as error:
            yield f"{key}: {str(error).replace(str(artifact.folder), artifact.manifest.key)}"
        if split_key(key) != (artifact.manifest.stage, artifact.manifest.partition):
            yield f"{key} is an artefact of {artifact.manifest.stage} {artifact.manifest.partition}"


def _unlinked(found: Mapping[str, Artifact]) -> Iterator[str]:
    """Artefacts made from other predecessors than they are shown with, or also from some that are not shown."""
    for key, artifact in found.items():
        inputs = artifact.manifest.inputs
        for before in _predecessors(key, found):
            if before in found and _digest(found[before]) not in inputs.values():
                yield f"{key} was made from another {before}"
        unseen = sorted(name for name in inputs if split_key(name)[0] in STAGES and "/" in name and name not in found)
        yield from (f"{key} was also made from {name}, which is not among the evidence" for name in unseen)


def _predecessors(key: str, found: Mapping[str, Artifact]) -> list[str]:
    stage, drop = split_key(key)
    if stage in ROW_STAGES[1:]:
        return [f"{ROW_STAGES[ROW_STAGES.index(stage) - 1]}/{drop}"]
    if stage == "training_corpus":
        return [other for other in found if split_key(other)[0] == ROW_STAGES[-1]]
    if stage == "lora_adapter":
        return ["training_corpus"]
    return ["lora_adapter"] if stage in TRIALS else []


def _digest(artifact: Artifact) -> str:
    """The digest of its manifest; empty where the manifest holds a number that is none, and so has no digest."""
    try:
        return artifact.manifest.digest
    except ValueError:
        return ""


def _digests(adapter: Artifact | None, policy: Policy, threats: ThreatModel) -> tuple[dict[str, str], list[str]]:
    """The digests an approval is bound to, and which of them are not known."""
    digests = dict.fromkeys((*PROVENANCE, "adapter", "corpus", "recipe"), "")
    digests |= {"policy": policy.digest, "threats": threats.digest}
    if adapter is None:
        return digests, []
    try:
        training: dict[str, Any] = json.loads(adapter.path("training.json").read_bytes())
        digests["adapter"] = adapter_digest(adapter)
        digests |= {name: str(training.get(field) or "") for name, field in PROVENANCE.items()}
        digests["corpus"] = str(training.get("data_sha256") or "")
        digests["recipe"] = digest_json(training["recipe"]) if training.get("recipe") else ""
        digests["training"] = digest_file(adapter.path("training.json"))
    except (OSError, ValueError, AttributeError, IntegrityError) as error:
        return digests, [f"lora_adapter: {error}"]
    return digests, [
        f"training.json does not say which {name} was used" for name in sorted(digests) if not digests[name]
    ]


def judge(found: Mapping[str, Artifact], policy: Policy) -> tuple[list[Judgement], list[str]]:
    """Every gate of every stage and drop, in lineage order; and the stages that no gate guards."""
    drops = sorted({split_key(key)[1] for key in found if "/" in key})
    judgements: list[Judgement] = []
    holes: list[str] = []
    for stage in STAGES:
        for drop in drops if stage in ROW_STAGES else [WHOLE]:
            artifact = found.get(stage if drop == WHOLE else f"{stage}/{drop}")
            metrics: Mapping[str, Metric] = artifact.manifest.metrics if artifact else {}
            try:
                results = policy.judge(stage, metrics)
            except InputError:
                holes.append(f"no gate of the policy guards {stage}")
                break
            judgements += [Judgement(partition=drop, result=_finite(result)) for result in results]
    return judgements, holes


def _finite(result: GateResult) -> GateResult:
    """The result with bounds that are no numbers left out: JSON has no way to write them."""
    bounds = {name: getattr(result, name) for name in ("ci_low", "ci_high")}
    return result.model_copy(update={n: v if v is not None and math.isfinite(v) else None for n, v in bounds.items()})


def _threat_verdicts(judgements: list[Judgement], threats: ThreatModel) -> Iterator[ThreatVerdict]:
    """The worst of the gates that cover each threat. One covered only by later gates is judged when it is released."""
    for threat in threats.threats:
        mine = [judgement for judgement in judgements if judgement.result.gate in threat.gates]
        outcome: ThreatOutcome = worst([judgement.result for judgement in mine]) if mine else "at_release"
        yield ThreatVerdict(threat=threat.name, verdict=outcome, judgements=tuple(item.name for item in mine))


def _evidence(found: Mapping[str, Artifact]) -> Iterator[Evidence]:
    for key, artifact in sorted(found.items(), key=lambda item: (STAGES.index(split_key(item[0])[0]), item[0])):
        stage, partition = split_key(key)
        yield Evidence(stage=stage, partition=partition, key=artifact.manifest.key, digest=_digest(artifact))
