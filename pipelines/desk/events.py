"""Live updates: server-sent events that say *what kind* of thing changed; the page then asks for itself again."""

import asyncio
import json
from collections.abc import AsyncIterator

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from pipelines.desk.desk import Desk
from pipelines.desk.guard import cookie_name

POLL = 1.0  # seconds
ALIVE = 15  # polls without news before a comment keeps the connection open


async def events(request: Request) -> Response:
    """The stream of one signed-in browser. It does not count as being at the desk, and ends with the session."""
    desk: Desk = request.app.state.desk
    cookie = request.cookies.get(cookie_name(desk), "")
    session = desk.sessions.find(cookie, touch=False)
    if session is None or not session.reviewer:
        return Response("Sign in first.", 401, media_type="text/plain")
    return StreamingResponse(_stream(request, desk, cookie), media_type="text/event-stream")


async def _stream(request: Request, desk: Desk, cookie: str) -> AsyncIterator[str]:
    known = await run_in_threadpool(desk.stamps)
    quiet = 0
    yield "retry: 2000\n\n"
    while desk.sessions.find(cookie, touch=False) and not (desk.closing or await request.is_disconnected()):
        await asyncio.sleep(POLL)
        now = await run_in_threadpool(desk.stamps)
        changed = sorted(name for name in now if now[name] != known.get(name))
        known, quiet = now, quiet + 1
        if changed:
            counts = await run_in_threadpool(desk.counts)
            yield f"event: changed\ndata: {json.dumps({'what': changed, 'counts': counts})}\n\n"
            quiet = 0
        elif quiet >= ALIVE:
            yield ": still here\n\n"
            quiet = 0


ROUTES = [Route("/events", events, name="GET /events")]
