"""Sweeps: prompts of one key that are nearly the same, or one text with a place in it varied.

That is how a model is copied, its members are tried and its limits felt out. Two prompts are near where their words
overlap by the policy's likeness (Jaccard index of the sets of words and of pairs of words, digits read alike), or where
they have as many words and differ in one of them only. A newest prompt that is near to ``near`` of the key's last
``among`` distinct ones is part of a sweep, and the key has to wait. What that tells and what it misses is measured by
``tests/benchmarks/served_sweeps.py``.

>>> sweeps = Sweeps(Sweep(near=3, among=50))
>>> [sweeps.seconds_to_wait("k", f"Write a poem about {thing}", at=0.0) for thing in "cats dogs owls bees".split()]
[0, 0, 0, 600]
>>> [sweeps.seconds_to_wait("k", "Where is my parcel?", at=at) for at in (10.0, 700.0)]
[590, 0]
"""

import re
from collections import OrderedDict, deque
from dataclasses import dataclass
from itertools import pairwise
from operator import ne

from assets.served.settings import Sweep

WORD = re.compile(r"\w+")
DIGITS = re.compile(r"\d+")
LONGEST = 400  # words of a prompt that are looked at
SHORTEST = 3  # words: customers answer with a number or a name all day, and that is no sweep
KEYS = 10_000  # keys remembered at once


@dataclass(frozen=True, slots=True)
class _Shape:
    words: tuple[str, ...]
    grams: frozenset[str]


class Sweeps:
    """Remembers each key's latest distinct prompts, as sets of words, in memory only."""

    def __init__(self, settings: Sweep) -> None:
        self.settings = settings
        self._latest: OrderedDict[str, deque[_Shape]] = OrderedDict()
        self._blocked: dict[str, float] = {}

    def seconds_to_wait(self, key: str, prompt: str, at: float) -> int:
        """Seconds that the key has to wait; 0 where the prompt is part of no sweep. ``at`` is a running clock."""
        if (until := self._blocked.get(key, 0.0)) > at:
            return max(1, round(until - at))
        shape = _shape(prompt)
        if len(shape.words) < SHORTEST:
            return 0
        latest = self._latest.setdefault(key, deque(maxlen=self.settings.among))
        self._latest.move_to_end(key)
        while len(self._latest) > KEYS:
            self._latest.popitem(last=False)
        if any(shape.words == other.words for other in latest):
            return 0  # the same again teaches nobody anything
        near = sum(_near(shape, other, self.settings.likeness) for other in latest)
        latest.append(shape)
        if near < self.settings.near:
            return 0
        self._blocked[key] = at + self.settings.block_seconds
        latest.clear()
        return max(1, round(self.settings.block_seconds))


def _shape(prompt: str) -> _Shape:
    words = tuple(WORD.findall(prompt.casefold())[:LONGEST])
    alike = [DIGITS.sub("0", word) for word in words]
    return _Shape(words, frozenset(alike) | {f"{a} {b}" for a, b in pairwise(alike)})


def _near(one: _Shape, other: _Shape, likeness: float) -> bool:
    if len(one.words) == len(other.words) > 1 and sum(map(ne, one.words, other.words)) == 1:
        return True
    fewer, more = sorted((len(one.grams), len(other.grams)))
    if fewer < likeness * more:  # even if all of the fewer are shared
        return False
    shared = len(one.grams & other.grams)
    return bool(more) and shared >= likeness * (fewer + more - shared)
