"""Reading a chat request: strictly, and refusing what would silently be ignored."""

import json
import math
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from assets.raw.rows import Fault
from assets.raw.strict_json import parse_object
from assets.served.chat import EngineRequest
from resources.errors import InputError

MOST_BYTES = 4 << 20
MOST_MESSAGES = 1000


class _Wire(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)


class _Part(_Wire):
    type: Literal["text"]
    text: str


class _Function(_Wire):
    name: str = Field(min_length=1, max_length=256)
    arguments: str = ""


class _Call(_Wire):
    id: str = ""
    type: Literal["function"] = "function"
    function: _Function


class Message(_Wire):
    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[_Part] | None = None
    name: str | None = None
    tool_call_id: str | None = None
    tool_calls: list[_Call] | None = None


class _Described(_Wire):
    model_config = ConfigDict(extra="allow", frozen=True)
    name: str = Field(min_length=1, max_length=256)


class _Tool(_Wire):
    type: Literal["function"]
    function: _Described


class _StreamOptions(_Wire):
    include_usage: bool = False


class ChatRequest(BaseModel):
    """The parameters of ``/v1/chat/completions`` that are understood; any other is refused by name."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    model: str = ""
    messages: list[Message] = Field(max_length=MOST_MESSAGES)
    tools: list[_Tool] = Field(default_factory=list, max_length=256)
    tool_choice: str | dict[str, Any] | None = None
    parallel_tool_calls: bool | None = None
    max_tokens: int | None = Field(None, ge=1)
    max_completion_tokens: int | None = Field(None, ge=1)
    temperature: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, gt=0, le=1)
    seed: int | None = Field(None, ge=0, lt=1 << 63)
    stop: str | list[str] | None = None
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    response_format: dict[str, Any] | None = None
    n: Literal[1] | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = Field(None, ge=0, le=20)
    user: str | None = None
    metadata: dict[str, Any] | None = None
    store: Literal[False] | None = None
    held: str | None = None
    """Hallmark's own: asks what became of a held call instead of asking the model."""

    def for_engine(self, most_tokens: int) -> EngineRequest:
        """The request as engines take it."""
        wanted = self.max_completion_tokens or self.max_tokens or min(256, most_tokens)
        stop = (self.stop,) if isinstance(self.stop, str) else tuple(self.stop or ())
        more: dict[str, Any] = {}
        if self.tools and self.tool_choice is not None:
            more["tool_choice"] = self.tool_choice
        if self.response_format is not None:
            more["response_format"] = self.response_format
        if self.logprobs:
            more |= {"logprobs": True, "top_logprobs": self.top_logprobs or 0}
        return EngineRequest(
            messages=[message.model_dump(exclude_none=True) for message in self.messages],
            tools=[tool.model_dump() for tool in self.tools],
            max_tokens=min(wanted, most_tokens),
            temperature=1.0 if self.temperature is None else self.temperature,
            top_p=1.0 if self.top_p is None else self.top_p,
            seed=self.seed,
            stop=tuple(text for text in stop[:8] if text),
            stream=bool(self.stream),
            more=more,
        )


def read(body: bytes) -> ChatRequest:
    """A request from its bytes; ``InputError`` names what is wrong with it."""
    try:
        json.loads(body, parse_constant=_finite, parse_float=_finite)  # a row may have a NaN, a request may not
        request = ChatRequest.model_validate(parse_object(body))
    except Fault as fault:
        raise InputError(str(fault), object_key="request", rule="request-json") from fault
    except ValidationError as error:  # a ValueError, too
        wrong = [f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()[:5]]
        raise InputError("; ".join(wrong), object_key="request", rule="request-valid") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"not JSON: {error}", object_key="request", rule="request-json") from error
    if not request.messages and not request.held:
        raise InputError("messages: there is none", object_key="request", rule="request-valid")
    return request


def _finite(text: str) -> float:
    if not math.isfinite(number := float(text)):
        raise ValueError(f"{text[:20]} is no finite number")
    return number
