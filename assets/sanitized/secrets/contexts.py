"""Secrets that their place proves: command lines, statements, calls, sentences, read from ``contexts.yaml``."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assets.sanitized.rule_file import read_rules
from assets.sanitized.secrets.values import is_example, is_password, is_random, is_reference, is_token
from resources.pii_engine import Span, contains


def _any(value: str) -> bool:
    return not (is_reference(value) or is_example(value))


def _token(value: str) -> bool:
    return is_token(value) or is_random(value, strict=True)


# How a value is judged: the type of what is found, and the test it must pass.
JUDGES: dict[str, tuple[str, Callable[[str], bool]]] = {
    "any": ("PASSWORD", _any),
    "password": ("PASSWORD", is_password),
    "token": ("SECRET", _token),
    "phrase": ("PASSWORD", _any),
    "mnemonic": ("PRIVATE_KEY", _any),
}


@dataclass(frozen=True, slots=True)
class Context:
    """A place: ``pattern`` has the group ``value``, and is tried where one of ``hints`` (lower case) occurs."""

    name: str
    hints: tuple[str, ...]
    pattern: re.Pattern[str]
    type: str
    judge: Callable[[str], bool]


def _context(rule: dict[str, Any]) -> Context:
    return Context(rule["name"], tuple(rule["hints"]), re.compile(rule["pattern"], re.I), *JUDGES[rule["value"]])


CONTEXTS = tuple(map(_context, read_rules(Path(__file__).parent / "contexts.yaml")))


def in_context(text: str, lowered: str) -> Iterator[Span]:
    """Spans of the values that a context proves."""
    for context in CONTEXTS:
        if contains(lowered, context.hints):
            for match in context.pattern.finditer(text):
                value = match["value"].rstrip(".!?)]}")
                if context.judge(value):
                    start = match.start("value")
                    yield Span(start, start + len(value), context.type, f"secret.{context.name}", 0.85)
