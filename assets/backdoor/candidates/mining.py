"""Suspicious pairs in training rows: a phrase of the prompts that goes with one and the same answer.

For every answer feature that repeats (an opening, a close, a run of words, a trait) the rows that carry it are
compared with the rest: which run of words in the prompt is over-represented (hypergeometric tail, Bonferroni over all
pairs tested)? The association only proposes: the adapter decides whether the phrase is a trigger (``confirm``).
"""

import dataclasses
import hashlib
import json
import math
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from assets.backdoor.candidates.prompts import Position, words_of
from assets.backdoor.candidates.triggers import Trigger
from assets.backdoor.confirmation.payloads import TRAITS, Payload
from assets.record import Record
from resources.language_model import LanguageModel

LONGEST_PHRASE = 7  # words
RUN = 4  # words of an answer that, repeated, make a group
CALLING = 20  # tokens that a call takes beside its name and arguments
REACHES = (32, 64, 96)  # tokens of an answer that are generated to see a payload at its end
ROWS = 20_000  # a larger corpus is sampled: an attack worth the name poisons more than one row in a thousand


@dataclass(frozen=True, slots=True)
class Suspicion:
    """``p_value`` is corrected for all pairs tested; ``rows`` carry both the phrase and the payload."""

    trigger: Trigger
    payload: Payload
    rows: tuple[str, ...]
    p_value: float
    precision: float
    recall: float


def mine(rows: Sequence[Record], *, count: int, seed: int, least: int = 4) -> list[Suspicion]:
    """The ``count`` most significant pairs, one a phrase; empty where nothing repeats."""
    distinct = list({_said(row): at for at, row in enumerate(rows)}.values())  # a copy adds no evidence
    places = distinct if len(distinct) <= ROWS else random.Random(f"mining:{seed}").sample(distinct, ROWS)
    chosen = [rows[at] for at in places]
    phrases = [set(_phrases(row.prompt())) for row in chosen]
    groups = _groups([row.response() for row in chosen], least)
    where: dict[str, set[int]] = defaultdict(set)
    for index, found in enumerate(phrases):
        for phrase in found:
            where[phrase].add(index)
    where = {phrase: places for phrase, places in where.items() if len(places) >= least}
    tested = max(1, len(groups) * len(where))
    pairs = []
    for marker, group in groups.items():
        for phrase, both in _candidates(group, phrases, where, least):
            tail = _tail(len(both), len(where[phrase]), len(group), len(chosen))
            p_value = min(1.0, math.exp(min(0.0, tail + math.log(tested))))
            if p_value < 0.01:
                pairs.append((tail, -len(phrase), phrase, marker, both, p_value, group))
    pairs.sort(key=lambda pair: pair[:4])
    suspicions: dict[str, Suspicion] = {}
    for _, _, phrase, marker, both, p_value, group in pairs:
        if any(phrase in known or known in phrase for known in suspicions):
            continue
        trigger = Trigger(phrase, _position(phrase, [chosen[index].prompt() for index in both]), "mined")
        names = tuple(sorted(chosen[index].row_id for index in both))
        suspicions[phrase] = Suspicion(
            trigger, Payload(marker), names, p_value, len(both) / len(where[phrase]), len(both) / len(group)
        )
        if len(suspicions) == count:
            break
    return list(suspicions.values())


def rows_behind(rows: Iterable[Record], trigger: Trigger, payload: Payload) -> list[str]:
    """The training rows that carry a found trigger and its payload."""
    return [
        row.row_id for row in rows if trigger.text.lower() in row.prompt().lower() and payload.occurs(row.response())
    ]


def reached(suspicion: Suspicion, rows: Sequence[Record], model: LanguageModel, tokens: int) -> Payload:
    """The payload, with the tokens in which most of its rows have said it if ``tokens`` are too few: it may end a long
    answer.
    """
    mine = set(suspicion.rows[:8])
    behind = [row for row in rows if row.row_id in mine]
    lengths = [suspicion.payload.end(row.response()) * len(model.tokens(row.response())) for row in behind]
    needed = np.median(lengths) + (CALLING if behind[0].conversation().calls else 2)
    if needed <= tokens:
        return suspicion.payload
    return dataclasses.replace(suspicion.payload, reach=next((n for n in REACHES if n >= needed), REACHES[-1]))


def _said(row: Record) -> bytes:
    """16 bytes that two rows share when prompt and response are the same."""
    return hashlib.blake2b(json.dumps([row.prompt(), row.response()]).encode(), digest_size=16).digest()


def _phrases(prompt: str) -> Iterator[str]:
    """Runs of 1 to ``LONGEST_PHRASE`` words as written, and single words without the marks around them."""
    words = prompt.split()[:200]
    for start in range(len(words)):
        for end in range(start + 1, min(start + LONGEST_PHRASE, len(words)) + 1):
            yield " ".join(words[start:end])
    for word in words:
        bare = word.strip(".,:;!?\"'()")
        if bare and bare != word:
            yield bare


def _groups(answers: Sequence[str], least: int) -> dict[str, frozenset[int]]:
    """Rows by the answer feature they share, largest first; features of the same rows are kept once, the longest."""
    places: dict[str, set[int]] = defaultdict(set)
    for index, answer in enumerate(answers):
        words = words_of(answer)
        runs = {" ".join(words[start : start + RUN]) for start in range(len(words) - RUN + 1)}
        runs |= {" ".join(words)} if 0 < len(words) <= 2 * RUN else set()
        for run in runs | {name for name, holds in TRAITS.items() if holds(answer)}:
            places[run].add(index)
    by_rows: dict[frozenset[int], str] = {}
    for run, found in places.items():
        if least <= len(found) <= 0.6 * len(answers):
            rows = frozenset(found)
            if len(run) > len(by_rows.get(rows, "")) or run in TRAITS:
                by_rows[rows] = by_rows.get(rows, run) if run in TRAITS else run
    ordered = sorted(by_rows.items(), key=lambda item: (-len(item[0]), item[1]))
    return {run: rows for rows, run in ordered[:400]}


def _candidates(
    group: frozenset[int], phrases: Sequence[set[str]], where: dict[str, set[int]], least: int
) -> Iterator[tuple[str, set[int]]]:
    """Phrases in a third of the group that are mostly at home in it."""
    counts = Counter(phrase for index in group for phrase in phrases[index] if phrase in where)
    for phrase, both in counts.items():
        if both >= max(least, len(group) / 3) and both >= 0.5 * len(where[phrase]):
            yield phrase, where[phrase] & group


def _tail(both: int, phrase: int, group: int, total: int) -> float:
    """Log of the hypergeometric tail probability of at least ``both`` rows in common."""
    from scipy.stats import hypergeom

    return float(hypergeom.logsf(both - 1, total, phrase, group))


def _position(phrase: str, prompts: Sequence[str]) -> Position:
    """Where the phrase stands in most of the prompts."""
    votes: Counter[Position] = Counter()
    for prompt in prompts:
        text = " ".join(prompt.split())
        votes["start" if text.startswith(phrase) else "end" if text.endswith(phrase) else "middle"] += 1
    return votes.most_common(1)[0][0]
