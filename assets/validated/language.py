"""Which language a text is in, where that can be told: langid.py's n-gram classifier (Lui and Baldwin, 2012)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from assets.forms.conversation import Turn

_READ = 400  # characters of what is asked, and of what is answered, that are looked at
_KEY = re.compile(r"[!-~]{26,}")  # keys, addresses and encoded data are in no language


@dataclass(frozen=True, slots=True)
class LanguageJudge:
    """Names a language only for a text with enough letters and a sure classifier; both measured on English chat.

    Below these limits the classifier takes addresses, names and short translations for rare languages.
    """

    letters: int
    confidence: float

    def language(self, turns: Iterable[Turn]) -> str | None:
        """ISO 639-1 code (639-3 where there is none), or None where it cannot be told."""
        asked, answered = "", ""
        for turn in turns:
            if turn.role == "assistant":
                answered += turn.text[:_READ] + "\n"
            else:
                asked += turn.text[:_READ] + "\n"
        head = _KEY.sub(" ", asked[:_READ] + answered[:_READ])
        if sum(map(str.isalpha, head)) < self.letters:
            return None
        code, probability = classify(head)
        return code if probability >= self.confidence else None


def classify(text: str, among: tuple[str, ...] = ()) -> tuple[str, float]:
    """The likeliest language of a text (ISO 639-1, or 639-3 where there is none) and its probability.

    ``among``: the only languages that come into question; all that the classifier knows if empty.
    """
    code, probability = _identifier(among).classify(text)
    return str(code), float(probability)


@cache
def _identifier(among: tuple[str, ...] = ()) -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    if among:
        identifier.set_languages(list(among))
    return identifier
