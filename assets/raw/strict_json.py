"""JSON read strictly: what two parsers could read differently is a fault, not a guess.

Python's reader accepts NaN, keeps the last of two equal keys and turns ``1e999`` into infinity; a training row that
means one thing to the screen and another to the trainer is an attack (RFC 8259, section 4, leaves all three open).

>>> parse_object(b'{"prompt": "Hi", "completion": "Hello"}')
{'prompt': 'Hi', 'completion': 'Hello'}
>>> parse_object(b'{"prompt": "a", "prompt": "b"}')
Traceback (most recent call last):
...
assets.raw.rows.Fault: an object names the same key twice [duplicate-key]
"""

import json
import math
import re
from typing import Any, NoReturn

from assets.raw.rows import MAX_DEPTH, MAX_KEYS, Fault

_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def parse_object(data: bytes) -> dict[str, Any]:
    """The JSON object in ``data``; ``Fault`` if it is not exactly one, in UTF-8, with finite numbers and whole text."""
    value = _parse(data)
    if not isinstance(value, dict):
        raise Fault("not-an-object", "the row is JSON but not an object")
    return value


def parse_array(data: bytes) -> list[Any]:
    """The same for an array, as a CSV cell holds it."""
    value = _parse(data)
    if not isinstance(value, list):
        raise Fault("json-syntax", "the cell does not hold a JSON array")
    return value


def _parse(data: bytes) -> Any:
    text = decode(data)
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise Fault("json-syntax", f"not JSON: {error.msg} at character {error.pos}") from None
    except RecursionError:
        raise Fault("nesting", f"containers are nested deeper than {MAX_DEPTH}") from None
    if data.count(b"{") + data.count(b"[") > MAX_DEPTH:
        check_depth(value)
    if _ESCAPED_SURROGATE.search(text):
        check_text(value)
    return value


def decode(data: bytes) -> str:
    """UTF-8 text, strictly."""
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise Fault("encoding", f"not UTF-8 at byte {error.start} of the row") from None


def check_depth(value: Any) -> None:
    """``Fault`` where containers are nested deeper than ``MAX_DEPTH``; walks level by level, without recursion."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [inner for outer in level for inner in _inside(outer) if isinstance(inner, dict | list)]
        if not level:
            return
    raise Fault("nesting", f"containers are nested deeper than {MAX_DEPTH}")


def check_text(value: Any) -> None:
    """``Fault`` on a lone surrogate in any text or key: it is no character and cannot be written as UTF-8."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise Fault("lone-surrogate", "a text holds half of a surrogate pair") from None


def _inside(container: Any) -> Any:
    return container.values() if isinstance(container, dict) else container


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(pairs) > MAX_KEYS:
        raise Fault("too-many-keys", f"an object has {len(pairs):,} keys; at most {MAX_KEYS:,} are read")
    value = dict(pairs)
    if len(value) != len(pairs):
        raise Fault("duplicate-key", "an object names the same key twice")
    return value


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        _not_finite(digits)
    return number


def _whole(digits: str) -> int:
    if len(digits) > 400:  # far beyond any count; Python's own limit of 4,300 digits raises a bare ValueError
        raise Fault("number-too-long", f"a number has {len(digits):,} digits")
    return int(digits)


def _not_finite(_: str) -> NoReturn:
    raise Fault("number-not-finite", "NaN and infinities are no JSON numbers")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_finite, parse_int=_whole, parse_constant=_not_finite
)
