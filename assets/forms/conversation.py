"""The typed conversation: what every stage reads, whatever form a row came in.

A row keeps its own fields; a conversation is derived from them, and each text in it knows the field it stands in.

>>> call = ToolCall("send", {"to": "Ann"}, path="messages[1].tool_calls[0].function")
>>> Turn("assistant", (Text("messages[1].content", "On it."),), calls=(call,)).full_text
'On it.\\nsend({"to": "Ann"})'
"""

import json
from dataclasses import dataclass
from typing import Any, Literal

Role = Literal["system", "user", "assistant", "tool"]


class FormFault(Exception):
    """Why a row cannot be read: the stable name of the rule, and a sentence that quotes no content of the row."""

    def __init__(self, rule: str, reason: str) -> None:
        super().__init__(f"{reason} [{rule}]")
        self.rule, self.reason = rule, reason


@dataclass(frozen=True, slots=True)
class Text:
    """A text and the path of the field it stands in."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    """``arguments`` is the JSON value; the text itself where it is no JSON.

    ``inline``: the call is written in the turn's text, in tags of its own, and is learnt as that text.
    """

    name: str
    arguments: Any
    id: str = ""
    path: str = ""
    inline: bool = False

    @property
    def written(self) -> str:
        """The call as text, for whatever compares what is said."""
        body = self.arguments if isinstance(self.arguments, str) else json.dumps(self.arguments, ensure_ascii=False)
        return f"{self.name}({body})"


@dataclass(frozen=True, slots=True)
class Tool:
    """A declared tool. ``parameters`` is a JSON Schema, or None where the declaration has none."""

    name: str
    description: str = ""
    parameters: dict[str, Any] | None = None

    def declared(self) -> dict[str, Any]:
        """As chat templates take it: OpenAI's form."""
        body = {"name": self.name, "description": self.description}
        return {"type": "function", "function": body | {"parameters": self.parameters or {"type": "object"}}}


@dataclass(frozen=True, slots=True)
class Turn:
    """``answers``: the id of the call that a tool's result answers, ``name``: the function's name, where they are told.

    ``learnt``: an assistant's turn whose tokens count in the loss. ``glue`` stands between its parts.
    """

    role: Role
    parts: tuple[Text, ...] = ()
    reasoning: tuple[Text, ...] = ()
    calls: tuple[ToolCall, ...] = ()
    answers: str = ""
    name: str = ""
    learnt: bool = False
    glue: str = "\n"

    @property
    def text(self) -> str:
        return self.glue.join(part.text for part in self.parts)

    @property
    def thought(self) -> str:
        return "\n".join(part.text for part in self.reasoning)

    @property
    def full_text(self) -> str:
        """Everything in the turn as one text: reasoning, words, and calls with their arguments."""
        calls = (call.written for call in self.calls if not call.inline)
        return "\n".join(piece for piece in (self.thought, self.text, *calls) if piece)


@dataclass(frozen=True, slots=True)
class Conversation:
    """``plain``: a text with nobody speaking; the only turn is its whole, and all of it is learnt."""

    turns: tuple[Turn, ...]
    tools: tuple[Tool, ...] = ()
    plain: bool = False

    @property
    def calls(self) -> tuple[ToolCall, ...]:
        return tuple(call for turn in self.turns for call in turn.calls)
