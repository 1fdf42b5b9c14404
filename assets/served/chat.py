"""A chat request and what comes back of it, apart from any wire format: what engines and the gateway speak."""

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class EngineRequest:
    """A request to a model. ``messages`` and ``tools`` are in OpenAI's form; ``more`` are parameters passed on."""

    messages: Sequence[Mapping[str, Any]]
    tools: Sequence[Mapping[str, Any]] = ()
    max_tokens: int = 256
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int | None = None
    stop: tuple[str, ...] = ()
    stream: bool = False
    more: Mapping[str, Any] = field(default_factory=dict)

    def full_text(self) -> str:
        """Everything the requester's side brought along, as one text."""
        return "\n".join(text for message in self.messages for text in _texts(message))

    def prompt(self) -> str:
        """The last turn of the user."""
        turns = [message for message in self.messages if message.get("role") == "user"]
        return "\n".join(_texts(turns[-1])) if turns else ""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call that a model proposes. ``arguments`` is JSON text, as the model wrote it."""

    id: str
    tool: str
    arguments: str

    def parsed(self) -> Any:
        """The arguments as JSON; the text itself where they are none, which no limit admits."""
        try:
            return json.loads(self.arguments, parse_constant=_no_number, object_pairs_hook=_no_twins)
        except (ValueError, RecursionError):
            return self.arguments

    def to_json(self) -> dict[str, Any]:
        return {"id": self.id, "type": "function", "function": {"name": self.tool, "arguments": self.arguments}}


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of an answer. ``finish`` is set on the last; ``tokens`` and ``prompt_tokens`` are totals so far."""

    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    finish: str = ""
    prompt_tokens: int = 0
    tokens: int = 0
    logprobs: Any = None


class Engine(Protocol):
    """What answers. ``plug`` makes it serve a proven adapter under a name (None: the base alone)."""

    async def plug(self, release: str, adapter: Path | None) -> None: ...

    async def unplug(self) -> None: ...

    def answer(self, request: EngineRequest) -> AsyncGenerator[Piece, None]: ...

    async def close(self) -> None: ...


def _texts(message: Mapping[str, Any]) -> list[str]:
    content = message.get("content")
    parts = content if isinstance(content, list) else [content]
    texts = [part.get("text") if isinstance(part, Mapping) else part for part in parts]
    calls = message.get("tool_calls")
    called = [
        call["function"].get("arguments")
        for call in (calls if isinstance(calls, list) else [])
        if isinstance(call, Mapping) and isinstance(call.get("function"), Mapping)
    ]
    return [text for text in (*texts, *called) if isinstance(text, str)]


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    body = dict(pairs)
    if len(body) != len(pairs):
        raise ValueError("a key is there twice")
    return body
