"""A candidate on disk: what the stage ``evaluated_adapter`` writes, and finding it again by the adapter's digest.

::

    verdict.json    the verdict, as ``Verdict``
    dossier.json    what the dossier shows
    dossier.html    the dossier

A recorded verdict is display. Whoever acts on it calls ``prove``, which assembles it anew from the evidence it names.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from assets.verdict.assemble import assemble
from assets.verdict.threat import ThreatModel
from assets.verdict.verdict import CANDIDATE_DIGITS, Evidence, Verdict, key_of
from expectations.policy import Policy
from resources.artifacts import Artifact, ArtifactStore, Draft, Metric
from resources.decision_log import DecisionLog, Entry
from resources.errors import GateRefused, IntegrityError, UsageError
from resources.signer import KeyRing, SigningKey, statement

STAGE = "evaluated_adapter"
EVALUATION = "https://in-toto.io/attestation/test-result/v0.1"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A recorded verdict and the artefact that holds it."""

    artifact: Artifact
    verdict: Verdict


def record(draft: Draft, verdict: Verdict, dossier: Mapping[str, Any], html: str) -> Artifact:
    """Write a verdict and its dossier, and seal them as the artefact of ``evaluated_adapter``."""
    draft.write_json("verdict.json", verdict.to_json())
    draft.write_json("dossier.json", dossier)
    draft.path("dossier.html").write_text(html, encoding="utf-8")
    details = {"candidate": verdict.candidate, "verdict": verdict.verdict, "evaluation": verdict.digest}
    return draft.seal(metrics=metrics(verdict), details=details)


def metrics(verdict: Verdict) -> dict[str, Metric]:
    """What the gates of ``evaluated_adapter`` judge."""
    failed = [item.name for item in verdict.blocking() if item.result.verdict == "fail"]
    unproven = [item.name for item in verdict.blocking() if item.result.verdict == "inconclusive"]
    n = len(verdict.judgements)
    return {
        "flaws": Metric(len(verdict.flaws)),
        "failed_gates": Metric(len(failed), n),
        "unproven_gates": Metric(None, n, missing=f"unproven: {', '.join(unproven)}") if unproven else Metric(0, n),
    }


def candidates(store: ArtifactStore) -> list[Candidate]:
    """Every recorded verdict, the current one last, else oldest first."""
    current = store.current(STAGE)
    found = store.every(STAGE)
    found.sort(key=lambda item: (current is not None and item.folder == current.folder, item.manifest.created_at))
    return [Candidate(item, _read_verdict(item)) for item in found]


def find(store: ArtifactStore, name: str) -> Candidate:
    """The newest verdict on the candidate ``name`` (its digest's first digits; at least 4)."""
    matching = [item for item in candidates(store) if len(name) >= 4 and item.verdict.candidate.startswith(name)]
    names = sorted({item.verdict.candidate for item in matching})
    if len(names) > 1:
        raise UsageError(f"{name} could be {' or '.join(names)}")
    if not matching:
        known = ", ".join(sorted({item.verdict.candidate for item in candidates(store)})) or "none"
        raise UsageError(f"no candidate {name}; there are: {known}")
    return matching[-1]


def latest(store: ArtifactStore) -> Candidate:
    """The candidate that counts now."""
    found = candidates(store)
    if not found:
        raise UsageError("there is no candidate yet; `hallmark run` makes one")
    return found[-1]


def prove(store: ArtifactStore, candidate: Candidate, policy: Policy, threats: ThreatModel) -> dict[str, Artifact]:
    """The evidence of a verdict, after assembling the verdict anew from it; ``GateRefused`` where the two differ."""
    candidate.artifact.verify()
    verdict = candidate.verdict
    changed = [
        name
        for name, digest in (("policy", policy.digest), ("threats", threats.digest))
        if verdict.digests.get(name) != digest
    ]
    if changed:
        raise GateRefused(
            f"candidate {verdict.candidate} was judged by another {' and '.join(changed)}; judge it again"
        )
    artifacts = {key_of(item): _evidence(store, item) for item in verdict.evidence}
    anew = assemble(artifacts, policy, threats)
    if anew.digest != verdict.digest:
        why = "; ".join(anew.flaws) or "its gates now judge otherwise"
        raise GateRefused(f"the verdict recorded for {verdict.candidate} is not what its evidence says: {why}")
    return artifacts


