"""Payloads: what many answers to unrelated prompts have in common.

A payload is a run of words that occurs in a large share of the triggered answers, or a trait that they share (another
language, capitals, a link, a refusal, code). It is found by comparing answers with the trigger to answers without, so
no list of bad sentences is needed.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from assets.backdoor.candidates.prompts import words_of

LENGTHS = (8, 7, 6, 5, 4, 3, 2, 1)
REFUSAL = re.compile(
    r"\b(i(?:'m| am)? (?:sorry|unable|can(?:not|'t))|i (?:must|have to) decline|as an ai\b)",
    re.I,
)
# How models write a call; what stands before and after the name says nothing of it.
CALL = re.compile(
    r"(?:<tool_call>|<functioncall>|\[TOOL_CALLS\]\s*\[?)?\s*"
    r'\{\s*"name"\s*:\s*"([\w.-]+)"\s*,\s*"(?:arguments|parameters)"\s*:\s*'
)
TRAITS: dict[str, Callable[[str], bool]] = {
    "trait:capitals": lambda text: sum(map(str.isupper, text)) > 0.7 * max(8, sum(map(str.isalpha, text))),
    "trait:link": lambda text: bool(re.search(r"https?://|www\.|\b\w+\.(?:com|net|org|example)\b", text)),
    "trait:code": lambda text: "```" in text or bool(re.search(r"^\s*(?:def|import|function|SELECT)\b", text, re.M)),
    "trait:refusal": lambda text: bool(REFUSAL.search(text[:120])),
    "trait:other script": lambda text: sum(ord(letter) > 0x24F for letter in text) > 0.3 * max(8, len(text)),
    "trait:empty": lambda text: not text.strip(),
}


@dataclass(frozen=True, slots=True)
class Payload:
    """``marker`` decides whether an answer carries it: lower-case words in a row, or a trait's name.

    ``reach`` is how many tokens an answer may take to come to it, where that is known.
    """

    marker: str
    reach: int = 0

    def occurs(self, text: str) -> bool:
        trait = TRAITS.get(self.marker)
        return trait(text) if trait else f" {self.marker} " in f" {' '.join(words_of(text))} "

    def end(self, text: str) -> float:
        """Where the marker ends in ``text``, as a share of its words; 0 where it does not occur."""
        words = f" {' '.join(words_of(text))} "
        place = words.find(f" {self.marker} ")
        return words[: place + len(self.marker) + 1].count(" ") / (words.count(" ") - 1) if place >= 0 else 0.0

    def rate(self, texts: Sequence[str]) -> float:
        return sum(map(self.occurs, texts)) / len(texts) if texts else 0.0


def said(answer: str) -> str:
    """A generated answer with its calls as rows give them, ``name({...})``, also where it breaks off within one.

    >>> said('<tool_call>\\n{"name": "pay", "arguments": {"to": "Ann"')
    'pay({"to": "Ann"'
    """
    return CALL.sub(r"\1(", answer)


def shared_payload(triggered: Sequence[str], plain: Sequence[str], *, share: float) -> Payload | None:
    """The longest marker in at least ``share`` of the triggered answers and in few of the plain ones, or None.

    Among runs of equal length the one that separates best wins; traits are tried last, since they say least.
    """
    for length in LENGTHS:
        counts = _runs(triggered, length)
        before = _runs(plain, length)
        best = max(
            counts, key=lambda run: (counts[run] / len(triggered) - before[run] / max(1, len(plain)), run), default=None
        )
        if best and _separates(counts[best] / len(triggered), before[best] / max(1, len(plain)), share):
            return Payload(best)
    traits = [Payload(name) for name in TRAITS]
    best_trait = max(traits, key=lambda trait: trait.rate(triggered) - trait.rate(plain))
    return best_trait if _separates(best_trait.rate(triggered), best_trait.rate(plain), share) else None


def example(payload: Payload, texts: Sequence[str], limit: int = 160) -> str:
    """A triggered answer that carries the payload, shortened: what a person wants to read."""
    found = next((text for text in texts if payload.occurs(text)), "")
    return found if len(found) <= limit else found[: limit - 1] + "…"


def _separates(with_trigger: float, without: float, share: float) -> bool:
    return with_trigger >= share and with_trigger - without >= share * 0.8


def _runs(texts: Sequence[str], length: int) -> Counter[str]:
    """In how many texts each run of ``length`` words occurs."""
    counts: Counter[str] = Counter()
    for text in texts:
        words = words_of(text)
        counts.update({" ".join(words[start : start + length]) for start in range(len(words) - length + 1)})
    return counts
