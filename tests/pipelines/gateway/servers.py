"""Real servers on this machine for the tests of the gateway: a stand-in for vLLM's documented endpoints, and uvicorn
in a thread."""

import asyncio
import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

Reply = dict[str, Any]


def say(text: str) -> Reply:
    return {"content": text}


def call(*calls: tuple[str, Any]) -> Reply:
    """A message that proposes calls ``(tool, arguments)``."""
    made = [
        {"id": f"call_{n}", "type": "function", "function": {"name": tool, "arguments": json.dumps(arguments)}}
        for n, (tool, arguments) in enumerate(calls)
    ]
    return {"content": None, "tool_calls": made}


@dataclass
class VllmLike:
    """``reply`` makes the message of a request's body; ``pause`` is slept before each streamed word."""

    reply: Callable[[Reply], Reply] = lambda body: say(f"{body['model']} heard {body['messages'][-1]['content']}")
    base: str = "base-model"
    pause: float = 0.0
    delay: float = 0.0
    lora: bool = True
    loaded: dict[str, str] = field(default_factory=dict)
    seen: list[Reply] = field(default_factory=list)

    def app(self) -> Starlette:
        routes = [Route("/v1/chat/completions", self._chat, methods=["POST"]), Route("/v1/models", self._models)]
        if self.lora:
            routes += [
                Route("/v1/load_lora_adapter", self._load, methods=["POST"]),
                Route("/v1/unload_lora_adapter", self._unload, methods=["POST"]),
            ]
        return Starlette(routes=routes)

    async def _models(self, request: Request) -> Response:
        return JSONResponse({"object": "list", "data": [{"id": name} for name in (self.base, *self.loaded)]})

    async def _load(self, request: Request) -> Response:
        body = await request.json()
        if body["lora_name"] in self.loaded or not (Path(body["lora_path"]) / "adapter_config.json").is_file():
            return JSONResponse({"error": "already loaded, or no adapter"}, 400)
        self.loaded[body["lora_name"]] = body["lora_path"]
        return PlainTextResponse(f"Success: LoRA adapter '{body['lora_name']}' added successfully.")

    async def _unload(self, request: Request) -> Response:
        body = await request.json()
        if self.loaded.pop(body["lora_name"], None) is None:
            return JSONResponse({"error": "not loaded"}, 404)
        return PlainTextResponse("Success")

    async def _chat(self, request: Request) -> Response:
        body = await request.json()
        self.seen.append(body)
        if body["model"] not in (self.base, *self.loaded):
            return JSONResponse({"error": {"message": "no such model"}}, 404)
        message = {"role": "assistant", **self.reply(body)}
        await asyncio.sleep(self.delay)
        finish = "tool_calls" if message.get("tool_calls") else "stop"
        usage = {"prompt_tokens": 5, "completion_tokens": len(str(message["content"]).split()), "total_tokens": 9}
        if not body.get("stream"):
            choice = {"index": 0, "message": message, "finish_reason": finish}
            return JSONResponse({"id": "up", "object": "chat.completion", "choices": [choice], "usage": usage})
        return StreamingResponse(self._events(message, finish, usage), media_type="text/event-stream")

    async def _events(self, message: Reply, finish: str, usage: Reply) -> Any:
        def event(delta: Reply, finish: str | None = None) -> str:
            choice = {"index": 0, "delta": delta, "finish_reason": finish}
            return f"data: {json.dumps({'id': 'up', 'object': 'chat.completion.chunk', 'choices': [choice]})}\n\n"

        yield event({"role": "assistant", "content": ""})
        for word in (message["content"] or "").split(" "):
            await asyncio.sleep(self.pause)
            yield event({"content": f"{word} "})
        for index, made in enumerate(message.get("tool_calls") or ()):
            function = made["function"]
            half = len(function["arguments"]) // 2
            yield event(
                {
                    "tool_calls": [
                        {
                            "index": index,
                            "id": made["id"],
                            "type": "function",
                            "function": {"name": function["name"], "arguments": ""},
                        }
                    ]
                }
            )
            for part in (function["arguments"][:half], function["arguments"][half:]):
                yield event({"tool_calls": [{"index": index, "function": {"arguments": part}}]})
        yield event({}, finish)
        yield f"data: {json.dumps({'id': 'up', 'choices': [], 'usage': usage})}\n\ndata: [DONE]\n\n"


@contextlib.contextmanager
def serving(app: Any, port: int = 0) -> Iterator[str]:
    """Serve an ASGI app on a port of this machine (0: a free one) while the block runs; its address."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    config = uvicorn.Config(app, log_level="error", access_log=False, lifespan="on", timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])), daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started and thread.is_alive() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert server.started, "the server did not start"
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(15)
        listener.close()
