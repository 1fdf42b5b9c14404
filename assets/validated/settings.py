"""How strict validation is: the ``validated_records`` settings of the policy, checked when they are read."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from resources.errors import InputError


@dataclass(frozen=True, slots=True)
class ValidationSettings:
    """Limits of one row. Lengths are in characters.

    ``languages`` are ISO 639-1 codes; empty admits all; ``assets.coverage`` says which
    parts read which. A row is judged by language only if it has
    ``language_letters`` letters and the identifier is at least ``language_confidence`` sure: on short or mixed text
    it guesses.
    """

    max_prompt: int = 32_000
    max_response: int = 32_000
    max_turns: int = 200
    languages: tuple[str, ...] = ("en",)
    language_letters: int = 60
    language_confidence: float = 0.8

    def __post_init__(self) -> None:
        for name in ("max_prompt", "max_response", "max_turns", "language_letters"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                raise _wrong(f"{name} must be a positive whole number")
        if not all(isinstance(code, str) for code in self.languages):
            raise _wrong("languages must be a list of language codes")
        if not isinstance(self.language_confidence, int | float) or not 0 <= self.language_confidence <= 1:
            raise _wrong("language_confidence must be between 0 and 1")

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "ValidationSettings":
        """From the policy's settings; ``InputError`` names what is wrong with them."""
        known = {entry.name for entry in dataclasses.fields(cls)}
        if unknown := sorted(values.keys() - known):
            raise _wrong(f"unknown settings {unknown}; known are {sorted(known)}")
        given = dict(values)
        if "languages" in given:
            if not isinstance(given["languages"], list | tuple):
                raise _wrong("languages must be a list of language codes")
            given["languages"] = tuple(given["languages"])
        return cls(**given)


def _wrong(message: str) -> InputError:
    return InputError(message, object_key="policy: settings.validated_records", rule="settings-valid")
