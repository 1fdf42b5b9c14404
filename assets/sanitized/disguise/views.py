"""Text in disguise, read as what it says: each ``View`` is another reading of the text, with a map back to it.

Zero-width and full-width characters, homoglyphs, spaced digits, spelled-out numbers, leetspeak and percent-, base64-
and HTML-encoded values are undone before the recognisers look; what they find is redacted in the original characters.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from assets.sanitized.disguise.decoders import DECODERS
from assets.sanitized.rule_file import read_rules
from resources.pii_engine import Span

INVISIBLE = frozenset(
    "\u200b\u200c\u200d\u2060\ufeff\u00ad\u180e\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u034f\u061c"
)
LOOK_ALIKES = str.maketrans(*read_rules(Path(__file__).parent / "look_alikes.yaml").values())
# Invisible characters, compatibility forms, foreign digits and stops, and words that mix Latin with Greek or Cyrillic.
SUSPECT = re.compile(
    "[\u200b-\u200f\u2060\ufeff\u00ad\u180e\u202a-\u202e\u2066-\u2069\u034f\u061c\uff01-\uff5e\u3000\u00b2\u00b3\u00b9\u2070-\u2099\u2460-\u24ff"
    "\u0660-\u0669\u0966-\u096f\u2024\u3002\u2219\U0001d400-\U0001d7ff]|[0-9][\u2010-\u2015\u2212][0-9]|[A-Za-z0-9@][\u0370-\u03ff\u0400-\u04ff]|[\u0370-\u03ff\u0400-\u04ff][A-Za-z0-9@]"
)
NAMING = frozenset({"folded", "percent", "html", "base64", "hex"})  # views in which a name may have been hidden


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
