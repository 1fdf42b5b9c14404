"""Making a release: an immutable folder that carries its own proof, and plugging it in.

::

    releases/<candidate>-<8 digits>/
        adapter/  adapter.sig           the adapter and its model-signing signature
        training.json  verdict.json  policy.json  threats.json
        evidence/                       the manifest of every artefact that was judged
        approvals/                      the reviewers' signed words
        attestations/                   in-toto statements: provenance (SLSA) and evaluation (test result)
        bom.cdx.json                    CycloneDX bill of materials
        dossier.html  dossier.json      with the approvals and overrides in them
        release.dsse.json               the signed list of all other files
    releases/current                    what is plugged in (``assets.release.plug``)

Everything is proven again here: the log, the verdict from its evidence, the adapter's bytes, the approvals. The
folder is made apart, verified like any other release, moved into place in one rename and only then plugged in.
"""

import contextlib
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from assets.release.approval import Approval, standing
from assets.release.bom import bill_of_materials, validate
from assets.release.plug import history, promote, settle, unplug
from assets.release.pointer import Plug, read_plug
from assets.release.provenance import provenance_statement
from assets.release.rules import ApprovalRules
from assets.release.safety import inspect_adapter
from assets.release.signed import ADAPTER, APPROVALS, MANIFEST, PREDICATE
from assets.release.verify import EVALUATION, PROVENANCE, SIGNATURE, evidence_path, verify_release
from assets.verdict.candidate import Candidate, announced, find, prove
from assets.verdict.dossier import render, with_approvals
from assets.verdict.threat import ThreatModel
from assets.verdict.verdict import Verdict, key_of
from expectations.policy import Policy
from resources.artifacts import Artifact
from resources.clock import not_before, utc
from resources.decision_log import DecisionLog, Entry
from resources.digests import canonical_json, digest_json, digest_tree
from resources.errors import ApprovalRefused, HallmarkError, IntegrityError, StoreError
from resources.model_signature import ModelSigning
from resources.signer import KeyRing, SigningKey, statement, write_envelope
from resources.workspace import Workspace


@dataclass(frozen=True, slots=True)
class _Proven:
    """A candidate and all that allows its release."""

    candidate: Candidate
    artifacts: Mapping[str, Artifact]
    approvals: tuple[Approval, ...]
    evaluation: dict[str, Any]
    at: str

    @property
    def verdict(self) -> Verdict:
        return self.candidate.verdict

    @property
    def name(self) -> str:
        words = [word.envelope for word in self.approvals]
        return f"{self.verdict.candidate}-{digest_json([self.verdict.digest, words])[:8]}"


def release(
    workspace: Workspace, policy: Policy, threats: ThreatModel, candidate: str, *, now: datetime | None = None
) -> Path:
    """Release a candidate that is approved, and plug it in; its folder. Done already: the folder that is there."""
    log, key = workspace.decision_log, SigningKey.pipeline(workspace.keys)
    ring = KeyRing.open(workspace.keys)
    log.verify()
    before = settle(workspace.releases, log, ring)
    chain = log.entries()
    proven = _prove(workspace, policy, threats, candidate, log, ring, utc(not_before(chain, now)))
    folder = workspace.releases / proven.name
    if before.release != proven.name and any(event.release == proven.name for event in history(chain, ring)):
        raise ApprovalRefused(
            f"{proven.name} was released before and superseded; to return to it, roll back or approve anew"
        )
    with _making(workspace.releases, proven.name) as staging:
        if not folder.exists():
            _build(staging / proven.name, proven, policy, threats, log, key)
            verify_release(staging / proven.name, ring)
            _freeze(staging / proven.name)
            (staging / proven.name).rename(folder)
    signed = verify_release(folder, ring)
    if before.release != proven.name:
        why = f"approved by {', '.join(sorted(word.reviewer for word in proven.approvals))}"
        promote(workspace.releases, log, key, proven.name, signed.manifest, proven.verdict.digest, before.release, why)
    return folder


def rollback(workspace: Workspace, why: str) -> Plug:
    """Unplug the current release at once, then plug in the one before it if it still verifies: two signed events."""
    if not why.strip():
        raise ApprovalRefused("a rollback needs a reason")
    log, key = workspace.decision_log, SigningKey.pipeline(workspace.keys)
    ring = KeyRing.open(workspace.keys)
    try:
        if not (workspace.releases / "current").exists() or not read_plug(workspace.releases, ring).release:
            raise ApprovalRefused("no release is plugged in")
    except IntegrityError:
        pass  # a pointer that does not verify is the best of reasons to replace it
    gone = unplug(workspace.releases, log, key, why)
    for name in _earlier(log.entries(), ring, gone.previous):
        folder = workspace.releases / name
        try:
            signed = verify_release(folder, ring)
        except HallmarkError:
            continue
        verdict = Verdict.from_json(json.loads((folder / "verdict.json").read_bytes()))
        reason = f"rollback of {gone.previous}: {why}"
        return promote(workspace.releases, log, key, name, signed.manifest, verdict.digest, "", reason)
    return gone


