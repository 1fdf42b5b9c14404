"""Signing: what a reviewer is about to sign is shown whole, and a passkey signs the digest of just that."""

from starlette.responses import Response

from assets.release.approval import accept
from pipelines.desk.guard import Visit, route
from pipelines.desk.sessions import Pending
from pipelines.desk.welcome import answer, request_options
from resources.errors import ApprovalRefused
from resources.passkey import challenge, envelope, prove
from resources.signer import PAYLOAD_TYPE


def sign(visit: Visit) -> Response:
    """The statement in words and as it is, with the digest that the passkey signs."""
    pending = _pending(visit)
    asked = challenge(pending.statement, PAYLOAD_TYPE)
    mine = [key.passkey.credential for key in visit.desk.reviewers.passkeys(visit.session.reviewer) if key.passkey]
    if not mine:
        raise ApprovalRefused("you have no passkey with which to sign here; ask for an invitation")
    return visit.page("sign.html", pending=pending, digest=asked.hex(), options=request_options(visit, asked, mine))


def signed(visit: Visit) -> Response:
    """Take the passkey's answer: proven, counted, and then handed to the rules that the terminal's commands obey."""
    pending, said, desk = _pending(visit), answer(visit), visit.desk
    keys = desk.reviewers.passkeys(visit.session.reviewer)
    credential = said.get("id") if isinstance(said, dict) else None
    key = next((each for each in keys if each.passkey and each.passkey.credential == credential), None)
    if key is None or key.passkey is None:
        raise ApprovalRefused(f"this passkey is not one of {visit.session.reviewer}'s")
    asked = challenge(pending.statement, PAYLOAD_TYPE)
    desk.reviewers.count(key.keyid, prove(key.passkey, said, asked, desk.origin))
    word = envelope(pending.statement, PAYLOAD_TYPE, key.keyid, said)
    del visit.session.pending[str(visit.request.path_params["name"])]  # a statement is signed once
    return visit.go(pending.back, _taken(visit, pending, word))


def _taken(visit: Visit, pending: Pending, word: dict[str, object]) -> str:
    desk = visit.desk
    if pending.kind == "candidate":
        found = accept(desk.workspace, desk.policy, desk.threats, pending.target, word)
        done = "approved" if found.decision == "approve" else "rejected"
        return f"Signed and logged: you {done} {pending.target}."
    held = desk.held.decide(pending.target, word, desk.workspace.keys, desk.rules.roles, edited=pending.edited)
    return f"Signed: the action is {held.status}."


def _pending(visit: Visit) -> Pending:
    found = visit.session.waiting(str(visit.request.path_params["name"]))
    if found is None:
        raise ApprovalRefused("there is nothing to sign here: it was signed, or waited too long. Decide anew")
    return found


ROUTES = [route("/sign/{name}", sign), route("/sign/{name}", signed, method="POST")]
