"""Proving a release: offline, with the public keys only, in seconds, listing everything that is wrong with it.

The chain goes from the keys outwards. The pipeline's signature on ``release.dsse.json`` proves the list of files; the
files' digests prove their bytes, among them the verdict, the policy it was judged by and the approvals; each approval
carries its reviewer's own signature over the digests of the adapter, the verdict and the policy. Nothing in the
folder is trusted to say who may sign: that is the keys folder's.
"""

import contextlib
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from assets.release.approval import Approval, why_not
from assets.release.plug import disagreement, evaluation_of
from assets.release.rules import ApprovalRules
from assets.release.safety import inspect_adapter
from assets.release.signed import ADAPTER, APPROVALS, Signed, read_signed, signed_differences
from assets.verdict.assemble import judge
from assets.verdict.candidate import evaluation_statement
from assets.verdict.verdict import Evidence, Verdict, key_of
from expectations.policy import Policy
from resources.artifacts import Artifact, Manifest
from resources.decision_log import DecisionLog, Entry, contradiction
from resources.digests import digest_json, digest_tree
from resources.errors import HallmarkError, IntegrityError
from resources.model_signature import ModelSigning
from resources.signer import KeyRing, read_envelope, subjects

SIGNATURE = "adapter.sig"
EVALUATION = "attestations/evaluation.dsse.json"
PROVENANCE = "attestations/provenance.dsse.json"


def evidence_path(item: Evidence) -> str:
    """Where a release keeps the manifest of an artefact that was judged."""
    return f"evidence/{key_of(item)}.json"


def check_release(folder: Path, ring: KeyRing, log: DecisionLog | None = None) -> list[str]:
    """Everything wrong with a release, in words; empty if it holds. ``log`` is checked too where there is one."""
    signed, found = signed_differences(folder, ring)
    if signed is None:
        return found
    if not found:  # what follows reads the files, so their bytes come first
        found += _content(folder, signed, ring)
    if log is not None:
        found += _log(folder, signed, ring, log)
    return found


def verify_release(folder: Path, ring: KeyRing, log: DecisionLog | None = None) -> Signed:
    """As ``check_release``, raising ``IntegrityError`` with every difference."""
    found = check_release(folder, ring, log)
    if found:
        raise IntegrityError(f"release {folder.name} does not verify", tuple(found))
    return read_signed(folder, ring)


def approvals_of(folder: Path, ring: KeyRing) -> list[Approval]:
    """The approvals that a release carries, each signed by a trusted reviewer; whether they count says
    ``check_release``, which also names those that cannot be read."""
    words = []
    for path in sorted((folder / APPROVALS).glob("*")):
        with contextlib.suppress(HallmarkError, OSError):
            words.append(Approval.read(read_envelope(path), ring))
    return words


def _content(folder: Path, signed: Signed, ring: KeyRing) -> Iterator[str]:
    try:
        verdict = Verdict.from_json(json.loads((folder / "verdict.json").read_bytes()))
        policy = Policy.model_validate_json((folder / "policy.json").read_bytes())
        rules = ApprovalRules.of(policy)
    except (OSError, ValueError, HallmarkError) as error:
        yield f"verdict or policy: {error}"
        return
    yield from _bound(folder, signed, verdict, policy)
    yield from _judged(folder, verdict, policy)
    yield from _approved(folder, signed, verdict, rules, ring)
    for check in (_safe, _attested, _model_signature):
        try:
            check(folder, signed, verdict, policy, ring)
        except (HallmarkError, OSError, KeyError) as error:
            yield str(error)


def _bound(folder: Path, signed: Signed, verdict: Verdict, policy: Policy) -> Iterator[str]:
    adapter = digest_json(digest_tree(folder / ADAPTER))
    if adapter != verdict.digests.get("adapter") or not adapter.startswith(signed.candidate):
        yield f"the verdict is about adapter {verdict.digests.get('adapter', '')[:12]}, not {adapter[:12]}"
    if policy.digest != verdict.digests.get("policy"):
        yield "the verdict was reached by another policy"


def _judged(folder: Path, verdict: Verdict, policy: Policy) -> Iterator[str]:
    """The gates once more, from the manifests of the evidence that the release carries."""
    found = {}
    for item in verdict.evidence:
        path = folder / evidence_path(item)
        try:
            manifest = Manifest.from_json(json.loads(path.read_bytes()))
            same = manifest.digest == item.digest
        except (OSError, ValueError, KeyError, TypeError):
            same = False
        if not same:
            yield f"{path.relative_to(folder).as_posix()} is not the evidence that was judged"
            return
        found[key_of(item)] = Artifact(path.parent, manifest)
    judgements, holes = judge(found, policy)
    if tuple(judgements) != verdict.judgements or holes:
        yield "the gates, judged again from the evidence, say something else than the verdict"


def _approved(folder: Path, signed: Signed, verdict: Verdict, rules: ApprovalRules, ring: KeyRing) -> Iterator[str]:
    counted = set()
    for path in sorted((folder / APPROVALS).glob("*")):
        try:
            word = Approval.read(read_envelope(path), ring)
        except HallmarkError as error:
            yield f"{APPROVALS}/{path.name}: {error}"
            continue
        why = why_not(word, verdict, rules, ring, signed.released_at)
        if word.decision != "approve" or why:
            yield f"{APPROVALS}/{path.name}: {why or 'it is a rejection'}"
        else:
            counted.add(word.reviewer)
    if missing := rules.lacks(counted):
        yield f"not approved: {missing}"


def _safe(folder: Path, signed: Signed, verdict: Verdict, policy: Policy, ring: KeyRing) -> None:
    inspect_adapter(folder / ADAPTER)


def _attested(folder: Path, signed: Signed, verdict: Verdict, policy: Policy, ring: KeyRing) -> None:
    said, _ = ring.check(read_envelope(folder / EVALUATION), "pipeline")
    if said != evaluation_statement(verdict):
        raise IntegrityError(f"{EVALUATION} is about another verdict")
    made, _ = ring.check(read_envelope(folder / PROVENANCE), "pipeline")
    if subjects(made).get("adapter") != verdict.digests["adapter"]:
        raise IntegrityError(f"{PROVENANCE} is about another adapter")


def _model_signature(folder: Path, signed: Signed, verdict: Verdict, policy: Policy, ring: KeyRing) -> None:
    signing = ModelSigning.of(policy.settings.get("approved_release", {}))
    signing.verify(folder / ADAPTER, folder / SIGNATURE, ring, signed.keyid)


def _log(folder: Path, signed: Signed, ring: KeyRing, log: DecisionLog) -> Iterator[str]:
    """What the log of decisions says against the release; each question is asked even if another finds something."""
    try:
        chain = log.verify()
    except (HallmarkError, OSError) as error:
        yield f"decisions: {error}"
        return
    questions: list[Callable[[], str]] = [
        lambda: contradiction(chain, signed.log),
        lambda: disagreement(folder.parent, chain, ring),
        lambda: "" if evaluation_of(chain, signed.name) else f"{signed.name} was never promoted",
        *(lambda word=word: _logged(word, chain) for word in sorted((folder / APPROVALS).glob("*"))),  # type: ignore[misc]
    ]
    for question in questions:
        try:
            if answer := question():
                yield f"decisions: {answer}"
        except (HallmarkError, OSError, KeyError) as error:
            yield f"decisions: {error}"


def _logged(path: Path, chain: Sequence[Entry]) -> str:
    envelope = read_envelope(path)
    logged = any(entry.kind == "approval" and entry.body["envelope"] == envelope for entry in chain)
    return "" if logged else f"{path.name} is not in the log"
