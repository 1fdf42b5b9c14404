"""Releases, each verified on the spot, with the way back; and the log of decisions."""

from collections import Counter

from starlette.responses import Response

from assets.release.listing import listed
from assets.release.release import rollback
from pipelines.desk.guard import Visit, route
from pipelines.desk.rows import paged
from resources.errors import ApprovalRefused, HallmarkError


def listing(visit: Visit) -> Response:
    shown, fault = listed(visit.desk.workspace)
    return visit.page("releases.html", shown=list(reversed(shown)), fault=fault)


def rolled_back(visit: Visit) -> Response:
    """Unplug at once. The pipeline's key signs it, so the reviewer's name goes into the signed reason."""
    reason = visit.field("reason").strip()
    if not reason:
        raise ApprovalRefused("a rollback needs a reason")
    plug = rollback(visit.desk.workspace, f"{visit.session.reviewer}: {reason}")
    after = f"{plug.release} is in use again." if plug.release else "No release is in use: the base model serves alone."
    return visit.go("/releases", f"Rolled back. {after}")


def log(visit: Visit) -> Response:
    """The decisions, latest first, of one kind if asked; and whether the whole chain holds."""
    entries = visit.desk.ledger.entries()
    kind = visit.query("kind")
    found = [entry for entry in reversed(entries) if kind in ("", entry.kind)]
    shown, paging = paged(visit, found)
    fault = ""
    if visit.query("verify"):
        try:
            visit.desk.workspace.decision_log.verify()
        except HallmarkError as error:
            fault = str(error)
    kinds = Counter(entry.kind for entry in entries).most_common()
    return visit.page(
        "log.html",
        shown=shown,
        paging=paging,
        kinds=kinds,
        kind=kind,
        fault=fault,
        verified=bool(visit.query("verify")),
    )


ROUTES = [
    route("/releases", listing),
    route("/releases/rollback", rolled_back, method="POST"),
    route("/log", log),
]
