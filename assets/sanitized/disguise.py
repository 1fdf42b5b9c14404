# ruff: noqa: E501 - a pattern broken over lines is harder to read than a long one
"""Text in disguise, read as what it says: each ``View`` is another reading of the text, with a map back to it.

Zero-width and full-width characters, homoglyphs, spaced digits, spelled-out numbers, leetspeak and percent-, base64-
and HTML-encoded values are undone before the recognisers look; what they find is redacted in the original characters.
"""

import base64
import binascii
import html
import re
import unicodedata
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass

from resources.pii_engine import Span

INVISIBLE = frozenset(
    "\u200b\u200c\u200d\u2060\ufeff\u00ad\u180e\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u034f\u061c"
)
# Letters of other scripts that look like Latin ones (a subset of Unicode's confusables, UTS 39).
LOOK_ALIKES = str.maketrans(
    "аеорсухіјѕԁһԛԝАВЕКМНОРСТУХІЈЅɡɑοαρνυιτκΑΒΕΖΗΙΚΜΝΟΡΤΥΧ٠١٢٣٤٥٦٧٨٩०१२३४५६७८९․。．‐‑‒–—−∙",
    "aeopcyxijsdhqwABEKMHOPCTYXIJSgaoapvuitkABEZHIKMNOPTYX01234567890123456789...------.",
)
# Invisible characters, compatibility forms, foreign digits and stops, and words that mix Latin with Greek or Cyrillic.
SUSPECT = re.compile(
    "[\u200b-\u200f\u2060\ufeff\u00ad\u180e\u202a-\u202e\u2066-\u2069\u034f\u061c\uff01-\uff5e\u3000\u00b2\u00b3\u00b9\u2070-\u2099\u2460-\u24ff"
    "\u0660-\u0669\u0966-\u096f\u2024\u3002\u2219\U0001d400-\U0001d7ff]|[0-9][\u2010-\u2015\u2212][0-9]|[A-Za-z0-9@][\u0370-\u03ff\u0400-\u04ff]|[\u0370-\u03ff\u0400-\u04ff][A-Za-z0-9@]"
)
WORDS = {
    "zero": "0", "oh": "0", "o": "0", "nought": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6",
    "seven": "7", "eight": "8", "nine": "9",
}  # fmt: skip
_NUMBER_WORD = r"(?:zero|oh|nought|one|two|three|four|five|six|seven|eight|nine)"
SPELLED_DIGITS = re.compile(
    rf"\b(?:(?:double|triple)\s+)?(?:{_NUMBER_WORD}|\d)(?:[\s,.-]+(?:(?:double|triple)\s+)?(?:{_NUMBER_WORD}|o|dash|hyphen|\d)){{5,}}\b",
    re.I,
)
NAMING = frozenset({"folded", "percent", "html", "base64", "hex"})  # views in which a name may have been hidden
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


@dataclass(frozen=True, slots=True)
class View:
    """A reading of a text: character i of ``text`` comes from ``starts[i]`` to ``ends[i]`` of the original."""

    name: str
    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def hides(self, span: Span, text: str) -> bool:
        """Whether the characters of the span are not simply those of the original ``text``."""
        return self.text[span.start : span.end] != text[self.starts[span.start] : self.ends[span.end - 1]]

    def restore(self, span: Span) -> Span:
        """The span in the original's characters."""
        return Span(self.starts[span.start], self.ends[span.end - 1], span.type, f"{span.rule}+{self.name}", span.score)


def views(text: str) -> Iterator[View]:
    """The other readings of ``text`` worth looking at; none for ordinary ASCII prose."""
    if SUSPECT.search(text) and (view := _folded(text)):
        yield view
    for name, hint, pattern, read in DECODERS:
        if hint is not None and not hint.search(text):
            continue
        if matches := list(pattern.finditer(text)):
            view = _substituted(name, text, [(match.span(), read(match[0])) for match in matches])
            if view is not None:
                yield view


def _folded(text: str) -> View | None:
    """Compatibility forms folded, invisible characters dropped, look-alikes replaced; None if nothing changes."""
    out: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    changed = False
    for index, character in enumerate(text):
        if character in INVISIBLE:
            changed = True
            if ends:
                ends[-1] = index + 1
            continue
        folded = character
        if ord(character) > 127:
            folded = unicodedata.normalize("NFKC", character).translate(LOOK_ALIKES)
            changed = changed or folded != character
        for piece in folded:
            out.append(piece)
            starts.append(index)
            ends.append(index + 1)
    return View("folded", "".join(out), tuple(starts), tuple(ends)) if changed else None


def _substituted(name: str, text: str, readings: list[tuple[tuple[int, int], str | None]]) -> View | None:
    """The text with each part replaced by its reading; a reading's characters all map to the whole part."""
    out: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    position = 0
    changed = False
    for (start, end), reading in readings:
        if reading is None:
            continue
        changed = True
        out.append(text[position:start])
        starts.extend(range(position, start))
        ends.extend(range(position + 1, start + 1))
        out.append(reading)
        starts.extend([start] * len(reading))
        ends.extend([end] * len(reading))
        position = end
    if not changed:
        return None
    out.append(text[position:])
    starts.extend(range(position, len(text)))
    ends.extend(range(position + 1, len(text) + 1))
    return View(name, "".join(out), tuple(starts), tuple(ends))


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
