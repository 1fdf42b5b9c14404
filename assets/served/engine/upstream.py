"""An OpenAI-compatible server behind the gateway: vLLM, or any other.

vLLM (started with ``--enable-lora`` and ``VLLM_ALLOW_RUNTIME_LORA_UPDATING=True``) is given the proven private copy by
``POST /v1/load_lora_adapter {"lora_name", "lora_path"}`` and told to forget it by ``/v1/unload_lora_adapter``
(https://docs.vllm.ai/en/latest/features/lora.html); the adapter's name is the release's. It must see the same files:
run it on this machine, or point ``TMPDIR`` at a shared volume. A server that has no such endpoint must list a model of
the release's name, which whoever runs it put there; else nothing is served.
"""

import json
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp

from assets.served.chat import EngineRequest, Piece, ToolCall
from resources.errors import InputError, ModelError

CONNECT, READ = 5.0, 300.0  # seconds
KEEP = 4.0  # seconds that an idle connection is used again; vLLM's server closes it after 5
LINE = 4 << 20  # bytes of one event of a stream
FAULTS = (aiohttp.ClientError, TimeoutError, ValueError, KeyError, TypeError, IndexError, AttributeError)
MOST = 8 << 20  # characters of one answer
NO_ENDPOINT = (404, 405, 501)
REFUSED = (400, 413, 422)


class Upstream:
    """``url`` is the server's root, with or without ``/v1``; ``base`` the name of the base model there."""

    def __init__(self, url: str, *, base: str = "", key: str = "") -> None:
        self._root, self._base = url.rstrip("/").removesuffix("/v1"), base
        self._headers = {"authorization": f"Bearer {key}"} if key else {}
        self._opened: aiohttp.ClientSession | None = None
        self._model = self._loaded = ""

    async def plug(self, release: str, adapter: Path | None) -> None:
        """Make the server ready to answer as ``release``; ``ModelError`` where it cannot."""
        await self.unplug()
        if adapter is None:
            self._model = self._base or await self._first_model()
            return
        body = {"lora_name": release, "lora_path": str(adapter)}
        status, said = await self._post("/v1/load_lora_adapter", body)
        if status in NO_ENDPOINT:
            if release not in await self._models():
                raise ModelError(f"{self._root} can load no adapter and serves no model named {release}")
        elif status >= 400 and release not in await self._models():
            raise ModelError(f"{self._root} does not load {release}: {status} {said[:200]}")
        else:
            self._loaded = release
        self._model = release

    async def unplug(self) -> None:
        """Forget the adapter; what cannot be reached now is not asked any more either."""
        loaded, self._loaded, self._model = self._loaded, "", ""
        if loaded:
            try:
                await self._post("/v1/unload_lora_adapter", {"lora_name": loaded})
            except ModelError:
                return

    async def answer(self, request: EngineRequest) -> AsyncGenerator[Piece, None]:
        """The pieces of an answer, each token as it comes where it is streamed. ``ModelError`` where there is none."""
        if not self._model:
            raise ModelError("no model is ready upstream")
        body = self._body(request)
        try:
            async with self._session.post(f"{self._root}/v1/chat/completions", json=body) as answer:
                if answer.status >= 400:
                    _check(answer.status, await answer.text(errors="replace"))
                if not request.stream:
                    yield _whole(json.loads(await answer.read()))
                    return
                async for piece in _pieces(answer.content):
                    yield piece
        except FAULTS as error:
            raise ModelError(f"upstream gave no answer ({type(error).__name__})") from error

    async def close(self) -> None:
        if self._opened is not None:
            await self._opened.close()

    @property
    def _session(self) -> aiohttp.ClientSession:
        """Opened in the loop that asks first."""
        if self._opened is None:
            self._opened = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT, sock_read=READ),
                headers=self._headers, read_bufsize=LINE,
            )  # fmt: skip
        return self._opened

    def _body(self, request: EngineRequest) -> dict[str, Any]:
        body: dict[str, Any] = {
            **request.more, "model": self._model, "messages": list(request.messages), "max_tokens": request.max_tokens,
            "temperature": request.temperature, "top_p": request.top_p, "stream": request.stream,
        }  # fmt: skip
        optional = {"tools": list(request.tools), "seed": request.seed, "stop": list(request.stop)}
        body |= {name: value for name, value in optional.items() if value not in (None, [])}
        if request.stream:
            body["stream_options"] = {"include_usage": True}
        return body

    async def _post(self, path: str, body: dict[str, Any]) -> tuple[int, str]:
        """The status and text of what it answers to a body."""
        try:
            async with self._session.post(f"{self._root}{path}", json=body) as answer:
                return answer.status, await answer.text(errors="replace")
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ModelError(f"{self._root} cannot be reached ({type(error).__name__})") from error

    async def _models(self) -> list[str]:
        try:
            async with self._session.get(f"{self._root}/v1/models", raise_for_status=True) as answer:
                return [str(item["id"]) for item in json.loads(await answer.read())["data"]]
        except FAULTS as error:
            raise ModelError(f"{self._root} lists no models ({type(error).__name__})") from error

    async def _first_model(self) -> str:
        found = await self._models()
        if not found:
            raise ModelError(f"{self._root} serves no model")
        return found[0]


