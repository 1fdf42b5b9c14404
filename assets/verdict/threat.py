"""The threat model's own words: what a threat and a probe are.

``expectations/threats.yaml`` holds them as data and ``expectations.threats`` reads and validates it; here are only the
shapes, so that the verdict and the dossier can be given a threat model without knowing where it is kept.
"""

from functools import cached_property
from typing import Literal

from pydantic import BaseModel, ConfigDict

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
    """One row of the threat table: who may do what, what is run against it, and which gates judge the result.

    ``limits`` is what the probes cannot see, ``residual`` the risk that a team still carries.
    """

    name: str
    title: str
    vector: str
    actor: str
    motivation: str
    impact: str
    severity: Severity
    probes: tuple[str, ...]
    gates: tuple[str, ...] = ()
    limits: str
    residual: str
    owasp: tuple[str, ...] = ()
    atlas: tuple[str, ...] = ()
    nist: tuple[str, ...] = ()


class ThreatModel(_Strict):
    """Who may do what to the model, and what is run against it.

    ``terms`` are words of the company's own that an attacker would take as triggers; the backdoor scan tries them.
    """

    name: str
    terms: tuple[str, ...] = ()
    probes: tuple[Probe, ...]
    threats: tuple[Threat, ...]

    @cached_property
    def digest(self) -> str:
        return digest_json(self.model_dump(mode="json"))

    def threat(self, name: str) -> Threat:
        return next(threat for threat in self.threats if threat.name == name)

    def probes_of(self, stage: str) -> tuple[Probe, ...]:
        """What a stage is to run: its probes that at least one threat names (law 11)."""
        named = {probe for threat in self.threats for probe in threat.probes}
        return tuple(probe for probe in self.probes if probe.stage == stage and probe.name in named)

    def digest_of(self, stage: str) -> str:
        """Of what a stage is to try. A word changed elsewhere in the threat model does not make it run again."""
        named = [probe.name for probe in self.probes_of(stage)]
        return digest_json({"probes": named, "terms": self.terms if "company_terms" in named else ()})
