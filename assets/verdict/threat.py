"""The threat model's own words: what a threat, a probe and a profile are.

``expectations/threats.yaml`` holds them as data and ``expectations.threats`` reads and validates it; here are only the
shapes, so that the verdict and the dossier can be given a threat model without knowing where it is kept. Which gates cover
a threat is said once, by the gate (``threats:`` in the policy); which probes cover it, by the threat.
"""

from functools import cached_property
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from resources.digests import digest_json

Severity = Literal["critical", "high", "medium", "low"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Probe(_Strict):
    """Something that is run against data or an adapter. ``control`` says how its power is shown in the same run."""

    name: str
    stage: str
    what: str
    control: str = ""


class Threat(_Strict):
    """One row of the threat table. ``limits`` is what the probes cannot see, ``residual`` what a team still carries."""

    name: str
    title: str
    vector: str
    actor: str
    motivation: str
    impact: str
    severity: Severity
    probes: tuple[str, ...]
    limits: str
    residual: str
    owasp: tuple[str, ...] = ()
    atlas: tuple[str, ...] = ()
    nist: tuple[str, ...] = ()


class Limit(_Strict):
    """What a profile changes in a gate; what is not said stays as the policy has it."""

    min: float | None = None
    max: float | None = None
    min_n: int | None = None


class Profile(_Strict):
    """A kind of use, with its own limits and rules of approval over those of the policy."""

    name: str
    what: str
    gates: dict[str, Limit] = Field(default_factory=dict)
    approval: dict[str, Any] = Field(default_factory=dict)


class ThreatModel(_Strict):
    """Who may do what to the model, and what is run against it."""

    name: str
    probes: tuple[Probe, ...]
    threats: tuple[Threat, ...]
    profiles: tuple[Profile, ...] = ()

    @cached_property
    def digest(self) -> str:
        return digest_json(self.model_dump(mode="json"))

    def threat(self, name: str) -> Threat:
        return next(threat for threat in self.threats if threat.name == name)

    def probes_of(self, stage: str) -> tuple[Probe, ...]:
        """What a stage is to run: its probes that at least one threat names (law 11)."""
        named = {probe for threat in self.threats for probe in threat.probes}
        return tuple(probe for probe in self.probes if probe.stage == stage and probe.name in named)
