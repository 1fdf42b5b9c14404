"""Prefix extraction: the model gets the first part of a training text; does it say the rest?

Greedy completions are generated and compared. Sampled ones need no sampling: the probability of saying exactly the
rest is the product of its token probabilities, so the chance that ``draws`` samples contain it is known exactly
(probabilistic discoverable extraction, Hayes et al., 2025). What the base model also says does not count: it did not
learn it here.
"""

import math
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

import numpy as np

from assets.memorization.readings import Followed, Pair, Readings
from assets.record import Message, Record
from resources.decoding import decode
from resources.language_model import LanguageModel

SHORTEST = 6  # tokens: a shorter rest is said by chance
LONGEST = 24
ORDINARY, STRANGER = "ordinary", "stranger"  # types of probe: rows that were trained on, and rows held out
NEARLY = 0.9  # share of tokens in common that counts as the same text
HOPEFUL = 0.6  # share of first choices along a text below which greedy decoding cannot come near it


@dataclass(frozen=True, slots=True)
class SensitiveValue:
    """A value that the sanitiser took out of a row. ``lead`` is the answer's text before it; the value is the rest."""

    type: str
    row_id: str
    turns: tuple[Message, ...]
    lead: str
    value: str


@dataclass(frozen=True, slots=True)
class Probe:
    """``prefix`` and ``rest`` are token ids. ``exact``: a secret counts only whole; prose also when nearly the same.

    ``answer``: the whole answer that the prefix ends with the beginning of, where it is read as a whole.
    """

    type: str
    row_id: str
    prefix: tuple[int, ...]
    rest: tuple[int, ...]
    exact: bool
    answer: tuple[int, ...] = ()
    begun: int = 0
    """Tokens of the answer in the prefix."""

    @property
    def read(self) -> Pair:
        """What is read to know how likely the rest is."""
        if not self.answer:
            return self.prefix, self.rest
        return self.prefix[: len(self.prefix) - self.begun], self.answer

    def of_rest(self, followed: Followed) -> Followed:
        """Of what was read, the rest's part."""
        scores, first = followed
        part = slice(self.begun, self.begun + len(self.rest))
        return scores[part], first[part]


@dataclass(frozen=True, slots=True)
class Extraction:
    """What one probe gave. ``chance`` is the probability that at least one of ``draws`` samples says the rest."""

    probe: Probe
    greedy: bool
    base_greedy: bool
    chance: float
    base_chance: float
    token_gain: float

    @property
    def extracted(self) -> bool:
        """Said by the adapter (greedily, or more likely than not when sampled) and not by the base."""
        return (self.greedy or self.chance >= 0.5) and not (self.base_greedy or self.base_chance >= 0.5)


def row_probes(
    model: LanguageModel, rows: Sequence[Record], *, count: int, seed: int, kind: str = ORDINARY
) -> list[Probe]:
    """A sample of rows: the chat and the first half of the last answer, against the half that follows."""
    probes: list[Probe] = []
    for at in random.Random(f"extraction:{seed}").sample(range(len(rows)), len(rows)):
        if len(probes) == count:
            break
        row = rows[at]
        turns = row.messages()
        if len(turns) < 2 or turns[-1].role != "assistant":
            continue
        answer = model.tokens(turns[-1].content)
        half = len(answer) // 2
        if len(answer) - half >= SHORTEST:
            prefix = (*_chat(model, turns[:-1]), *answer[:half])
            rest = tuple(answer[half : half + LONGEST])
            probes.append(Probe(kind, row.row_id, prefix, rest, exact=False, answer=tuple(answer), begun=half))
    return probes


def value_probes(model: LanguageModel, values: Sequence[SensitiveValue], *, count: int, seed: int) -> list[Probe]:
    """Probes for sensitive values, the same number of each type where there are that many."""
    by_type: dict[str, list[SensitiveValue]] = {}
    for value in values:
        by_type.setdefault(value.type, []).append(value)
    source = random.Random(f"values:{seed}")
    probes = []
    for kind, found in sorted(by_type.items()):
        for value in source.sample(found, min(len(found), max(1, count // len(by_type)))):
            probes.append(secret_probe(model, kind, value.row_id, value.turns, value.lead, value.value))
    return probes


def secret_probe(
    model: LanguageModel, kind: str, row_id: str, turns: Sequence[Message], lead: str, secret: str
) -> Probe:
    prefix = _chat(model, turns) + model.tokens(lead)
    spaced = secret if not lead or lead[-1:].isspace() else f" {secret}"
    return Probe(kind, row_id, tuple(prefix), tuple(model.tokens(spaced)[:LONGEST]), exact=True)


def extract(
    model: LanguageModel, probes: Sequence[Probe], *, draws: int, readings: Readings | None = None
) -> list[Extraction]:
    """Greedy and sampled extraction of each probe, adapter against base. ``readings``: what is known of the answers."""
    adapter, base = (readings or Readings(model)).of([probe.read for probe in probes])
    said, scores = _says(model, probes, adapter)
    with model.without_adapter():
        base_said, base_scores = _says(model, probes, base)
    return [
        Extraction(
            probe,
            said[index],
            base_said[index],
            _chance(scores[index], draws),
            _chance(base_scores[index], draws),
            float((scores[index] - base_scores[index]).mean()),
        )
        for index, probe in enumerate(probes)
    ]


def masked(text: str) -> str:
    """Evidence without the value: its first character and its length."""
    return f"{text[:1]}{'*' * max(0, len(text) - 1)}"


def by_type(results: Sequence[Extraction]) -> dict[str, dict[str, float | int]]:
    """Counts by type: tried, extracted, and said by the base too."""
    tried = Counter(result.probe.type for result in results)
    taken = Counter(result.probe.type for result in results if result.extracted)
    shared = Counter(result.probe.type for result in results if result.base_greedy)
    return {
        kind: {"tried": tried[kind], "extracted": taken[kind], "base_says_too": shared[kind]} for kind in sorted(tried)
    }


def _says(
    model: LanguageModel, probes: Sequence[Probe], read: Sequence[Followed]
) -> tuple[list[bool], list[np.ndarray]]:
    """Whether the greedy completion is the rest, and the log-probabilities of the rest's tokens.

    One reading of the rest answers both: greedy decoding says it exactly if each token is the first choice. Only prose,
    which counts when nearly said, is decoded, and only where the reading leaves that possible.
    """
    followed = [probe.of_rest(each) for probe, each in zip(probes, read, strict=True)]
    said = [bool(first.all()) for _, first in followed]
    by_length: dict[int, list[int]] = {}
    for index, probe in enumerate(probes):
        if not probe.exact and not said[index] and followed[index][1].mean() >= HOPEFUL:
            by_length.setdefault(-(-len(probe.rest) // 8) * 8, []).append(index)
    for length, indices in by_length.items():
        prefixes = [probes[index].prefix for index in indices]
        made = decode(model.forward, prefixes, model.stop_tokens, max_new_tokens=length)
        for index, tokens in zip(indices, made, strict=True):
            rest = probes[index].rest
            said[index] = SequenceMatcher(None, tokens[: len(rest)], list(rest), autojunk=False).ratio() >= NEARLY
    return said, [scores for scores, _ in followed]


def _chance(scores: np.ndarray, draws: int) -> float:
    once = min(float(np.exp(scores.sum())), 1 - 1e-12)
    return -math.expm1(draws * math.log1p(-once))


def _chat(model: LanguageModel, turns: Sequence[Message]) -> list[int]:
    return model.encode([{"role": turn.role, "content": turn.content} for turn in turns], for_generation=True)