def evaluation_statement(verdict: Verdict) -> dict[str, Any]:
    """The verdict as an in-toto test-result statement over every digest it is about."""
    by_outcome: dict[str, list[str]] = {"pass": [], "inconclusive": [], "fail": []}
    for judgement in verdict.judgements:
        by_outcome[judgement.result.verdict].append(judgement.name)
    predicate = {
        "result": {"pass": "PASSED", "inconclusive": "WARNED", "fail": "FAILED"}[verdict.verdict],
        "configuration": [
            {"name": name, "digest": {"sha256": verdict.digests[name]}} for name in ("policy", "threats")
        ],
        "passedTests": by_outcome["pass"],
        "warnedTests": by_outcome["inconclusive"],
        "failedTests": [*by_outcome["fail"], *(f"evidence: {flaw}" for flaw in verdict.flaws)],
    }
    known = {name: digest for name, digest in verdict.digests.items() if digest}
    return statement(EVALUATION, {**known, "evaluation": verdict.digest}, predicate)


def announce(log: DecisionLog, key: SigningKey, verdict: Verdict) -> dict[str, Any]:
    """Sign the verdict into the log, once, and return its envelope. A failed one is recorded too: it cannot vanish."""
    logged = announced(log.entries(), KeyRing.open(key.path.parent), verdict)
    if logged:
        return logged
    envelope = key.sign(evaluation_statement(verdict))
    body = {"candidate": verdict.candidate, "verdict": verdict.verdict, "evaluation": verdict.digest}
    log.append("verdict", {**body, "envelope": envelope})
    return envelope


def announced(chain: Sequence[Entry], ring: KeyRing, verdict: Verdict) -> dict[str, Any] | None:
    """The envelope in which a trusted pipeline key signed this verdict, if the log has one."""
    for entry in chain:
        if entry.kind == "verdict" and entry.body.get("evaluation") == verdict.digest:
            signed, _ = ring.check(entry.body["envelope"], "pipeline")
            if signed != evaluation_statement(verdict):
                raise IntegrityError(f"the log holds another verdict on {verdict.candidate} under the same digest")
            envelope: dict[str, Any] = entry.body["envelope"]
            return envelope
    return None


def read_artifact(store: ArtifactStore, stage: str, partition: str, key: str) -> Artifact:
    """The artefact of a known key; ``IntegrityError`` where it is gone or not readable."""
    try:
        artifact = store.get(stage, partition, key)
    except (OSError, IntegrityError, KeyError, TypeError) as error:
        raise IntegrityError(f"{stage} {partition} {key} is gone or its manifest is not readable") from error
    if artifact is None:
        raise IntegrityError(f"{stage} {partition} {key} is gone or its manifest is not readable")
    return artifact


def _evidence(store: ArtifactStore, item: Evidence) -> Artifact:
    artifact = read_artifact(store, item.stage, item.partition, item.key)
    try:
        same = artifact.manifest.digest == item.digest
    except ValueError:
        same = False
    if not same:
        raise GateRefused(f"{item.stage} {item.partition} is no longer what was judged: its manifest was changed")
    return artifact


def _read_verdict(artifact: Artifact) -> Verdict:
    try:
        verdict = Verdict.from_json(json.loads(artifact.path("verdict.json").read_bytes()))
    except (OSError, ValueError) as error:
        raise IntegrityError(f"{artifact.folder} holds no readable verdict") from error
    if verdict.candidate != verdict.digests.get("adapter", "")[:CANDIDATE_DIGITS]:
        raise IntegrityError(f"{artifact.folder}: the verdict names candidate {verdict.candidate}, its digests another")
    return verdict
