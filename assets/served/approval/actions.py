"""The actions a model may propose, and what they risk: ``actions.yaml``, read and validated.

::

    tools:
      get_order: {risk: free}
      refund:
        risk: hold
        by: [ada, payments]           # reviewers by name or by role; empty: anyone with a reviewer's key
        quorum: 1                     # how many different ones
        minutes: 60                   # how long it waits; silence is no
        free_within: {order: {any: true}, amount: {min: 0, max: 50}}
      delete_account: {risk: forbid}
    topics:
      medical: {by: [nurse], minutes: 30}

A tool that is not listed is held. ``free_within`` lets a call go without a person if every argument is named there and
inside its limit: an argument that nobody thought of is held, too.

>>> actions = Actions.model_validate({"tools": {"refund": {"risk": "hold", "free_within": {"amount": {"max": 50}}}}})
>>> [actions.rule("refund", {"amount": amount}).risk for amount in (20, 80, "20")]
['free', 'hold', 'hold']
>>> actions.rule("refund", {"amount": 20, "to": "me"}).why, actions.rule("transfer", {}).risk
('refund is free only within limits: to is not named in them', 'hold')
"""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from resources.digests import digest_json
from resources.errors import InputError

Risk = Literal["free", "hold", "forbid"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Limit(_Strict):
    """What one argument may be. Numbers and text are told apart: ``"20"`` is not inside ``max: 50``."""

    any: bool = False
    min: float | None = None
    max: float | None = None
    one_of: tuple[str | int | float | bool, ...] = ()
    pattern: str | None = None
    """A regular expression that the whole text must match."""

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, value: str | None) -> str | None:
        try:
            re.compile(value or "")
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from error
        return value

    @model_validator(mode="after")
    def _limits(self) -> Self:
        given = [self.any, self.min is not None or self.max is not None, bool(self.one_of), self.pattern is not None]
        if sum(given) != 1:
            raise ValueError("a limit is one of: any, min and max, one_of, pattern")
        return self

    def admits(self, value: Any) -> bool:
        if self.any:
            return True
        if self.one_of:
            return any(type(value) is type(item) and value == item for item in self.one_of)
        if self.pattern is not None:
            return isinstance(value, str) and re.fullmatch(self.pattern, value) is not None
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return (self.min is None or value >= self.min) and (self.max is None or value <= self.max)


class Hold(_Strict):
    """Who decides on what is held, how many of them, and how long it waits."""

    by: tuple[str, ...] = ()
    quorum: int = Field(1, ge=1, le=20)
    minutes: float = Field(60.0, gt=0, le=30 * 24 * 60)
    grant_minutes: float = Field(15.0, gt=0, le=24 * 60)
    """How long the grant of an approved call can be used."""


class Tool(Hold):
    risk: Risk = "hold"
    free_within: dict[str, Limit] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.free_within and self.risk != "hold":
            raise ValueError(f"free_within belongs to a tool that is held, not to one that is {self.risk}")
        return self


class Topic(Hold):
    """A topic on which text is held. ``examples`` are sentences of it; a built-in topic needs none."""

    examples: tuple[str, ...] = ()
    threshold: float | None = Field(None, gt=0, lt=1)


@dataclass(frozen=True, slots=True)
class Ruling:
    """What happens to a call, in words too. ``hold`` says who decides, where a person must."""

    risk: Risk
    why: str
    hold: Hold


class Actions(_Strict):
    """The rules of one gateway. ``unlisted`` says who decides on tools that nobody listed."""

    tools: dict[str, Tool] = Field(default_factory=dict)
    topics: dict[str, Topic] = Field(default_factory=dict)
    unlisted: Hold = Field(default_factory=Hold)

    @field_validator("tools", mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        """``get_order: free`` is short for ``get_order: {risk: free}``."""
        if not isinstance(value, dict):
            return value
        return {name: {"risk": rule} if isinstance(rule, str) else rule for name, rule in value.items()}

    @classmethod
    def load(cls, path: Path | None) -> "Actions":
        """Read a file; without one every tool is held. ``InputError`` names the place of every mistake."""
        if path is None:
            return cls()
        try:
            body = yaml.safe_load(path.read_text(encoding="utf-8"))
            return cls.model_validate({} if body is None else body)
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise InputError(str(error), object_key=str(path), rule="actions-readable") from error
        except ValidationError as error:
            wrong = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
            raise InputError(wrong, object_key=str(path), rule="actions-valid") from error

    @cached_property
    def digest(self) -> str:
        return digest_json(self.model_dump(mode="json"))

    def rule(self, tool: str, arguments: Any) -> Ruling:
        """What happens to a call. ``arguments`` that are no JSON object cannot be inside a limit."""
        found = self.tools.get(tool)
        if found is None:
            return Ruling("hold", f"{tool or 'a tool without a name'} is not listed in the actions", self.unlisted)
        if found.risk != "hold" or not found.free_within:
            return Ruling(found.risk, f"{tool} is {_SAID[found.risk]}", found)
        outside = _outside(found.free_within, arguments)
        return Ruling("hold" if outside else "free", f"{tool} is free only within limits{outside}", found)


_SAID = {"free": "free", "hold": "held for a person", "forbid": "forbidden"}


def _outside(limits: dict[str, Limit], arguments: Any) -> str:
    if not isinstance(arguments, dict):
        return ": its arguments are not a JSON object"
    if unnamed := sorted(set(arguments) - set(limits)):
        return f": {', '.join(unnamed)} is not named in them"
    if absent := sorted(set(limits) - set(arguments)):
        return f": {', '.join(absent)} is absent"
    beyond = sorted(name for name, limit in limits.items() if not limit.admits(arguments[name]))
    return f": {', '.join(beyond)} is outside" if beyond else ""
