"""Candidates: the verdict and what it rests on, the comparison, who has said what, and saying it."""

from typing import Any

from starlette.responses import HTMLResponse, Response

from assets.release.approval import Decision, draft, standing
from assets.release.pointer import read_plug
from assets.release.release import release
from assets.verdict.candidate import Candidate, candidates, find
from assets.verdict.compare import Change, compare
from assets.verdict.markup import moment
from pipelines.desk.guard import Visit, route
from pipelines.desk.rendering import VERDICTS
from pipelines.desk.sessions import Pending
from pipelines.governance import blocking, dossier_of
from resources.clock import utc
from resources.errors import HallmarkError, UsageError
from resources.signer import KeyRing

# The dossier brings its own style; it runs nothing and, in a sandbox, is nobody's page.
DOSSIER_CSP = "default-src 'none'; style-src 'unsafe-inline'; sandbox allow-popups; frame-ancestors 'none'"


def listing(visit: Visit) -> Response:
    newest = {each.verdict.candidate: each for each in candidates(visit.desk.workspace.artifacts)}
    found = list(reversed(newest.values()))
    return visit.page(
        "candidates.html", shown=[(each, _stands(visit, each)) for each in found], plugged=_plugged(visit)
    )


def candidate(visit: Visit) -> Response:
    found = _found(visit)
    body = dossier_of(visit.desk.workspace, found.verdict.candidate)
    others = [each.verdict.candidate for each in candidates(visit.desk.workspace.artifacts)]
    others = [name for name in dict.fromkeys(reversed(others)) if name != found.verdict.candidate]
    against = visit.query("against") or ("current" if _plugged(visit) else "")
    changes, fault = _changes(visit, body, against)
    return visit.page(
        "candidate.html",
        found=found,
        dossier=body,
        blocking=blocking(body),
        stands=_stands(visit, found),
        rules=visit.desk.rules,
        others=others,
        against=against,
        changes=changes,
        fault=fault,
        plugged=_plugged(visit),
    )


def dossier(visit: Visit) -> Response:
    """The dossier's own page, as it was sealed."""
    found = _found(visit)
    found.artifact.verify()
    page = found.artifact.path("dossier.html").read_text(encoding="utf-8")
    return HTMLResponse(page, headers={"content-security-policy": DOSSIER_CSP})


def signing_page(visit: Visit) -> Response:
    """Draft the reviewer's word on the candidate; the next page has it signed."""
    found, reviewer = _found(visit), visit.session.reviewer
    word = visit.field("decision")
    if word not in ("approve", "reject"):
        raise UsageError("a decision is approve or reject")
    decision: Decision = "approve" if word == "approve" else "reject"
    overrides = {
        name.removeprefix("override:"): str(reason).strip()
        for name, reason in visit.form.items()
        if name.startswith("override:") and str(reason).strip()
    }
    days = visit.field("days")
    if days and not days.isdecimal():
        raise UsageError(f"days are a whole number, not {days!r}")
    name, desk = found.verdict.candidate, visit.desk
    body = draft(
        desk.workspace, desk.policy, desk.threats, name, decision, reviewer=reviewer, reason=visit.field("reason"),
        overrides=overrides if decision == "approve" else None, days=int(days) if days else None,
    )  # fmt: skip
    said = body["predicate"]
    facts = [
        ("Candidate", name),
        ("Verdict", VERDICTS[found.verdict.verdict]),
        ("You are", reviewer),
        ("Reason", said["reason"]),
    ]
    facts += [(f"Override of {gate}", why) for gate, why in said["overrides"].items()]
    if decision == "approve":
        facts.append(("Can be used until", moment(said["expires_at"])))
    title = f"{'Approve' if decision == 'approve' else 'Reject'} candidate {name}"
    pending = Pending("candidate", name, title, tuple(facts), body, f"/candidates/{name}")
    return visit.go(f"/sign/{visit.session.wait_for(pending)}")


def released(visit: Visit) -> Response:
    """Release a candidate whose approvals are complete; all of it is proven again."""
    desk, name = visit.desk, _found(visit).verdict.candidate
    folder = release(desk.workspace, desk.policy, desk.threats, name)
    return visit.go(f"/releases#{folder.name}", f"{folder.name} is released and in use.")


def _found(visit: Visit) -> Candidate:
    return find(visit.desk.workspace.artifacts, str(visit.request.path_params["name"]))


def _stands(visit: Visit, found: Candidate) -> Any:
    desk = visit.desk
    ring = KeyRing.open(desk.workspace.keys)
    return standing(desk.workspace.decision_log, ring, found.verdict, desk.rules, utc())


def _plugged(visit: Visit) -> str:
    try:
        return read_plug(visit.desk.workspace.releases, KeyRing.open(visit.desk.workspace.keys)).release
    except HallmarkError:
        return ""


def _changes(visit: Visit, body: dict[str, Any], against: str) -> tuple[list[Change], str]:
    if not against:
        return [], ""
    try:
        return compare(dossier_of(visit.desk.workspace, against), body), ""
    except (HallmarkError, OSError) as error:
        return [], str(error)


ROUTES = [
    route("/candidates", listing),
    route("/candidates/{name}", candidate),
    route("/candidates/{name}/dossier", dossier),
    route("/candidates/{name}/decision", signing_page, method="POST"),
    route("/candidates/{name}/release", released, method="POST"),
]
