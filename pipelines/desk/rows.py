"""Quarantined rows and findings of the screen: masked evidence, text on demand, decided alone or together."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlencode

from starlette.responses import Response

from assets.review import Action, correct, decide
from assets.screened.report.finding import Finding, recorded
from assets.waiting import Item
from pipelines.desk.desk import Waiting
from pipelines.desk.guard import Visit, route
from pipelines.desk.rendering import plural
from resources.errors import UsageError
from resources.object_store import ObjectStore
from resources.signer import SigningKey

A_PAGE = 50
REPORT = "findings.json"
T = TypeVar("T")


def rows(visit: Visit) -> Response:
    """A page of the rows that wait, by rule and drop; or of those decided and not yet applied."""
    every = [each for each in visit.desk.waiting() if each.item.is_row]
    found = _filtered(visit, every)
    shown, paging = paged(visit, found)
    return visit.page(
        "rows.html",
        shown=shown,
        paging=paging,
        rules=Counter(each.item.rule for each in every).most_common(),
        drops=Counter(each.item.drop for each in every).most_common(),
        filters={name: visit.query(name) for name in ("rule", "drop", "state")},
    )


def decided(visit: Visit) -> Response:
    """Decide on the rows that were chosen, or on all that match the filter."""
    chosen = set(map(str, visit.form.getlist("row")))
    filters = {name: visit.field(name) for name in ("rule", "drop", "state")}
    every = [each for each in visit.desk.waiting() if each.item.is_row]
    if visit.field("all"):
        items = [each.item for each in _matching(every, **filters)]
    else:
        items = [each.item for each in every if each.item.name in chosen]
    if not items:
        raise UsageError("no row was chosen: tick the rows to decide on")
    said = _decide(visit, items)
    return visit.go(f"/rows?{urlencode({name: value for name, value in filters.items() if value})}", said)


def row(visit: Visit) -> Response:
    """One row; its text only when asked for, and only if it has been sanitised."""
    waiting = _row(visit)
    item, record = waiting.item, waiting.item.record(visit.desk.cipher)
    shown = bool(visit.query("text")) and item.readable
    turns = record.messages() if shown else []  # a row that is not readable may not even have a form
    return visit.page(
        "row.html",
        waiting=waiting,
        origin=record.origin,
        shown=shown,
        turns=turns,
        texts=list(record.texts()) if shown and not turns else [],
        answer=next((turn.content for turn in reversed(turns) if turn.role == "assistant"), ""),
    )


def row_decided(visit: Visit) -> Response:
    return visit.go("/rows", _decide(visit, [_row(visit).item]))


def corrected(visit: Visit) -> Response:
    item, desk = _row(visit).item, visit.desk
    answer, reason = visit.field("answer"), visit.field("reason")
    if not answer.strip():
        raise UsageError("a correction needs an answer")
    store, record = ObjectStore.open(desk.store), item.record(desk.cipher)
    key = SigningKey.pipeline(desk.workspace.keys)
    folder = correct(
        desk.workspace.decision_log, store, key, item, record, answer, reviewer=visit.session.reviewer, reason=reason
    )
    return visit.go("/rows", f"Corrected. The row comes back as {folder} with the next run and meets every wall.")


def findings(visit: Visit) -> Response:
    every = [each for each in visit.desk.waiting() if not each.item.is_row]
    return visit.page("findings.html", shown=every)


def finding(visit: Visit) -> Response:
    """One finding: the pattern marked in its examples and, on demand, in the rows themselves."""
    waiting = _finding(visit)
    explained = visit.desk.queue.explained(waiting.item.name)
    shown, paging = paged(visit, explained)
    records = visit.desk.queue.records(shown) if visit.query("text") else []
    texts = [(item, [(path, text) for path, text in record.texts() if text]) for item, record in records]
    detail = _detail(visit, waiting.item)
    return visit.page(
        "finding.html",
        waiting=waiting,
        detail=detail,
        explained=shown,
        texts=texts,
        paging=paging,
        total=len(explained),
    )


def finding_decided(visit: Visit) -> Response:
    waiting = _finding(visit)
    return visit.go("/findings", _decide(visit, [waiting.item]))


@dataclass(frozen=True, slots=True)
class Paging:
    """Where a page stands among the others. ``previous`` and ``next`` are links, empty where there is no page."""

    number: int
    pages: int
    total: int
    previous: str
    next: str


def paged(visit: Visit, found: Sequence[T]) -> tuple[Sequence[T], Paging]:
    """One page of what was found."""
    pages = max(1, -(-len(found) // A_PAGE))
    number = min(visit.number("page"), pages)
    start = (number - 1) * A_PAGE
    query = {name: value for name, value in visit.request.query_params.items() if name != "page"}
    before, after = (
        f"?{urlencode({**query, 'page': other})}" if 1 <= other <= pages else "" for other in (number - 1, number + 1)
    )
    return found[start : start + A_PAGE], Paging(number, pages, len(found), before, after)


def _decide(visit: Visit, items: list[Item]) -> str:
    action = visit.field("action")
    if action not in ("release", "reject"):
        raise UsageError("a decision is release or reject")
    word: Action = "release" if action == "release" else "reject"
    decide(visit.desk.workspace.decision_log, items, word, visit.session.reviewer, visit.field("reason"))
    what = plural(len(items), "row") if items[0].is_row else "The finding"
    done = "released" if word == "release" else "rejected"
    return f"{what} {done}. Applied by the next run; until then you may decide anew."


def _filtered(visit: Visit, every: list[Waiting]) -> list[Waiting]:
    return _matching(every, rule=visit.query("rule"), drop=visit.query("drop"), state=visit.query("state"))


def _matching(every: list[Waiting], *, rule: str, drop: str, state: str) -> list[Waiting]:
    return [
        each
        for each in every
        if rule in ("", each.item.rule)
        and drop in ("", each.item.drop)
        and (each.decision is not None) == (state == "decided")
    ]


def _row(visit: Visit) -> Waiting:
    name = str(visit.request.path_params["name"])
    for each in visit.desk.waiting():
        if each.item.is_row and each.item.name == name:
            return each
    explained = (item for shelf in visit.desk.queue.shelves() for item in shelf.explained if item.name == name)
    if (item := next(explained, None)) is not None:
        return Waiting(item, visit.desk.ledger.decided().get((item.stage, item.name)))
    raise UsageError(f"no row {name} waits; perhaps a run has applied a decision on it")


def _finding(visit: Visit) -> Waiting:
    name = str(visit.request.path_params["name"])
    found = [each for each in visit.desk.waiting() if not each.item.is_row and each.item.name == name]
    if not found:
        raise UsageError(f"no finding {name} waits; perhaps a run has applied a decision on it")
    return found[0]


def _detail(visit: Visit, item: Item) -> Finding | None:
    """What the screen's report says of a finding."""
    artifact = visit.desk.workspace.artifacts.current(item.stage, item.drop)
    if artifact is None or REPORT not in artifact.manifest.files:
        return None
    return recorded(json.loads(artifact.path(REPORT).read_bytes()), item.name)


ROUTES = [
    route("/rows", rows),
    route("/rows", decided, method="POST"),
    route("/rows/{name}", row),
    route("/rows/{name}", row_decided, method="POST"),
    route("/rows/{name}/correction", corrected, method="POST"),
    route("/findings", findings),
    route("/findings/{name}", finding),
    route("/findings/{name}", finding_decided, method="POST"),
]
