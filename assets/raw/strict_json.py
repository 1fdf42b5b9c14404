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

from assets.forms.columns import READ
from assets.raw.reading import looks_like
from assets.raw.rows import MAX_DEPTH, MAX_KEYS, Fault

# Columns in which a NaN that stands alone says, as pandas does, that there is nothing.
OPTIONAL = frozenset("input context system system_prompt history tools functions reasoning thinking".split())
_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def parse_object(data: bytes) -> dict[str, Any]:
    """The JSON object in ``data``; ``Fault`` if it is not exactly one, in UTF-8, with finite numbers and whole text."""
    try:
        value = _parse(data)
    except Fault as fault:
        if fault.rule != "number-not-finite":
            raise
        value = _without_missing(_parse(data, _LENIENT))
    if not isinstance(value, dict):
        messages = isinstance(value, list) and value and all(isinstance(each, dict) for each in value)
        how = (
            'a list of messages is written {"messages": [...]}' if messages else 'a plain text is written {"text": ...}'
        )
        raise Fault("not-an-object", f"the row is JSON but not an object; {how}")
    return value


def parse_table(data: bytes) -> dict[str, Any]:
    """As ``parse_object``, for one object that is a whole table: it may have a key a row."""
    value = _parse(data, _TABLE)
    if not isinstance(value, dict):
        raise Fault("not-an-object", "the file is JSON but not an object")
    return value


def parse_array(data: bytes) -> list[Any]:
    """The same for an array, as a CSV cell holds it."""
    value = _parse(data)
    if not isinstance(value, list):
        raise Fault("json-syntax", "the cell does not hold a JSON array")
    return value


def missing(column: str, *, alone: bool) -> bool:
    """Whether a number that is none may be left out: nobody reads the column, or it may be empty and holds no more."""
    name = column.strip().lower()
    return name not in READ or (alone and name in OPTIONAL)


def _without_missing(fields: Any) -> Any:
    """The row with nulls for the NaNs that are nobody's loss; ``Fault`` for any other."""
    if not isinstance(fields, dict):
        _not_finite("")
    return {name: _cleared(name, value) for name, value in fields.items()}


def _cleared(name: str, value: Any) -> Any:
    if value is _MISSING and missing(name, alone=True):
        return None
    if _holds_missing(value):
        if not missing(name, alone=False):
            _not_finite("")
        return _nulled(value)
    return value


def _holds_missing(value: Any) -> bool:
    return value is _MISSING or (isinstance(value, dict | list) and any(map(_holds_missing, _inside(value))))


def _nulled(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _nulled(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_nulled(inner) for inner in value]
    return None if value is _MISSING else value


def _parse(data: bytes, decoder: json.JSONDecoder | None = None) -> Any:
    text = decode(data)
    try:
        value = (decoder or _DECODER).decode(text)
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
        raise Fault("encoding", f"not UTF-8 at byte {error.start} of the row{encoding_advice(data)}") from None


def encoding_advice(data: bytes) -> str:
    """What text that is no UTF-8 looks like, and where to say so."""
    if not (likely := looks_like(data)):
        return ""
    return (
        f'; it looks like {likely}: say so in the drop\'s manifest, "encoding": "{likely}", or with --encoding {likely}'
    )


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
        json.dumps(value, ensure_ascii=False, default=lambda _: "").encode()  # what stands for NaN is no text
    except UnicodeEncodeError:
        raise Fault("lone-surrogate", "a text holds half of a surrogate pair") from None


def _inside(container: Any) -> Any:
    return container.values() if isinstance(container, dict) else container


def _table(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise Fault("duplicate-key", "an object names the same key twice")
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(pairs) > MAX_KEYS:
        raise Fault("too-many-keys", f"an object has {len(pairs):,} keys; at most {MAX_KEYS:,} are read")
    return _table(pairs)


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

_MISSING: Any = object()


def _or_missing(digits: str) -> Any:
    number = float(digits)
    return number if math.isfinite(number) else _MISSING


_LENIENT = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_or_missing, parse_int=_whole, parse_constant=lambda _: _MISSING
)
_TABLE = json.JSONDecoder(
    object_pairs_hook=_table, parse_float=_finite, parse_int=_whole, parse_constant=lambda _: None
)