def _earlier(chain: Sequence[Entry], ring: KeyRing, gone: str) -> list[str]:
    """The releases plugged in before ``gone``, latest first, without those that were themselves rolled back."""
    stack: list[str] = []
    for event in history(chain, ring):
        if event.event == "rollback":
            stack = [name for name in stack if name != event.previous]
        elif event.release not in stack:
            stack.append(event.release)
    return [name for name in reversed(stack) if name != gone]


def _prove(
    workspace: Workspace,
    policy: Policy,
    threats: ThreatModel,
    name: str,
    log: DecisionLog,
    ring: KeyRing,
    at: str,
) -> _Proven:
    found = find(workspace.artifacts, name)
    artifacts = prove(workspace.artifacts, found, policy, threats)
    evaluation = announced(log.entries(), ring, found.verdict)
    if evaluation is None:
        raise ApprovalRefused(f"the pipeline never signed a verdict on {found.verdict.candidate} into the log")
    stands = standing(log, ring, found.verdict, ApprovalRules.of(policy), at)
    if stands.missing:
        whys = "".join(f"\n  {reviewer}: {why}" for reviewer, why in stands.refused)
        raise ApprovalRefused(f"{found.verdict.candidate} may not be released: {stands.missing}{whys}")
    inspect_adapter(artifacts["lora_adapter"].path(ADAPTER))
    return _Proven(found, artifacts, stands.counted, evaluation, at)


def _build(
    folder: Path, proven: _Proven, policy: Policy, threats: ThreatModel, log: DecisionLog, key: SigningKey
) -> None:
    adapter, verdict = proven.artifacts["lora_adapter"], proven.verdict
    shutil.copytree(adapter.path(ADAPTER), folder / ADAPTER)
    shutil.copy(adapter.path("training.json"), folder / "training.json")
    if digest_json(digest_tree(folder / ADAPTER)) != verdict.digests["adapter"]:
        raise IntegrityError("the adapter changed while it was copied")
    training = json.loads((folder / "training.json").read_bytes())
    _write(folder / "verdict.json", verdict.to_json())
    _write(folder / "policy.json", policy.model_dump(mode="json"))
    _write(folder / "threats.json", threats.model_dump(mode="json"))
    for item in verdict.evidence:
        manifest = proven.artifacts[key_of(item)].path("manifest.json").read_bytes()
        _write_bytes(folder / evidence_path(item), manifest)
    for number, word in enumerate(proven.approvals, 1):
        _envelope(folder / APPROVALS / f"{number:02d}-{word.reviewer}.dsse.json", word.envelope)
    _envelope(folder / EVALUATION, proven.evaluation)
    _envelope(folder / PROVENANCE, key.sign(provenance_statement(verdict, proven.artifacts, training)))
    bom = bill_of_materials(verdict, proven.artifacts, training, proven.at)
    validate(bom)
    _write(folder / "bom.cdx.json", bom)
    _dossier(folder, proven)
    ModelSigning.of(policy.settings.get("approved_release", {})).sign(folder / ADAPTER, folder / SIGNATURE, key)
    said = {
        "name": proven.name, "candidate": verdict.candidate, "verdict": verdict.verdict, "released_at": proven.at,
        "digests": {**verdict.digests, "evaluation": verdict.digest}, "hallmark": version("hallmark"),
        "log": log.head().anchor(),
    }  # fmt: skip
    _envelope(folder / MANIFEST, key.sign(statement(PREDICATE, digest_tree(folder), said)))


def _dossier(folder: Path, proven: _Proven) -> None:
    body = json.loads(proven.candidate.artifact.path("dossier.json").read_bytes())
    body = with_approvals(body, [word.to_json() for word in proven.approvals])
    _write(folder / "dossier.json", body)
    (folder / "dossier.html").write_text(render(body), encoding="utf-8")


@contextlib.contextmanager
def _making(releases: Path, name: str) -> Iterator[Path]:
    """A folder to make a release in. A second maker of the same release is told; a killed one's remains are cleared."""
    folder = releases / ".staging" / name
    folder.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(f"{folder}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise StoreError(f"release {name} is being made by another process") from None
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        lock.release()


def _freeze(folder: Path) -> None:
    """Take the right to write away: a reminder to people; the signature is what holds."""
    for path in folder.rglob("*"):
        if path.is_file():
            path.chmod(0o444)


def _write(path: Path, value: Any) -> None:
    _write_bytes(path, canonical_json(value) + b"\n")


def _write_bytes(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _envelope(path: Path, envelope: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_envelope(path, envelope)
