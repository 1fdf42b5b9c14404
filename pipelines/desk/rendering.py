"""Templates: everything escaped, dates and digests as people read them, what was found in a text marked in it."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse, Response

from assets.screened.report.finding import NOTHING
from assets.verdict.markup import moment, number, prose
from resources.clock import parse
from resources.decision_log import Entry
from resources.errors import HallmarkError

if TYPE_CHECKING:
    from pipelines.desk.desk import Desk
    from pipelines.desk.sessions import Session

HERE = Path(__file__).parent
DIGITS = 12  # of a digest
_DIGESTS = ("target", "candidate", "keyid")
# By kind of entry: what is said of it, and the fields that this takes.
_TOLD: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "review": ("{reviewer}: {action} {target}, {reason}", ("reviewer", "action", "target", "reason")),
    "approval": ("{reviewer} approved {candidate}", ("reviewer", "candidate")),
    "rejection": ("{reviewer} rejected {candidate}", ("reviewer", "candidate")),
    "verdict": ("{candidate}: {verdict}", ("candidate", "verdict")),
    "promotion": ("{release} in place of {previous}", ("release", "previous")),
    "rollback": ("{release} in place of {previous}", ("release", "previous")),
    "passkey": ("{name} may sign with {label}", ("name", "label")),
    "revocation": ("key {keyid}: {reason}", ("keyid", "reason")),
}
VERDICTS = {"pass": "passes", "fail": "fails", "inconclusive": "unproven", "at_release": "judged at release"}


@cache
def environment() -> Environment:
    loader = FileSystemLoader(HERE / "templates")
    made = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters |= {
        "moment": moment, "number": number, "marked": marked, "pretty": pretty, "left": left, "verdict": verdict,
        "plural": plural, "in_words": in_words, "prose": lambda words: Markup(prose(words)),  # noqa: S704 (it escapes)
    }  # fmt: skip
    return made


def page(desk: "Desk", session: "Session", path: str, template: str, status: int = 200, **content: Any) -> Response:
    """A page of the desk. What was to be said once is said on it."""
    notices, session.notices = session.notices, []
    try:
        counts = desk.counts() if session.reviewer else {}
    except HallmarkError:  # a page that says what is wrong must not fail by the same fault
        counts = {}
    body = environment().get_template(template).render(
        session=session, path=path, notices=notices, counts=counts, **content
    )  # fmt: skip
    return HTMLResponse(body, status)


def marked(text: Any, *needles: str) -> Markup:
    """Escaped text in which each needle stands out; where one is given first it wins over a later one in it."""
    said = str(text)
    wanted = [needle for needle in needles if needle and needle != NOTHING]
    if not wanted:
        return escape(said)
    pattern = re.compile("|".join(f"({re.escape(needle)})" for needle in wanted), re.IGNORECASE)
    parts, end = [], 0
    for found in pattern.finditer(said):
        kind = "trigger" if found.lastindex == 1 and wanted[0] == (needles and needles[0]) else "payload"
        parts.append(escape(said[end : found.start()]))
        parts.append(Markup('<mark class="{}">{}</mark>').format(kind, found[0]))
        end = found.end()
    return Markup("").join([*parts, escape(said[end:])])


def pretty(value: Any) -> str:
    """JSON for people."""
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True)


def left(at: str) -> str:
    """How long it is until a UTC time."""
    seconds = int((parse(at) - datetime.now(UTC)).total_seconds())
    if seconds <= 0:
        return "no time left"
    if seconds < 60:
        return "under a minute left"
    hours, minutes = divmod(seconds // 60, 60)
    return f"{hours} h {minutes:02d} min left" if hours else f"{minutes} min left"


def verdict(word: Any) -> Markup:
    known = str(word)
    return Markup('<span class="verdict v-{}">{}</span>').format(known, VERDICTS.get(known, known))


def in_words(entry: Entry) -> str:
    """An entry of the log in a few words."""
    words, names = _TOLD.get(entry.kind, ("", ()))
    said = {name: str(entry.body.get(name) or "nothing") for name in names}
    return words.format(**{name: text[:DIGITS] if name in _DIGESTS else text for name, text in said.items()})


def plural(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"
