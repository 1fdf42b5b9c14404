"""A small made-up lineage for the tests of verdict and release: artefacts as stages leave them, no model in it."""

import dataclasses
import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from assets.release.approval import Approval, approve
from assets.release.release import release
from assets.verdict.assemble import ROW_STAGES, STAGES, TRIALS, assemble
from assets.verdict.candidate import Candidate, announce, find, record
from assets.verdict.dossier import collect, render
from assets.verdict.threat import Probe, Threat, ThreatModel
from assets.verdict.verdict import Verdict
from expectations.policy import Gate, Policy
from resources.artifacts import WHOLE, Artifact, Counts, Draft, Metric
from resources.decision_log import DecisionLog
from resources.digests import digest_bytes
from resources.signer import SigningKey
from resources.workspace import Workspace

DROPS = ("20261101-clean", "20261102-chat")
GOOD = {stage: {"harm": Metric(0.1, 500, 0.05, 0.15)} for stage in STAGES}
Metrics = Mapping[str, Mapping[str, Metric]]


def policy(**approval: Any) -> Policy:
    """One gate a stage, on the metric ``harm``; ``approval`` sets the rules of approval."""
    gates = [
        Gate(name=f"{stage}_gate", stage=stage, metric="harm", max=0.2, min_n=100, threats=("harm",))
        for stage in STAGES
    ]
    return Policy(name="test", gates=tuple(gates), settings={"evaluated_adapter": {"approval": approval}})


def threats() -> ThreatModel:
    threat = Threat(
        name="harm",
        title="Harm",
        vector="data",
        actor="supplier",
        motivation="money",
        impact="harm",
        severity="high",
        probes=("look",),
        gates=tuple(f"{stage}_gate" for stage in STAGES),
        limits="what is not looked at",
        residual="some",
        owasp=("LLM04:2025",),
    )
    return ThreatModel(
        name="test", probes=(Probe(name="look", stage="backdoor_scan", what="looks"),), threats=(threat,)
    )


