"""The desk: a web application for what people decide. Its table of contents."""

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


async def _absent(request: Request, error: Exception) -> Response:
    return PlainTextResponse("There is no such page at this desk.", 404)