def _check(status: int, text: str) -> None:
    if status in REFUSED:
        raise InputError(f"upstream refuses the request: {text[:200]}", object_key="request", rule="upstream-refuses")
    if status >= 400:
        raise ModelError(f"upstream answered {status}: {text[:200]}")


def _whole(body: dict[str, Any]) -> Piece:
    choice = body["choices"][0]
    message, usage = choice["message"], body.get("usage") or {}
    calls = tuple(
        ToolCall(str(call.get("id") or ""), str(call["function"]["name"]), str(call["function"]["arguments"] or ""))
        for call in message.get("tool_calls") or ()
    )
    return Piece(
        str(message.get("content") or ""), calls, str(choice.get("finish_reason") or "stop"),
        int(usage.get("prompt_tokens") or 0), int(usage.get("completion_tokens") or 0), choice.get("logprobs"),
    )  # fmt: skip


async def _pieces(lines: AsyncIterable[bytes]) -> AsyncIterator[Piece]:
    """Server-sent events read into pieces; the parts of a tool call are put together and come with the last."""
    calls: dict[int, list[str]] = {}
    finish, tokens, prompt_tokens, length = "", 0, 0, 0
    async for line in lines:
        if not line.startswith(b"data:") or (data := line[5:].strip()) == b"[DONE]":
            continue
        body = json.loads(data)
        if body.get("error"):
            raise ValueError("upstream broke off")
        usage = body.get("usage") or {}
        tokens = int(usage.get("completion_tokens") or tokens)
        prompt_tokens = int(usage.get("prompt_tokens") or prompt_tokens)
        for choice in body.get("choices") or ():
            delta = choice.get("delta") or {}
            for part in delta.get("tool_calls") or ():
                call = calls.setdefault(int(part["index"]), ["", "", ""])
                function = part.get("function") or {}
                call[0] = call[0] or str(part.get("id") or "")
                call[1] += str(function.get("name") or "")
                call[2] += str(function.get("arguments") or "")
            finish = choice.get("finish_reason") or finish
            text = str(delta.get("content") or "")
            length += len(text)
            if length > MOST:
                raise ValueError("upstream does not end")
            if text:
                tokens = tokens if usage else tokens + 1
                yield Piece(text, tokens=tokens, prompt_tokens=prompt_tokens, logprobs=choice.get("logprobs"))
    if not finish:
        raise ValueError("upstream ended without an end")
    made = tuple(ToolCall(*call) for _, call in sorted(calls.items()))
    yield Piece(calls=made, finish=finish, tokens=tokens, prompt_tokens=prompt_tokens)
