# ruff: noqa: E501 - a pattern broken over lines is harder to read than a long one
"""What encodings say: spelled-out and spaced digits, percent, HTML, base64 and hexadecimal, leetspeak."""

import base64
import binascii
import html
import re
import urllib.parse

WORDS = {
    "zero": "0", "oh": "0", "o": "0", "nought": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6",
    "seven": "7", "eight": "8", "nine": "9",
}  # fmt: skip
_NUMBER_WORD = r"(?:zero|oh|nought|one|two|three|four|five|six|seven|eight|nine)"
SPELLED_DIGITS = re.compile(
    rf"\b(?:(?:double|triple)\s+)?(?:{_NUMBER_WORD}|\d)(?:[\s,.-]+(?:(?:double|triple)\s+)?(?:{_NUMBER_WORD}|o|dash|hyphen|\d)){{5,}}\b",
    re.I,
)
SPACED_DIGITS = re.compile(r"(?<!\d)\d(?:[ ._*-]{1,3}\d){7,}(?!\d)")
PERCENT = re.compile(r"(?:[\w.+-]|%[0-9A-Fa-f]{2}){4,200}%[0-9A-Fa-f]{2}(?:[\w.+-]|%[0-9A-Fa-f]{2})*")
ENTITY = re.compile(r"&(?:#\d{2,6}|#x[0-9A-Fa-f]{2,5}|commat|period|lowbar|hyphen|nbsp|sol);", re.I)
BASE64 = re.compile(
    r"(?<![A-Za-z0-9+/_-])(?:(?:[A-Za-z0-9+/]{4}){4,500}|(?:[A-Za-z0-9+/]{4}){2,500}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=))"
    r"(?![A-Za-z0-9+/=_-])"
)
HEX = re.compile(r"\b(?:[2-7][0-9a-f]){10,200}\b", re.I)
LEET_WORD = re.compile(
    r"\b(?=\w*[A-Za-z])(?=\w*[01345])[\w.]+(?:\s(?:d0t|dot)\s[\w.]+){0,3}(?:\s?@\s?|\s(?:at|4t|@t)\s)[\w.]+(?:\s(?:d0t|dot)\s|\.)[\w.]+",
    re.I,
)
PRINTABLE = re.compile(r"[\x20-\x7e\s]{6,}")


def _spelled(value: str) -> str | None:
    """ "four one double two dash nine" as "4122-9"."""
    digits: list[str] = []
    times = 1
    for word in re.findall(r"[A-Za-z]+|\d", value):
        lower = word.lower()
        if lower in ("double", "triple"):
            times = 2 if lower == "double" else 3
        elif lower in ("dash", "hyphen"):
            digits.append("-")
        else:
            digits.append(WORDS.get(lower, lower) * times)
            times = 1
    return "".join(digits)


def _spaced(value: str) -> str | None:
    digits = re.sub(r"\D", "", value)
    return digits if len(set(digits)) > 2 else None  # a row of bits


def _percent(value: str) -> str | None:
    decoded = urllib.parse.unquote(value)
    return decoded if decoded != value and decoded.isprintable() else None


def _base64(value: str) -> str | None:
    try:
        decoded = base64.b64decode(value, validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return None
    return decoded if PRINTABLE.fullmatch(decoded) else None


def _hex(value: str) -> str | None:
    decoded = bytes.fromhex(value).decode("latin-1")
    return decoded if PRINTABLE.fullmatch(decoded) else None


def _leet(value: str) -> str | None:
    """Digits read as letters in what reads as an address: "j0hn @t m4il d0t c0m"."""
    return re.sub(r"\s+", " ", value.replace("@t", "at").translate(str.maketrans("01345", "oleas")))


# Name, a cheap test that must hold, the parts to read, how to read them.
DECODERS = (
    (
        "spelled",
        re.compile(rf"\b(?=[ZONTFSEzontfse]){_NUMBER_WORD}[\s,.-]+(?:{_NUMBER_WORD}|double|triple|dash)", re.I),
        SPELLED_DIGITS,
        _spelled,
    ),
    ("spaced", re.compile(r"\d[ ._*-]{1,3}\d[ ._*-]{1,3}\d[ ._*-]{1,3}\d"), SPACED_DIGITS, _spaced),
    ("percent", re.compile("%[0-9A-Fa-f]"), PERCENT, _percent),
    ("html", re.compile("&"), ENTITY, html.unescape),
    ("base64", re.compile(r"[A-Za-z0-9+/]{10}"), BASE64, _base64),
    ("hex", re.compile(r"[0-9a-fA-F]{20}"), HEX, _hex),
    ("leet", re.compile(r"@|4t\b|d0t", re.I), LEET_WORD, _leet),
)
