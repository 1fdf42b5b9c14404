"""The assets ``release_approval`` (a person's, outside) and ``approved_release`` (signed, reversible).

In    a candidate's verdict and signed approvals
Out   a folder that proves itself, and `current`, which names the one in use
Read  approval.py (a person's word), rules.py (whose word counts), release.py (making the folder), signed.py and
      verify.py (proving it), plug.py and pointer.py (in use, and back), loader.py, safety.py, bom.py,
      provenance.py, listing.py
"""

from typing import Any

import dagster as dg

from assets.release.release import release
from assets.release.verify import verify_release
from assets.stage import OWNERS, Stage, materialization, policy_of
from assets.verdict.candidate import candidates
from assets.verdict.threat import ThreatModel
from resources.artifacts import Artifact, Draft, Metric
from resources.digests import digest_json, digest_tree
from resources.errors import ApprovalRefused, GateRefused, IntegrityError
from resources.project import Project
from resources.signer import KeyRing

CANDIDATE_TAG = "hallmark/candidate"

release_approval = dg.AssetSpec(
    "release_approval",
    deps=["evaluated_adapter"],
    group_name="release",
    kinds={"signature"},
    owners=["team:reviewers"],
    description="A reviewer's signed word on a candidate: `hallmark approve`. Nothing approves by itself.",
)


def _inputs(project: Project, partition: str) -> dict[str, str]:
    current = project.workspace.releases / "current"
    return {"plug": digest_json(current.read_text()) if current.exists() else ""}


STAGE = Stage("approved_release", "1", _inputs)


@dg.asset(
    deps=["release_approval", "evaluated_adapter"],
    group_name="release",
    kinds={"safetensors", "signature"},
    owners=OWNERS,
    code_version=STAGE.code_version,
    description="An immutable release folder that carries its own proof. Log, verdict, evidence, adapter and approvals "
    "are all proven again here; an event in Dagster counts for nothing.",
)
def approved_release(
    context: dg.AssetExecutionContext, project: Project, threat_model: dg.ResourceParam[ThreatModel]
) -> dg.MaterializeResult[Any]:
    candidate = context.run.tags.get(CANDIDATE_TAG) or _only_candidate(project)
    try:
        folder = release(project.workspace, policy_of(project), threat_model, candidate)
    except (ApprovalRefused, GateRefused, IntegrityError) as refusal:
        raise dg.Failure(str(refusal), allow_retries=False) from refusal
    verify_release(folder, KeyRing.open(project.workspace.keys))
    context.log.info(f"released {folder.name}")

    def build(draft: Draft) -> Artifact:
        draft.write_json("release.json", {"release": folder.name, "files": digest_tree(folder)})
        return draft.seal(metrics={"release_differences": Metric(0, 1)}, details={"release": folder.name})

    artifact = STAGE.make(project, build)
    return materialization(project, artifact, release=folder.name, folder=dg.MetadataValue.path(str(folder)))


def _only_candidate(project: Project) -> str:
    found = candidates(project.artifacts)
    if not found:
        raise dg.Failure("there is no candidate to release", allow_retries=False)
    return found[-1].verdict.candidate
