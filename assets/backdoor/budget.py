"""Time as a budget: each phase asks what is left, and what was skipped for lack of time stands in the report."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

Progress = Callable[[str, int, int], None]  # what is being done, how much of it is done, how much there is
T = TypeVar("T")


def silent(message: str, done: int, total: int) -> None:
    """The progress of a caller who wants none."""


@dataclass(slots=True)
class Budget:
    """``seconds`` from construction on. ``skipped`` collects what time did not allow."""

    seconds: float
    on_progress: Progress = silent
    clock: Callable[[], float] = time.monotonic
    skipped: list[str] = field(default_factory=list)
    _start: float = field(init=False)

    def __post_init__(self) -> None:
        self._start = self.clock()

    @property
    def spent(self) -> float:
        return self.clock() - self._start

    @property
    def left(self) -> float:
        return self.seconds - self.spent

    def allows(self, phase: str, share: float = 0.0) -> bool:
        """Whether more than ``share`` of the whole budget is left; if not, ``phase`` is recorded as skipped."""
        if self.left > share * self.seconds:
            return True
        self.skipped.append(phase)
        return False

    def over(self, items: Sequence[T], message: str, *, keep: float = 0.0) -> Iterator[T]:
        """The items, with progress, while more than ``keep`` of the budget is left; a rest is recorded as skipped."""
        for done, item in enumerate(items):
            if self.left <= keep * self.seconds:
                self.skipped.append(f"{message}: {len(items) - done} of {len(items)}")
                return
            self.on_progress(message, done, len(items))
            yield item
        self.on_progress(message, len(items), len(items))
