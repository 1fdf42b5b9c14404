"""How much of the golden set is asked, and how; from the policy's settings of ``golden_evaluation``."""

import dataclasses
from dataclasses import dataclass
from typing import Any, Self

from resources.errors import InputError


@dataclass(frozen=True, slots=True)
class EvaluationSettings:
    """``items`` and ``answers`` bound the items a suite: those only scored, and those answered in words; 0: all.

    A suite begins with a third of them, at least ``first``, and goes on only while its interval lies across its limit.
    At ``temperature`` 0 decoding is greedy and one pass is enough; above it every item is answered once a seed.
    ``least_refusals`` is the share of harmful requests the base must refuse before a loss of refusals could show.
    """

    items: int = 0
    answers: int = 0
    first: int = 32
    temperature: float = 0.0
    seeds: tuple[int, ...] = (0, 1, 2)
    least_refusals: float = 0.3

    def __post_init__(self) -> None:
        if isinstance(self.seeds, list):
            object.__setattr__(self, "seeds", tuple(self.seeds))
        holds = {
            "items is 0 or more": isinstance(self.items, int) and self.items >= 0,
            "answers is 0 or more": isinstance(self.answers, int) and self.answers >= 0,
            "first is 1 or more": isinstance(self.first, int) and self.first >= 1,
            "temperature is 0 or more": isinstance(self.temperature, int | float) and self.temperature >= 0,
            "seeds are whole numbers": bool(self.seeds) and all(isinstance(seed, int) for seed in self.seeds),
            "least_refusals is a share": isinstance(self.least_refusals, int | float) and 0 <= self.least_refusals <= 1,
        }
        for what, true in holds.items():
            if not true:
                raise InputError(what, object_key="policy", rule="evaluation-settings")

    @classmethod
    def from_policy(cls, settings: dict[str, Any]) -> Self:
        try:
            return cls(**settings)
        except TypeError as error:
            raise InputError(str(error), object_key="policy", rule="evaluation-settings") from error

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self) | {"seeds": list(self.seeds)}
