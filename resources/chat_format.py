"""A chat in the base's own template: as it is where the template takes it, else changed as little as that needs.

Templates differ in what they accept: some refuse a system turn, two turns of one side in a row, a chat that begins with
the assistant, or calls; worse, some leave out in silence what they do not know. So a chat is rendered and looked for in
what came out, and where something is refused or lost the next way is tried:

- reasoning is written before the answer, in ``<think>`` tags;
- tools, calls and results are written as text, in the tags of Hermes and Qwen (``<tools>``, ``<tool_call>``,
  ``<tool_response>``);
- a system turn goes before the user turn that follows it;
- turns of one side that follow each other become one;
- a chat that the assistant begins gets an empty user turn before it.
"""

import contextlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count, product
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Message = dict[str, Any]
BETWEEN = "\n\n"
MARK = "hallmark_"
TOOLS = (
    "These functions can be called:\n<tools>\n{tools}\n</tools>\n"
    'To call one, write a JSON object with its "name" and "arguments" between <tool_call> and </tool_call>.'
)


class TemplateRefusal(Exception):
    """No way was found to say a chat in the template without losing something; it says what stood against it."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A message as it is rendered, and the places of the given messages that are in it."""

    message: Message
    sources: tuple[int, ...]

    @property
    def role(self) -> str:
        return str(self.message["role"])


@dataclass(frozen=True, slots=True)
class FittedChat:
    """What the template is given. ``changes`` names what was done so that it takes the chat."""

    pieces: tuple[Piece, ...]
    tools: tuple[dict[str, Any], ...]
    changes: tuple[str, ...]

    @property
    def messages(self) -> list[Message]:
        return [piece.message for piece in self.pieces]


Step = Callable[[list[Piece]], list[Piece]]


@dataclass(slots=True)
class ChatFormat:
    """The template of one tokenizer. What helped with a chat is tried first with the next one of its shape."""

    tokenizer: "PreTrainedTokenizerBase"
    _known: dict[Any, tuple[str, ...]] = field(default_factory=dict)

    def fit(self, messages: Sequence[Message], tools: Sequence[dict[str, Any]] = ()) -> FittedChat:
        """The chat as the template takes it; ``TemplateRefusal`` where there is no way.

        Arguments of calls may be objects or JSON text: templates write objects, and text would be quoted once more. A
        tool is said in one way, whether it is described or not.
        """
        messages, tools = [_with_objects(message) for message in messages], [_declared(tool) for tool in tools]
        shape = _shape(messages, tools)
        tried: list[Any] = []
        against = ""
        for changes in dict.fromkeys([*([self._known[shape]] if shape in self._known else []), *_ways()]):
            fitted = _changed(messages, tools, changes)
            if (fitted.pieces, fitted.tools) in tried:
                continue
            tried.append((fitted.pieces, fitted.tools))
            problem = self._problem(fitted)
            if not problem:
                self._known[shape] = changes
                return fitted
            against = against or problem
        raise TemplateRefusal(against)

    def text(self, messages: Sequence[Message], tools: Sequence[dict[str, Any]], *, header: bool) -> str:
        rendered: Any = self.tokenizer.apply_chat_template(
            list(messages), tools=list(tools) or None, add_generation_prompt=header, tokenize=False
        )
        return str(rendered)

    def ids(self, messages: Sequence[Message], tools: Sequence[dict[str, Any]], *, header: bool) -> list[int]:
        """Token ids of a fitted chat, or of its beginning."""
        text = self.text(messages, tools, header=header)
        found: list[int] = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        return found

    def _problem(self, fitted: FittedChat) -> str:
        """Why the template does not say this chat; empty where it does."""
        from jinja2 import TemplateError

        try:
            rendered = self.text(fitted.messages, fitted.tools, header=False)
            called = _calls(fitted.messages)
            told = self.text(*_marked(fitted), header=False) if fitted.tools or called else rendered
            if any(f"{MARK}tool{place}" not in told for place in range(len(fitted.tools))):
                return "the template leaves out the declared tools"
            if any(f"{MARK}call{place}" not in told for place in range(called)):
                return "the template leaves out a tool call"
            for place, message in enumerate(fitted.messages):
                lost = next(_lost(message, rendered), "")
                if lost and message["role"] == "assistant":  # many templates show some of it in the last answer only
                    lost = next(_lost(message, self.text(fitted.messages[: place + 1], fitted.tools, header=False)), "")
                if lost:
                    return f"the template leaves out {lost}"
        except (TemplateError, TypeError, ValueError, KeyError, AttributeError) as error:
            return str(error) or type(error).__name__
        return ""


def _ways() -> Iterator[tuple[str, ...]]:
    """Changes to try, the fewest and least first."""
    orders = (
        (),
        ("merge",),
        ("open",),
        ("system",),
        ("merge", "open"),
        ("system", "merge"),
        ("system", "merge", "open"),
    )
    for write, think, order in product(((), ("write",)), ((), ("think",)), orders):
        yield (*think, *write, *order)


def _changed(messages: Sequence[Message], tools: Sequence[dict[str, Any]], changes: tuple[str, ...]) -> FittedChat:
    pieces = [Piece(dict(message), (place,)) for place, message in enumerate(messages)]
    if "think" in changes:
        pieces = _thinking(pieces)
    if "write" in changes:
        pieces, tools = _written(pieces, tools), ()
    steps: dict[str, Step] = {"system": _system_in_user, "merge": _merged, "open": _opened}
    for name, step in steps.items():
        if name in changes:
            pieces = step(pieces)
    return FittedChat(tuple(pieces), tuple(tools), changes)


