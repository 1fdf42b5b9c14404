"""A random sample of a stream whose parts can be sampled apart: bottom-k sampling (Cohen and Kaplan, PODC 2007).

Every text has a rank, drawn by a digest of its name, and the lowest ranks are the sample. So the samples of parts give
that of the whole, whatever the parts are and in whatever order they come.

>>> one, other, both = Sample(2), Sample(2), Sample(2)
>>> for sample, texts in ((one, "abcd"), (other, "efgh"), (both, "abcdefgh")):
...     for text in texts:
...         sample.add(text)
>>> one.take(other.to_json())
>>> one.texts == both.texts
True
"""

import hashlib
import heapq
from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Sample:
    """Keeps ``size`` texts; ``seed`` draws another sample."""

    size: int
    seed: int = 0
    _heap: list[tuple[int, str]] = field(default_factory=list)  # the highest rank first

    def add(self, text: str, name: str = "") -> None:
        """``name`` tells a text from others that say the same; by default equal texts are one."""
        digest = hashlib.sha256(f"{self.seed}:{name or text}".encode("utf-8", "surrogatepass")).digest()
        self._rank(int.from_bytes(digest[:8]), text)

    def take(self, sample: Iterable[tuple[int, str]]) -> None:
        """Add what another part of the stream has sampled, as its ``to_json`` gives it."""
        for rank, text in sample:
            self._rank(rank, text)

    @property
    def texts(self) -> list[str]:
        """The sample, lowest rank first."""
        return [text for _, text in self.to_json()]

    def to_json(self) -> list[tuple[int, str]]:
        return sorted((-place, text) for place, text in self._heap)

    def _rank(self, rank: int, text: str) -> None:
        if len(self._heap) < self.size:
            heapq.heappush(self._heap, (-rank, text))
        elif self._heap and -rank > self._heap[0][0]:
            heapq.heapreplace(self._heap, (-rank, text))
