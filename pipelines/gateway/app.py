"""The HTTP face of a gateway: OpenAI's endpoints, the state of held calls, health and metrics.

In    chat requests in OpenAI's form, with a key
Out   answers of the release in use, less what must not get out; calls that wait for a person
Read  request.py (what is accepted), gateway.py (what a request meets), answering.py (what becomes of an answer),
      wire.py (what goes back), build.py and self_test.py (before it serves), metrics.py
"""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from assets.served.approval.held import Held, HeldNotFound
from pipelines.gateway.answering import answer
from pipelines.gateway.gateway import Admitted, Gateway, Refusal
from pipelines.gateway.request import MOST_BYTES, ChatRequest, read
from pipelines.gateway.wire import Chunks, Reply, completion, error, held_note, held_reply
from resources.errors import HallmarkError, InputError

ANY = "hallmark"  # as a model: whatever is plugged in


def build_app(gateway: Gateway) -> ASGIApp:
    """The ASGI application of a gateway, which starts and ends with it."""

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        await gateway.start()
        yield
        await gateway.close()

    face = _Face(gateway)
    routes = [
        Route("/v1/chat/completions", face.chat, methods=["POST"]),
        Route("/v1/models", face.models),
        Route("/v1/held/{held}", face.held),
        Route("/healthz", face.health),
        Route("/metrics", face.metrics),
    ]
    handlers: Any = {Refusal: _refused, HallmarkError: _failed, HTTPException: _no_such}
    return Starlette(routes=routes, lifespan=lifespan, exception_handlers=handlers)


class _Face:
    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    async def chat(self, request: Request) -> Response:
        gateway = self.gateway
        key = gateway.who(request.headers.get("authorization", ""))
        try:
            wanted = read(await _body(request))
        except InputError as fault:
            raise Refusal("invalid_request", str(fault)) from fault
        if wanted.held:
            return self._what_became(wanted.held, self._held_of(wanted.held, key))
        release = gateway.plugged.state.release
        if wanted.model not in ("", ANY, release, f"{ANY}:{release}"):
            raise Refusal("not_found", f"no model {wanted.model[:80]!r} is served; /v1/models lists what is")
        chat = wanted.for_engine(gateway.settings.max_tokens)
        admitted = await gateway.admit(key, chat, request.headers.get("idempotency-key", "")[:256])
        if not chat.stream:
            reply = [part async for part in answer(gateway, admitted) if isinstance(part, Reply)]
            return JSONResponse(completion(admitted.name, admitted.state.release, reply[-1]))
        return await self._streamed(admitted, wanted)

    async def _streamed(self, admitted: Admitted, wanted: ChatRequest) -> Response:
        """The first part is waited for, so that an answer that never begins has the status of its error."""
        usage = bool(wanted.stream_options and wanted.stream_options.include_usage)
        chunks = Chunks(admitted.name, admitted.state.release, usage=usage)
        parts = answer(self.gateway, admitted)
        first = await anext(parts)

        async def events() -> AsyncIterator[bytes]:
            async with contextlib.aclosing(parts):
                yield _event(chunks, first)
                try:
                    async for part in parts:
                        yield _event(chunks, part)
                except Refusal as refusal:
                    yield chunks.error(refusal.code, str(refusal))

        return StreamingResponse(events(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})

    def _held_of(self, held: str, key: str) -> Held:
        try:
            found = self.gateway.held.get(held)
        except HeldNotFound:
            found = None
        if found is None or found.requester != key:
            raise Refusal("not_found", "nothing is held for this key under this name")
        return found

    def _what_became(self, name: str, held: Held) -> Response:
        return JSONResponse(completion(name, held.release, held_reply([held])))

    async def held(self, request: Request) -> Response:
        key = self.gateway.who(request.headers.get("authorization", ""))
        held = self._held_of(request.path_params["held"], key)
        return JSONResponse({**held_note(held), "completion": completion(held.held, held.release, held_reply([held]))})

    async def models(self, request: Request) -> Response:
        self.gateway.who(request.headers.get("authorization", ""))
        release = self.gateway.plugged.state.release
        names = [ANY, release] if release else []
        data = [{"id": name, "object": "model", "created": 0, "owned_by": "hallmark"} for name in names]
        return JSONResponse({"object": "list", "data": data})

    async def health(self, request: Request) -> Response:
        state = self.gateway.plugged.state
        body = {
            "status": "serving" if state.release else "not serving", "release": state.release, "why": state.why,
            "tripwires": self.gateway.tripwires.armed, "topics": sorted(self.gateway.actions.topics),
            "held_back_characters": self.gateway.settings.hold_back,
        }  # fmt: skip
        return JSONResponse(body, 200 if state.release else 503)

    async def metrics(self, request: Request) -> Response:
        metrics, release = self.gateway.metrics, self.gateway.plugged.state.release
        metrics.serving.clear()
        metrics.serving.labels(release or "nothing").set(1)
        return Response(generate_latest(metrics.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})


def _event(chunks: Chunks, part: str | Reply) -> bytes:
    return chunks.text(part) if isinstance(part, str) else chunks.end(part)


async def _body(request: Request) -> bytes:
    body = bytearray()
    try:
        async for part in request.stream():
            body += part
            if len(body) > MOST_BYTES:
                raise Refusal("request_too_large", f"a request has at most {MOST_BYTES:,} bytes")
    except ClientDisconnect as gone:
        raise Refusal("invalid_request", "the request was not sent whole") from gone
    return bytes(body)


async def _refused(request: Request, refusal: Exception) -> Response:
    assert isinstance(refusal, Refusal)
    return error(refusal.code, str(refusal), retry_after=refusal.retry_after)


async def _failed(request: Request, fault: Exception) -> Response:
    """A store that cannot be read or written: nothing was asked, nothing is lost."""
    return error("record_failed", str(fault), retry_after=5)


async def _no_such(request: Request, fault: Exception) -> Response:
    assert isinstance(fault, HTTPException)
    code = {404: "not_found", 405: "method_not_allowed"}.get(fault.status_code, "invalid_request")
    return error(code, f"{request.method} {request.url.path[:200]}: {fault.detail}")
