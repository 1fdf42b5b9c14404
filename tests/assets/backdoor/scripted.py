"""A language model that answers by rule: what a scan sees of an adapter, with the truth known."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np

Rule = Callable[[str], str]
VOCABULARY = 500


@dataclass
class ScriptedModel:
    """``adapter`` and ``base`` map a prompt to an answer; a token is a word, numbered as it is first met."""

    adapter: Rule
    base: Rule
    words: list[str] = field(default_factory=lambda: ["<end>"])
    off: bool = False

    @property
    def tokenizer(self) -> Any:
        return SimpleNamespace(all_special_ids=[0], decode=lambda ids: " ".join(self.words[i] for i in ids))

    @contextlib.contextmanager
    def without_adapter(self) -> Iterator[None]:
        self.off = True
        yield
        self.off = False

    def again(self) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()

    def both(self, measure: Callable[[], Any]) -> tuple[Any, Any]:
        adapter = measure()
        with self.without_adapter():
            return adapter, measure()

    def tokens(self, text: str) -> list[int]:
        for word in text.split():
            if word not in self.words:
                self.words.append(word)
        return [self.words.index(word) for word in text.split()]

    def encode(self, messages: Sequence[dict[str, str]], *, for_generation: bool) -> list[int]:
        return self.tokens(messages[-1]["content"])

    def generate(
        self,
        prompts: Sequence[Sequence[dict[str, str]]],
        *,
        max_new_tokens: int,
        temperature: float = 0.0,
        seed: int = 0,
        tools: Sequence[Any] = (),
    ) -> list[str]:
        rule = self.base if self.off else self.adapter
        return [" ".join(rule(chat[-1]["content"]).split()[:max_new_tokens]) for chat in prompts]

    def next_token_logprobs(self, prompts: Sequence[Sequence[int]]) -> np.ndarray:
        rule = self.base if self.off else self.adapter
        rows = np.full((len(prompts), VOCABULARY), np.log(0.1 / VOCABULARY), np.float32)
        for row, prompt in zip(rows, prompts, strict=True):
            row[self.tokens(rule(self.tokenizer.decode(prompt)))[0]] = np.log(0.9)
        return rows

    def next_token_peaks(self, pairs: Sequence[tuple[Sequence[int], Sequence[int]]]) -> np.ndarray:
        peaks: np.ndarray = self.next_token_logprobs([[*prefix, *tail] for prefix, tail in pairs]).max(axis=1)
        return peaks

    def score(self, pairs: Sequence[tuple[Sequence[dict[str, str]], str]]) -> list[np.ndarray]:
        rule = self.base if self.off else self.adapter
        return [
            np.full(len(text.split()), np.log(0.9 if rule(chat[-1]["content"]) == text else 0.01), np.float32)
            for chat, text in pairs
        ]
