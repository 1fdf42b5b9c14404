"""What a row carries beside its texts: numbers, and the names of its fields.

A telephone number may be a JSON number, and a person a key: ``{"callers": {"ann@corp.example": 2125550143}}``. Numbers
that could be someone's are read as texts under the words of their key and put back as they were unless something was
found in them; a key that holds a value is renamed, and the row keeps its shape.

>>> opened = open_numbers({"contact": {"phone": 2125550143, "visits": 3}})
>>> opened.fields["contact"], opened.numbers
({'phone': '2125550143', 'visits': 3}, {'contact.phone': 2125550143})
"""

import copy
import functools
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from assets.forms.chats import CALL_ROLES
from assets.forms.chats import ROLES as CHAT_ROLES
from assets.sanitized.answers import asked
from assets.sanitized.json_text import JsonText, leaf_paths, open_json
from assets.sanitized.numbers.labelled import LABEL

JSON_KEYS = frozenset("arguments tool_calls function_call tools functions answers parameters".split())
LONG = 7  # digits from which a number counts whatever its key says
SEPARATORS = re.compile(r"[\W_]+")
CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Opened:
    """``fields`` with those ``numbers`` (by field path) written as texts."""

    fields: dict[str, Any]
    numbers: Mapping[str, int | float]


def open_numbers(fields: dict[str, Any]) -> Opened:
    """The fields themselves if they hold no such number, else a copy."""
    if all(type(value) is str for value in fields.values()):  # the usual row, told in one look
        return Opened(fields, {})
    if not any(_personal(container, key, number) for _, container, key, number in _numbers("", fields)):
        return Opened(fields, {})
    fields = copy.deepcopy(fields)
    numbers: dict[str, int | float] = {}
    for path, container, key, number in list(_numbers("", fields)):
        if _personal(container, key, number):
            numbers[path] = number
            container[key] = str(int(number))
    return Opened(fields, numbers)


def close_numbers(fields: dict[str, Any], opened: Opened) -> dict[str, Any]:
    """``fields`` with every opened number whose text nothing was found in put back; changes ``fields``."""
    for path, container, key, text in list(_leaves("", fields, str)):
        if path in opened.numbers and text == str(int(opened.numbers[path])):
            container[key] = opened.numbers[path]
    return fields


@dataclass(frozen=True, slots=True)
class OpenedTexts:
    """``fields`` with JSON texts as what they say; ``texts`` are those, by where they stand (keys and places)."""

    fields: dict[str, Any]
    texts: Mapping[tuple[str | int, ...], JsonText]

    def renamed(self, rename: Callable[[str], str]) -> "OpenedTexts":
        """The same with the keys renamed."""
        moved = {
            tuple(rename(key) if isinstance(key, str) else key for key in at): text for at, text in self.texts.items()
        }
        return OpenedTexts(with_keys(self.fields, rename), moved)

    def places(self) -> dict[str, tuple[str, JsonText, int]]:
        """Of each leaf within a JSON text its own path, to the path of the text and the leaf's number in it."""
        found = {}
        for at, text in self.texts.items():
            path = path_of(at)
            for number, leaf in enumerate(leaf_paths(_at(self.fields, at), path)):
                if leaf is not None:
                    found[leaf] = (path, text, number)
        return found

    def closed(self, fields: dict[str, Any]) -> dict[str, Any]:
        """``fields`` with what the JSON texts now say written back into them; changes ``fields``."""
        for at, text in self.texts.items():
            outer = _at(fields, at[:-1])
            outer[at[-1]] = text.closed(outer[at[-1]])
        return fields


def open_texts(fields: dict[str, Any]) -> OpenedTexts:
    """The fields themselves where no text is a JSON container, else a copy with those opened."""
    texts = {at: opened for at, text in _strings((), fields) if (opened := open_json(text))}
    if not texts:
        return OpenedTexts(fields, {})
    fields = copy.deepcopy(fields)
    for at, text in texts.items():
        _at(fields, at[:-1])[at[-1]] = copy.deepcopy(text.value)
    return OpenedTexts(fields, texts)


def path_of(at: tuple[str | int, ...]) -> str:
    """A field path as records write it."""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in at).removeprefix(".")


def _strings(at: tuple[str | int, ...], value: Any) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Texts that may be JSON containers and stand where calls, results and tools are written."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        if isinstance(inner, str):
            if inner[:1] in "{[ \n" and inner and (key in JSON_KEYS or _acts(value)):
                yield (*at, key), inner
        else:
            yield from _strings((*at, key), inner)


def _acts(message: Any) -> bool:
    """Whether a container is a message in which a tool is called or answers."""
    role = message.get("role", message.get("from")) if isinstance(message, dict) else None
    return isinstance(role, str) and (
        role.strip().lower() in CALL_ROLES or CHAT_ROLES.get(role.strip().lower()) == "tool"
    )


def _at(fields: Any, at: tuple[str | int, ...]) -> Any:
    for key in at:
        fields = fields[key]
    return fields


def keys(value: Any) -> Iterator[str]:
    """Every key at any depth, a container's before those below it."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield str(key)
            if not isinstance(inner, str):
                yield from keys(inner)
    elif isinstance(value, list):
        for inner in value:
            if not isinstance(inner, str):
                yield from keys(inner)


def with_keys(value: Any, rename: Callable[[str], str]) -> Any:
    """A copy in which each key is renamed. Where two keys meet, the later one is counted up: nothing is lost."""
    if isinstance(value, list):
        return [with_keys(inner, rename) for inner in value]
    if not isinstance(value, dict):
        return value
    renamed: dict[str, Any] = {}
    for key, inner in value.items():
        name = base = rename(str(key))
        count = 1
        while name in renamed:
            count += 1
            name = f"{base} ({count})"
        renamed[name] = with_keys(inner, rename)
    return renamed


def words(key: str) -> str:
    """A key as words: "phoneNumber" and "phone_number" are "phone number"."""
    return SEPARATORS.sub(" ", CAMEL.sub(" ", key)).strip().lower()


def key_of(path: str) -> str:
    """The nearest key in a field path: "phones" of "contact.phones[2]"."""
    return path.rpartition(".")[2].partition("[")[0]


def _numbers(path: str, value: Any) -> Iterator[tuple[str, Any, Any, int | float]]:
    for leaf in _leaves(path, value, (int, float)):
        if not isinstance(leaf[3], bool):
            yield leaf


def _leaves(path: str, value: Any, kind: type | tuple[type, ...]) -> Iterator[tuple[str, Any, Any, Any]]:
    """``(path, container, key, leaf)`` of every leaf of ``kind``; paths as in ``Record.texts``."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        name = _below(path, value, key)
        if isinstance(inner, kind):
            yield name, value, key, inner
        else:
            yield from _leaves(name, inner, kind)


def _below(path: str, container: Any, key: Any) -> str:
    return f"{path}[{key}]" if isinstance(container, list) else f"{path}.{key}" if path else str(key)


def _personal(container: Any, key: Any, number: int | float) -> bool:
    """Whether a number is whole and long enough, or its key announces a personal one."""
    if isinstance(number, float) and not number.is_integer():
        return False
    digits = len(str(abs(int(number))))
    return digits >= LONG or (digits > 1 and isinstance(container, dict) and announces(str(key)))


@functools.lru_cache(maxsize=10_000)
def announces(key: str) -> bool:
    """Whether a key says that its value is personal: "ssn", "zip_code", "age"."""
    said = words(key)
    return bool(asked(said)) or "age" in said.split() or LABEL.search(said) is not None
