"""The screen's power on this very drop: what it finds of attacks that it plants into copies of it (law 5).

A control that is not found says that such an attack would not have been found either. Copies take no more planted rows
than leave a drop what it is; what was embedded is not embedded again. The base model is not asked, but for off-topic
answers, which nothing else can tell: there it reads the planted answers alone. Of a large drop the rows are copied that
are compared by meaning.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

from assets.record import Record
from assets.screened.power.controls import PLAN, Control, rows_of

FOUND = 0.5  # of its rows are flagged: then a person would have looked at the rest, too
MOST_PLANTED = 0.1  # of a copy's rows are planted, if the drop is not too small for that
LEAST = 40  # rows planted in one copy, however small the drop

Flagging = Callable[[Callable[[], Iterable[Record]], frozenset[int]], set[int]]


@dataclass(frozen=True, slots=True)
class Power:
    """``found`` of the ``planted`` rows of a control; ``planted`` is 0 if the drop has no rows to make it of."""

    kind: str
    what: str
    planted: int
    found: int

    @property
    def shown(self) -> bool:
        return self.planted > 0 and self.found >= FOUND * self.planted

    def __str__(self) -> str:
        if not self.planted:
            return f"{self.what}: no rows here that it could be made of"
        return f"{self.what}: {self.found} of {self.planted} rows"

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "what": self.what, "planted": self.planted, "found": self.found, "shown": self.shown}


def shown(drop: list[Record], flagged: Flagging, seed: int, without: frozenset[str] = frozenset()) -> tuple[Power, ...]:
    """The power for each control of the plan, in its order, but for the kinds that are not looked for (``without``).

    ``flagged``: the rows that the screen flags of a copy, given anew each time; it is told which were planted only to
    spare the base model the others.
    """
    found: dict[Control, Power] = {}
    plan = [control for control in PLAN if control.kind not in without]
    for controls in _copies(plan, len(drop)):
        made = {control: rows_of(control, drop, seed) for control in controls}
        planted = [row for rows in made.values() for row in rows]
        rows = flagged(lambda: chain(drop, planted), frozenset(range(len(drop), len(drop) + len(planted))))  # noqa: B023
        first = len(drop)
        for control, own in made.items():
            hits = len(rows & set(range(first, first + len(own))))
            found[control] = Power(control.kind, control.what, len(own), hits)
            first += len(own)
    return tuple(found[control] for control in plan)


def missed(power: Iterable[Power]) -> Iterator[Power]:
    """Of each kind whose largest control was not found, that control."""
    largest = {each.kind: each for each in power}  # the plan names a kind's controls by size
    return (each for each in largest.values() if not each.shown)


def _copies(plan: list[Control], rows: int) -> Iterator[list[Control]]:
    """The plan in parts that one copy takes each; off-topic answers, which change what is usual, have their own."""
    most, taken = max(LEAST, int(MOST_PLANTED * rows)), list[Control]()
    for control in plan:
        full = sum(each.rows for each in taken) + control.rows > most
        if taken and (full or "off-topic" in (control.kind, taken[-1].kind)):
            yield taken
            taken = []
        taken.append(control)
    yield taken
