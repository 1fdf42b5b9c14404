"""What goes back over the wire: OpenAI's bodies, and what Hallmark adds under ``hallmark``."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.responses import JSONResponse

from assets.served.approval.held import Held
from assets.served.chat import ToolCall

# The status and OpenAI's type of each error code; the ordinary client makes its own exceptions of them.
ERRORS = {
    "invalid_request": (400, "invalid_request_error"),
    "invalid_api_key": (401, "invalid_request_error"),
    "not_found": (404, "invalid_request_error"),
    "method_not_allowed": (405, "invalid_request_error"),
    "request_too_large": (413, "invalid_request_error"),
    "budget_exceeded": (429, "insufficient_quota"),
    "sweep": (429, "rate_limit_error"),
    "internal": (500, "api_error"),
    "engine_failed": (502, "api_error"),
    "not_serving": (503, "api_error"),
    "release_changed": (503, "api_error"),
    "record_failed": (503, "api_error"),
}


@dataclass(frozen=True, slots=True)
class Reply:
    """The end of an answer: what is told beside the text that went out."""

    finish: str
    calls: tuple[ToolCall, ...] = ()
    text: str = ""
    hallmark: dict[str, Any] | None = None
    prompt_tokens: int = 0
    tokens: int = 0
    logprobs: Any = None


def error_body(code: str, message: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": ERRORS[code][1], "param": None, "code": code}}


def error(code: str, message: str, *, retry_after: int | None = None) -> JSONResponse:
    headers = {"Retry-After": str(retry_after)} if retry_after is not None else {}
    if code == "invalid_api_key":
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(error_body(code, message), ERRORS[code][0], headers=headers)


def completion(request: str, model: str, reply: Reply) -> dict[str, Any]:
    """A whole ``chat.completion``."""
    message: dict[str, Any] = {"role": "assistant", "content": reply.text or (None if reply.calls else "")}
    if reply.calls:
        message["tool_calls"] = [call.to_json() for call in reply.calls]
    return {
        "id": request, "object": "chat.completion", "created": int(time.time()), "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": reply.finish, "logprobs": reply.logprobs}],
        "usage": _usage(reply), **({"hallmark": reply.hallmark} if reply.hallmark else {}),
    }  # fmt: skip


class Chunks:
    """The server-sent events of one streamed answer."""

    def __init__(self, request: str, model: str, *, usage: bool) -> None:
        self._head = {"id": request, "object": "chat.completion.chunk", "created": int(time.time()), "model": model}
        self._usage, self._begun = usage, False

    def text(self, text: str) -> bytes:
        return self._event([self._choice({"content": text})])

    def end(self, reply: Reply) -> bytes:
        """What is left: text, calls, the reason it ended, the usage if that was asked for."""
        parts = [self.text(reply.text)] if reply.text else []
        if reply.calls:
            calls = [{"index": index, **call.to_json()} for index, call in enumerate(reply.calls)]
            parts.append(self._event([self._choice({"tool_calls": calls})]))
        more = {"hallmark": reply.hallmark} if reply.hallmark else {}
        parts.append(self._event([{**self._choice({}), "finish_reason": reply.finish}], **more))
        if self._usage:
            parts.append(self._event([], usage=_usage(reply)))
        return b"".join([*parts, b"data: [DONE]\n\n"])

    def error(self, code: str, message: str) -> bytes:
        """A stream that has begun can only be broken off: the ordinary client raises ``APIError`` here."""
        return _sse(error_body(code, message))

    def _choice(self, delta: dict[str, Any]) -> dict[str, Any]:
        if not self._begun:
            self._begun, delta = True, {"role": "assistant", "content": "", **delta}
        return {"index": 0, "delta": delta, "finish_reason": None, "logprobs": None}

    def _event(self, choices: list[dict[str, Any]], **more: Any) -> bytes:
        return _sse({**self._head, "choices": choices, **more})


def held_note(held: Held) -> dict[str, Any]:
    """What a client is told of a held call. The grant is there once it is approved."""
    note = {
        "id": held.held, "tool": held.tool or None, "status": held.status, "why": held.why,
        "expires_at": held.expires_at, "edited": held.edited,
    }  # fmt: skip
    return note | ({"grant": held.token} if held.token else {})


def held_reply(calls: Sequence[Held]) -> Reply:
    """The defined answer that stands in place of held calls or of a held text, by how far they are."""
    approved = [held for held in calls if held.status == "approved"]
    made = tuple(
        ToolCall(held.held, held.tool, json.dumps(held.final, ensure_ascii=False)) for held in approved if held.tool
    )
    texts = [str(held.final) for held in approved if not held.tool]
    texts += [_sentence(held) for held in calls if held.status != "approved"]
    return Reply(
        "tool_calls" if made else "stop", made, "\n".join(texts), {"held": [held_note(held) for held in calls]}
    )


def _sentence(held: Held) -> str:
    what = f"The action {held.tool}" if held.tool else "This answer"
    if held.status == "waiting":
        return f"{what} waits for a person to decide ({held.held}, until {held.expires_at}). Nothing was done."
    why = "nobody decided in time" if held.status == "expired" else "a person said no"
    return f"{what} was not approved: {why} ({held.held}). Nothing was done."


def _usage(reply: Reply) -> dict[str, int]:
    return {
        "prompt_tokens": reply.prompt_tokens,
        "completion_tokens": reply.tokens,
        "total_tokens": reply.prompt_tokens + reply.tokens,
    }


def _sse(body: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"
