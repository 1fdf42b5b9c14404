"""What stands before every page: the right host, headers that forbid the rest of the web, a session, a form of our own.

=================== =================================================================================================
attack              what refuses it
=================== =================================================================================================
cross-site request  a form must carry the session's token, and come from this origin by the browser's own word
session fixation    signing in starts a new session; a cookie that was there before never becomes it
clickjacking        no page may be framed (``frame-ancestors``, ``X-Frame-Options``)
injected script     only files of our own run (``script-src 'self'``); templates escape everything
DNS rebinding       another ``Host`` than the desk's own is refused
=================== =================================================================================================
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, MutableHeaders
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipelines.desk.desk import Desk
from pipelines.desk.rendering import page
from pipelines.desk.sessions import Session
from resources.clock import utc
from resources.errors import ApprovalRefused, GateRefused, HallmarkError, IntegrityError, UsageError
from resources.signer import KeyRing

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": CSP,
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "publickey-credentials-get=(self), publickey-credentials-create=(self), camera=()",
    "cache-control": "no-store",
}
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
LARGEST_FORM = 1 << 20  # bytes
MOST_FIELDS = 2000


class Guard:
    """The middleware: checks the host and, of anything that changes something, the origin; adds the headers."""

    def __init__(self, app: ASGIApp, desk: Desk) -> None:
        self.app, self.desk = app, desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def hardened(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                if self.desk.secure:
                    headers["strict-transport-security"] = "max-age=31536000"
            await send(message)

        request = Request(scope)
        refusal = self._refused(request)
        await (refusal or self.app)(scope, receive, hardened)

    def _refused(self, request: Request) -> Response | None:
        host, own = request.headers.get("host", ""), self.desk.address
        if host != own:
            port = own.partition(":")[2]
            if request.method == "GET" and host in {f"{name}:{port}" for name in LOOPBACK}:
                return RedirectResponse(f"{self.desk.origin}{request.url.path}", 307)  # passkeys need the name
            return Response("This is not the address of this desk.", 421, media_type="text/plain")
        if request.method in ("GET", "HEAD"):
            return None
        origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
        if origin != self.desk.origin or site not in (None, "same-origin"):
            return Response("Refused: this form was not sent by a page of the desk.", 403, media_type="text/plain")
        return None


@dataclass(slots=True)
class Visit:
    """One request, by one session. A page is a function of it that may block: it runs in a thread."""

    request: Request
    desk: Desk
    session: Session
    form: FormData

    def field(self, name: str) -> str:
        """A field of the form, in the line ends that texts have here."""
        return str(self.form.get(name, "")).replace("\r\n", "\n")

    def query(self, name: str) -> str:
        return self.request.query_params.get(name, "")

    def number(self, name: str, least: int = 1) -> int:
        """A number of the address; anything else is ``least``."""
        text = self.query(name)
        return max(least, int(text)) if text.isdecimal() and len(text) < 9 else least

    def page(self, template: str, status: int = 200, **content: Any) -> Response:
        return page(self.desk, self.session, str(self.request.url.path), template, status, **content)

    def go(self, where: str, notice: str = "", tone: str = "good") -> Response:
        """Back to a page, which then says ``notice`` once."""
        if notice:
            self.session.notices.append((tone, notice))
        return RedirectResponse(where, 303)


Handler = Callable[[Visit], Response]
Access = Literal["reviewers", "anyone"]


def route(path: str, handler: Handler, *, method: str = "GET", access: Access = "reviewers") -> Route:
    """A page behind a session. ``anyone``: one of the few that lead to one, with a session that has no name yet."""

    async def endpoint(request: Request) -> Response:
        desk: Desk = request.app.state.desk
        cookie = request.cookies.get(cookie_name(desk), "")
        session = await run_in_threadpool(_session, desk, cookie)
        fresh = ""
        if access == "reviewers" and (session is None or not session.reviewer):
            where = f"?next={quote(request.url.path)}" if method == "GET" and request.url.path != "/" else ""
            return RedirectResponse(f"/sign-in{where}", 303)
        if session is None:
            fresh, session = desk.sessions.start()
        form = await request.form(max_fields=MOST_FIELDS, max_files=0) if method == "POST" else FormData()
        visit = Visit(request, desk, session, form)
        if method == "POST" and not hmac.compare_digest(visit.field("csrf").encode(), session.csrf.encode()):
            response = visit.page(
                "problem.html", 403, message="This form is too old, or not from this desk. Go back and try again."
            )
        else:
            response = await run_in_threadpool(_answered, handler, visit)
        if fresh:
            set_cookie(desk, response, fresh)
        return response

    return Route(path, endpoint, methods=[method], name=f"{method} {path}")


def cookie_name(desk: Desk) -> str:
    return "__Host-desk" if desk.secure else "desk"


def set_cookie(desk: Desk, response: Response, value: str) -> None:
    response.set_cookie(cookie_name(desk), value, httponly=True, samesite="strict", secure=desk.secure, path="/")


def _session(desk: Desk, cookie: str) -> Session | None:
    """The session of a cookie, unless its reviewer's passkey was revoked meanwhile."""
    session = desk.sessions.find(cookie)
    if session and session.keyid and KeyRing.open(desk.workspace.keys).revocation(session.keyid, utc()):
        desk.sessions.end(cookie)
        return None
    return session


def _answered(handler: Handler, visit: Visit) -> Response:
    """The page, or what stood in its way in words."""
    try:
        return handler(visit)
    except HallmarkError as error:
        refused = isinstance(error, ApprovalRefused | GateRefused | IntegrityError)
        status = 409 if refused else 400 if isinstance(error, UsageError) else 422
        return visit.page("problem.html", status, message=str(error))
