"""The desk: a web application for what people decide. Its table of contents.

In    quarantined rows, findings, candidates and held calls; a reviewer with a passkey
Out   decisions, signed where they count, in the log of decisions
Read  desk.py (what every page works with), guard.py (what stands before each), welcome.py, reviewers.py and sessions.py
      (who is there), rows.py, candidates.py, held.py and releases.py (the pages), signing.py, rendering.py, events.py
"""

import socket

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from pipelines.desk import candidates, events, held, releases, rows, signing, welcome
from pipelines.desk.desk import Desk
from pipelines.desk.guard import LARGEST_FORM, Guard
from pipelines.desk.rendering import HERE

GRACE = 5  # seconds that requests may take once the server is told to end


def build(desk: Desk) -> Starlette:
    """The application of one workspace."""
    app = Starlette(
        routes=[
            *welcome.ROUTES,
            *rows.ROUTES,
            *candidates.ROUTES,
            *signing.ROUTES,
            *held.ROUTES,
            *releases.ROUTES,
            *events.ROUTES,
            Mount("/static", StaticFiles(directory=HERE / "static")),
        ],
        middleware=[Middleware(Guard, desk=desk)],
        exception_handlers={404: _absent},
        max_body_size=LARGEST_FORM,
    )
    app.state.desk = desk
    return app


class DeskServer(uvicorn.Server):
    """The server of a desk. It tells live connections that it ends, for they would not end by themselves."""

    def __init__(self, desk: Desk, host: str, port: int) -> None:
        config = uvicorn.Config(build(desk), host=host, port=port, log_level="warning", server_header=False)
        config.timeout_graceful_shutdown = GRACE
        super().__init__(config)
        self.desk = desk

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.desk.closing = True
        await super().shutdown(sockets)


async def _absent(request: Request, error: Exception) -> Response:
    return PlainTextResponse("There is no such page at this desk.", 404)