def _thinking(pieces: list[Piece]) -> list[Piece]:
    made = []
    for piece in pieces:
        message = dict(piece.message)
        if thought := message.pop("reasoning_content", ""):
            message["content"] = f"<think>\n{thought}\n</think>\n\n{message['content']}"
        made.append(Piece(message, piece.sources))
    return made


def _written(pieces: list[Piece], tools: Sequence[dict[str, Any]]) -> list[Piece]:
    """Tools in the system turn, calls in the assistant's, results as what the user's side says."""
    made = []
    for piece in pieces:
        message = {
            key: value for key, value in piece.message.items() if key in ("role", "content", "reasoning_content")
        }
        calls = [call["function"] for call in piece.message.get("tool_calls", ())]
        texts = [message["content"]] if message["content"] else []
        texts += [f"<tool_call>\n{_json(call)}\n</tool_call>" for call in calls]
        message["content"] = "\n".join(texts)
        if piece.role == "tool":
            message |= {"role": "user", "content": f"<tool_response>\n{message['content']}\n</tool_response>"}
        made.append(Piece(message, piece.sources))
    if tools:
        told = TOOLS.format(tools="\n".join(_json(tool["function"]) for tool in tools))
        if made and made[0].role == "system":
            first = made[0].message
            made[0] = Piece(first | {"content": f"{first['content']}{BETWEEN}{told}"}, made[0].sources)
        else:
            made.insert(0, Piece({"role": "system", "content": told}, ()))
    return made


def _system_in_user(pieces: list[Piece]) -> list[Piece]:
    """System turns in front of the user turn that follows; one of its own where none does."""
    made: list[Piece] = []
    held: list[Piece] = []
    for piece in pieces:
        if piece.role == "system":
            held.append(piece)
        elif held:
            given = Piece({"role": "user", "content": ""}, ())
            joined = [*held, piece] if piece.role == "user" else held
            made.append(_joined(joined, given.message))
            if piece.role != "user":
                made.append(piece)
            held = []
        else:
            made.append(piece)
    return [*made, _joined(held, {"role": "user"})] if held else made


def _merged(pieces: list[Piece]) -> list[Piece]:
    """Turns of one side that follow each other as one; results stay apart, each answers a call of its own."""
    made: list[Piece] = []
    for piece in pieces:
        calls = bool(made) and (made[-1].message.get("tool_calls") or piece.message.get("tool_calls"))
        if made and piece.role == made[-1].role != "tool" and not calls:
            made[-1] = _joined([made[-1], piece], made[-1].message)
        else:
            made.append(piece)
    return made


def _opened(pieces: list[Piece]) -> list[Piece]:
    at = 1 if pieces and pieces[0].role == "system" else 0
    if at < len(pieces) and pieces[at].role == "assistant":
        return [*pieces[:at], Piece({"role": "user", "content": ""}, ()), *pieces[at:]]
    return pieces


def _joined(pieces: Sequence[Piece], like: Message) -> Piece:
    content = BETWEEN.join(piece.message["content"] for piece in pieces if piece.message["content"])
    thoughts = BETWEEN.join(filter(None, (piece.message.get("reasoning_content", "") for piece in pieces)))
    more = {"reasoning_content": thoughts} if thoughts else {}
    return Piece(like | {"content": content} | more, tuple(place for piece in pieces for place in piece.sources))


def _lost(message: Message, rendered: str) -> Iterator[str]:
    """What of a message is not in what came out."""
    said = message["content"].rpartition("</think>")[2].strip()
    if said not in rendered and _json(said)[1:-1] not in rendered:
        yield f"what a turn of role {message['role']} says"
    if message.get("reasoning_content", "").strip() not in rendered:
        yield "the reasoning"
    for call in message.get("tool_calls", ()):
        function = call["function"]
        if not all(any(form in rendered for form in _forms(word)) for word in _texts(function["arguments"])):
            yield "a tool call"


def _with_objects(message: Message) -> Message:
    """The message with the arguments of its calls as objects, where they are JSON text of one."""
    if not message.get("tool_calls"):
        return message
    calls = []
    for call in message["tool_calls"]:
        function = call["function"]
        if isinstance(function["arguments"], str):
            with contextlib.suppress(ValueError):
                function = {"name": function["name"], "arguments": json.loads(function["arguments"])}
        calls.append({**call, "function": function})
    return {**message, "tool_calls": calls}


def _declared(tool: dict[str, Any]) -> dict[str, Any]:
    function = tool.get("function", tool)
    usual = {"name": function["name"], "description": "", "parameters": {"type": "object"}}
    given = {key: value for key, value in function.items() if key != "type" and value is not None}
    return {"type": "function", "function": usual | given}


def _calls(messages: Sequence[Message]) -> int:
    return sum(len(message.get("tool_calls", ())) for message in messages)


def _marked(fitted: FittedChat) -> tuple[list[Message], list[dict[str, Any]]]:
    """The chat and its tools under names that nobody says: a template that leaves them out is not helped by people who
    speak of them."""
    numbers, messages = count(), []
    for message in fitted.messages:
        calls = [
            {**call, "function": {**call["function"], "name": f"{MARK}call{next(numbers)}"}}
            for call in message.get("tool_calls", ())
        ]
        messages.append({**message, "tool_calls": calls} if calls else message)
    tools = []
    for place, tool in enumerate(fitted.tools):
        tools.append({**tool, "function": {**tool["function"], "name": f"{MARK}tool{place}"}})
    return messages, tools


def _forms(text: str) -> tuple[str, ...]:
    return text, json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)
    elif isinstance(value, str):
        yield value


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _shape(messages: Sequence[Message], tools: Sequence[dict[str, Any]]) -> Any:
    roles = tuple(
        (message["role"], "tool_calls" in message, "reasoning_content" in message) for message in messages[:12]
    )
    return roles, len(messages) > 12, bool(tools)
