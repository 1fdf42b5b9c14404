"""Held actions: what the model in use proposed and a person decides, while it waits."""

import json
from typing import Any

from starlette.responses import Response

from assets.served.approval.held import Held, Status
from pipelines.desk.guard import Visit, route
from pipelines.desk.sessions import Pending
from resources.digests import digest_json
from resources.errors import UsageError

MOST = 100  # on the page, of those that wait
STATES: tuple[Status, ...] = ("waiting", "approved", "rejected", "expired")


def listing(visit: Visit) -> Response:
    desk, state = visit.desk, visit.query("state") or "waiting"
    if state not in STATES:
        raise UsageError(f"there are: {', '.join(STATES)}")
    shown = desk.held.page(state, limit=MOST)
    return visit.page("held.html", shown=shown, state=state, states=STATES, totals=desk.held.counts())


def held(visit: Visit) -> Response:
    found = _found(visit)
    mine = next((word for word in found.decisions if word.reviewer == visit.session.reviewer), None)
    return visit.page("held_one.html", held=found, mine=mine)


def signing_page(visit: Visit) -> Response:
    """Draft the reviewer's word: let it through as it is, let another form through, or not."""
    found, desk, reviewer = _found(visit), visit.desk, visit.session.reviewer
    word = visit.field("decision")
    if word not in ("approve", "edit", "reject"):
        raise UsageError("a decision is approve, edit or reject")
    edited = _edited(found, visit.field("proposal")) if word == "edit" else None
    outcome = "reject" if word == "reject" else "approve"
    body = desk.held.draft(found, outcome, reviewer, visit.field("reason"), edited=edited)  # type: ignore[arg-type]
    what = found.tool or "a text"
    verb = {"approve": "Let through", "edit": "Let through, edited:", "reject": "Refuse"}[word]
    facts = [
        ("Action", what),
        ("Asked for by", found.requester),
        ("You are", reviewer),
        ("Reason", body["predicate"]["reason"]),
    ]
    if word != "reject":
        form = found.proposal if edited is None else edited
        facts.append(("Let through", form if isinstance(form, str) else json.dumps(form, indent=2, ensure_ascii=False)))
    pending = Pending("held", found.held, f"{verb} {what}", tuple(facts), body, "/held", edited)
    return visit.go(f"/sign/{visit.session.wait_for(pending)}")


def _found(visit: Visit) -> Held:
    return visit.desk.held.get(str(visit.request.path_params["name"]))


def _edited(found: Held, text: str) -> Any:
    """What the reviewer wrote in place of the proposal: a text for a text, JSON arguments for a call."""
    if not found.tool:
        return text
    try:
        edited = json.loads(text)
    except ValueError as error:
        raise UsageError(f"the edited arguments are not JSON: {error}") from error
    if digest_json(edited) == digest_json(found.proposal):
        raise UsageError("nothing was edited; approve it as it is")
    return edited


ROUTES = [
    route("/held", listing),
    route("/held/{name}", held),
    route("/held/{name}", signing_page, method="POST"),
]
