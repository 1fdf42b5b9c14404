"""Which language a text is in, where that can be told: langid.py's n-gram classifier (Lui and Baldwin, 2012)."""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

_READ = 1_200  # characters of a row that are looked at
_KEY = re.compile(r"[!-~]{26,}")  # keys, addresses and encoded data are in no language


@dataclass
class LanguageJudge:
    """Names a language only for a text with enough letters and a sure classifier; both measured on English chat.

    Below these limits the classifier takes addresses, names and short translations for rare languages.
    """

    letters: int
    confidence: float

    def language(self, text: str) -> str | None:
        """ISO 639-1 code (639-3 where there is none), or None where it cannot be told."""
        head = _KEY.sub(" ", text[:_READ])
        if sum(map(str.isalpha, head)) < self.letters:
            return None
        code, probability = self._identifier.classify(head)
        return str(code) if probability >= self.confidence else None

    @cached_property
    def _identifier(self) -> Any:
        from py3langid.langid import MODEL_FILE, LanguageIdentifier

        return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
