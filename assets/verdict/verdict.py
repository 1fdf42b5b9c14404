"""The verdict on a candidate: every gate judged, over evidence named by digest. Pure data, signed later.

``Verdict.digest`` is what an approval is bound to. It holds no times and no paths, so that the same evidence judged
again by the same policy gives the same digest: whoever must not trust the recorded verdict assembles it anew and
compares.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from expectations.policy import GateResult
from expectations.policy import Verdict as Outcome
from resources.digests import digest_json

CANDIDATE_DIGITS = 12
ThreatOutcome = Outcome | Literal["at_release"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Judgement(_Strict):
    """A gate's result on one artefact; ``partition`` is the drop, or ``all``."""

    partition: str
    result: GateResult

    @property
    def name(self) -> str:
        """How an override names it: the gate, with the drop where there are several."""
        return self.result.gate if self.partition == "all" else f"{self.result.gate}@{self.partition}"


class Evidence(_Strict):
    """An artefact that was judged. ``digest`` is its manifest's; ``key`` finds it in the store."""

    stage: str
    partition: str
    key: str
    digest: str


def key_of(item: Evidence) -> str:
    """How a mapping of artefacts names it: the stage, with the drop where there are several."""
    return item.stage if item.partition == "all" else f"{item.stage}/{item.partition}"


class ThreatVerdict(_Strict):
    """The worst verdict among the gates that cover a threat, by the names of their judgements.

    ``at_release``: only gates of approval and release cover it, which are judged there.
    """

    threat: str
    verdict: ThreatOutcome
    judgements: tuple[str, ...]


class Verdict(_Strict):
    """``flaws`` say why the evidence itself cannot be used; one is enough to fail, and nobody can override it."""

    candidate: str
    verdict: Outcome
    judgements: tuple[Judgement, ...]
    flaws: tuple[str, ...]
    threats: tuple[ThreatVerdict, ...]
    evidence: tuple[Evidence, ...]
    digests: dict[str, str]
    author: str = ""

    @cached_property
    def digest(self) -> str:
        return digest_json(self.to_json())

    def blocking(self) -> tuple[Judgement, ...]:
        return tuple(judgement for judgement in self.judgements if judgement.result.verdict != "pass")

    def to_json(self) -> dict[str, Any]:
        return self.model_dump(mode="json")

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> "Verdict":
        return cls.model_validate(body)