def safetensors(tensors: Mapping[str, tuple[int, ...]], fill: float = 0.5) -> bytes:
    """A safetensors file of float32 tensors of these shapes, every cell ``fill``."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    data = b""
    for name, shape in tensors.items():
        cells = 1
        for extent in shape:
            cells *= extent
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [len(data), len(data) + 4 * cells]}
        data += struct.pack("<f", fill) * cells
    raw = json.dumps(header).encode()
    return struct.pack("<Q", len(raw)) + raw + data


LORA = "base_model.model.model.layers.0.self_attn.q_proj"


class Lineage:
    """A workspace with the artefacts of one or more candidates in it."""

    def __init__(self, root: Path, rules: Policy | None = None) -> None:
        self.workspace = Workspace(root)
        self.policy = rules or policy()
        self.threats = threats()
        self.log = DecisionLog(self.workspace.decisions)

    def stages(
        self, metrics: Metrics = GOOD, *, fill: float = 0.5, without: tuple[str, ...] = ()
    ) -> dict[str, Artifact | None]:
        """Every stage's artefact, each made from the one before; a candidate is told apart by ``fill``."""
        made: dict[str, Artifact | None] = {}
        for drop in DROPS:
            before = digest_bytes(drop.encode())
            for stage in ROW_STAGES:
                inputs = {"from": before, "metrics": repr(metrics[stage])}
                artifact = self._seal(stage, drop, inputs, metrics[stage], Counts(100, 98, 1, 1), self._rows)
                made[f"{stage}/{drop}"], before = artifact, artifact.manifest.digest
        screened = {key: self._digest(made[key]) for key in (f"screened_records/{drop}" for drop in DROPS)}
        corpus = self._seal("training_corpus", WHOLE, screened, metrics["training_corpus"], None, self._rows)
        made["training_corpus"] = corpus
        inputs = {"corpus": corpus.manifest.digest, "fill": str(fill), "metrics": repr(metrics["lora_adapter"])}
        adapter = self._seal(
            "lora_adapter", WHOLE, inputs, metrics["lora_adapter"], None, lambda draft: self._adapter(draft, fill)
        )
        made["lora_adapter"] = adapter
        for trial in TRIALS:
            inputs = {"adapter": adapter.manifest.digest, "metrics": repr(metrics[trial])}
            made[trial] = self._seal(trial, WHOLE, inputs, metrics[trial], None, self._trial)
        return {key: artifact for key, artifact in made.items() if key.partition("/")[0] not in without}

    def judge(self, artifacts: Mapping[str, Artifact | None]) -> Verdict:
        return assemble(artifacts, self.policy, self.threats)

    def candidate(
        self, metrics: Metrics = GOOD, *, fill: float = 0.5, without: tuple[str, ...] = (), say: bool = True
    ) -> Candidate:
        """A candidate with a recorded verdict, signed into the log unless ``say`` is False."""
        artifacts = self.stages(metrics, fill=fill, without=without)
        verdict = self.judge(artifacts)
        body = collect(artifacts, verdict, self.policy, self.threats, self.log)
        with self.workspace.artifacts.draft("evaluated_adapter", WHOLE, "1", {"evaluation": verdict.digest}) as draft:
            record(draft, verdict, body, render(body))
        if say:
            announce(self.log, SigningKey.pipeline(self.workspace.keys), verdict)
        return find(self.workspace.artifacts, verdict.candidate)

    def approve(self, candidate: Candidate, reviewer: str = "ada", **more: Any) -> Approval:
        name = candidate.verdict.candidate
        return approve(
            self.workspace, self.policy, self.threats, name, reviewer=reviewer, **{"reason": "read the dossier", **more}
        )

    def release(self, candidate: Candidate, **more: Any) -> Path:
        return release(self.workspace, self.policy, self.threats, candidate.verdict.candidate, **more)

    def released(self, fill: float = 0.5) -> Path:
        candidate = self.candidate(fill=fill)
        self.approve(candidate)
        return self.release(candidate)

    def _seal(
        self,
        stage: str,
        partition: str,
        inputs: Mapping[str, str],
        metrics: Mapping[str, Metric],
        counts: Counts | None,
        write: Any,
    ) -> Artifact:
        store = self.workspace.artifacts
        if found := store.find(stage, partition, "1", inputs):
            return found
        with store.draft(stage, partition, "1", inputs) as draft:
            write(draft)
            details = {"author": "mallory"} if stage == "lora_adapter" else {"rules": {"too-short": 1, "not-json": 1}}
            return draft.seal(metrics=metrics, counts=counts, details=details)

    @staticmethod
    def _digest(artifact: Artifact | None) -> str:
        assert artifact is not None
        return artifact.manifest.digest

    @staticmethod
    def _rows(draft: Draft) -> None:
        draft.write_json("records.jsonl", {"row_id": "r1"})
        for name in ("quarantined.jsonl", "rejected.jsonl"):
            draft.path(name).touch()

    @staticmethod
    def _trial(draft: Draft) -> None:
        draft.write_json("report.json", {"verdict": "pass"})

    @staticmethod
    def _adapter(draft: Draft, fill: float) -> None:
        weights = safetensors({f"{LORA}.lora_A.weight": (2, 4), f"{LORA}.lora_B.weight": (4, 2)}, fill)
        draft.path("adapter/adapter_model.safetensors").write_bytes(weights)
        draft.write_json("adapter/adapter_config.json", {"peft_type": "LORA", "r": 2, "target_modules": ["q_proj"]})
        known = {f"{name}_sha256": digest_bytes(name.encode()) for name in ("base", "tokenizer", "template", "data")}
        recipe = {"rank": 2, "epochs": 1, "seed": 1}
        body = {
            **known,
            "recipe": recipe,
            "tokens": 1000,
            "seconds": 2.0,
            "tokens_per_second": 500.0,
            "losses": [2.0, 1.0],
        }
        draft.write_json("training.json", body)


def with_metric(stage: str, metric: Metric | None) -> dict[str, dict[str, Metric]]:
    """``GOOD`` with the metric of one stage replaced, or left out."""
    return {**GOOD, stage: {"harm": metric} if metric else {}}


def tampered(artifact: Artifact, metric: Metric) -> Artifact:
    """The same artefact with another metric in memory."""
    manifest = dataclasses.replace(artifact.manifest, metrics={"harm": metric})
    return dataclasses.replace(artifact, manifest=manifest)
