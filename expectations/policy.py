"""The policy: which limits hold, as data, and the judgement of a metric against its limit.

In    the metrics that the stages recorded
Out   a verdict for each gate; why it is there, by the threats it answers
Read  policy.yaml (the limits), profiles.py (limits by kind of use), threats.py and threats.yaml (what each gate is
      for), suite.py (what a row must be), checks.py (the same, shown in Dagster)

``policy.yaml`` beside this module is the default; a team copies and edits it (``HALLMARK_POLICY`` or ``--policy`` names
another). It is validated on load. Judgement fails closed (law 3) and knows three verdicts (law 4)::

    pass          a finite metric, of enough samples, inside its limit
    fail          outside the limit, absent, or not a finite number
    inconclusive  measured but unproven: too few samples, an interval across the limit, or the trial says what it lacked

>>> gate = Gate(name="share", stage="s", metric="m", max=0.2, threats=("t",))
>>> gate.judge({"m": Metric(0.1)}).verdict, gate.judge({"m": Metric(float("nan"))}).verdict, gate.judge({}).verdict
('pass', 'fail', 'fail')
>>> gate.judge({"m": Metric(None, missing="no rows")}).verdict
'inconclusive'
"""

import math
import os
from collections.abc import Iterable, Mapping
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from expectations.profiles import with_profile
from resources.artifacts import Metric
from resources.digests import digest_json
from resources.errors import InputError

Verdict = Literal["pass", "fail", "inconclusive"]
DEFAULT_POLICY = Path(__file__).with_name("policy.yaml")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class GateResult(_Strict):
    """One gate's verdict, with everything a reader needs to see why."""

    gate: str
    stage: str
    metric: str
    verdict: Verdict
    value: float | None
    limit: str
    n: int | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    reason: str


class Gate(_Strict):
    """A limit on one metric of one stage. ``bound`` names which end of the evidence must be inside the limit.
    ``carried``: an inconclusive verdict does not hold the drop but makes the candidate's inconclusive, for whom an
    approver must override it by name, with a reason."""

    name: str
    stage: str
    metric: str
    min: float | None = None
    max: float | None = None
    min_n: int = 0
    bound: Literal["value", "interval"] = "value"
    threats: tuple[str, ...] = ()
    explain: str = ""
    carried: bool = False

    @model_validator(mode="after")
    def _has_a_limit(self) -> Self:
        if self.min is None and self.max is None:
            raise ValueError(f"gate {self.name} has no limit and could not fail")
        return self

    @property
    def limit(self) -> str:
        low = f">= {self.min:g}" if self.min is not None else ""
        high = f"<= {self.max:g}" if self.max is not None else ""
        return " and ".join(part for part in (low, high) if part)

    def judge(self, metrics: Mapping[str, Metric]) -> GateResult:
        metric = metrics.get(self.metric)
        verdict, reason = self._verdict(metric)
        found = metric or Metric(None)
        value = found.value if found.value is not None and math.isfinite(found.value) else None
        return GateResult(
            gate=self.name,
            stage=self.stage,
            metric=self.metric,
            verdict=verdict,
            value=value,
            limit=self.limit,
            n=found.n,
            ci_low=found.ci_low,
            ci_high=found.ci_high,
            reason=reason,
        )

    def _verdict(self, metric: Metric | None) -> tuple[Verdict, str]:  # noqa: PLR0911 (one return a rule)
        if metric is None:
            return "fail", f"{self.stage} reported no {self.metric}"
        if metric.missing:
            return "inconclusive", metric.missing
        if metric.value is None or not math.isfinite(metric.value):
            return "fail", f"{self.metric} is not a finite number"
        if self.min_n and (metric.n is None or metric.n < self.min_n):
            return "inconclusive", f"{metric.n or 0} samples, {self.min_n} needed"
        if self.bound == "value":
            inside = self._inside(metric.value)
            return ("pass" if inside else "fail"), f"{self.metric} {metric.value:.4g}, limit {self.limit}"
        if metric.ci_low is None or metric.ci_high is None or not math.isfinite(metric.ci_low + metric.ci_high):
            return "fail", f"{self.metric} has no finite interval"
        interval = f"{self.metric} {metric.value:.4g} [{metric.ci_low:.4g}, {metric.ci_high:.4g}], limit {self.limit}"
        if self._inside(metric.ci_low) and self._inside(metric.ci_high):
            return "pass", interval
        if self._disjoint(metric.ci_low, metric.ci_high):
            return "fail", interval
        return "inconclusive", f"{interval}: the interval lies across it"

    def _inside(self, value: float) -> bool:
        return (self.min is None or value >= self.min) and (self.max is None or value <= self.max)

    def _disjoint(self, low: float, high: float) -> bool:
        return (self.max is not None and low > self.max) or (self.min is not None and high < self.min)


class Policy(_Strict):
    """``gates`` hold limits; ``settings`` holds, by stage, what that stage reads (each stage validates its own)."""

    name: str
    gates: tuple[Gate, ...]
    settings: dict[str, dict[str, Any]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        names = [gate.name for gate in self.gates]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"gates named twice: {twice}")
        return self

    @classmethod
    def load(cls, path: Path | None = None) -> "Policy":
        """Read a policy file; ``InputError`` names the place of every mistake in it."""
        source = path or Path(os.environ.get("HALLMARK_POLICY") or DEFAULT_POLICY)
        try:
            # Steps ask for it again and again; each gets one of its own, for settings are dictionaries.
            return _parsed(source.read_text(encoding="utf-8")).model_copy(deep=True)
        except (OSError, yaml.YAMLError) as error:
            raise InputError(str(error), object_key=str(source), rule="policy-readable") from error
        except ValidationError as error:
            wrong = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
            raise InputError(wrong, object_key=str(source), rule="policy-valid") from error

    @cached_property
    def digest(self) -> str:
        return digest_json(self.model_dump(mode="json"))

    def stage_digest(self, stage: str) -> str:
        """Digest of what a stage's output depends on: its settings, not the limits judged afterwards."""
        return digest_json(self.settings.get(stage, {}))

    def gates_of(self, stage: str) -> tuple[Gate, ...]:
        return tuple(gate for gate in self.gates if gate.stage == stage)

    def holding(self, results: Iterable[GateResult]) -> list[GateResult]:
        """Of the results those that hold a stage: all that did not pass, but for an inconclusive one of a gate that is
        ``carried``, which the candidate's verdict takes over."""
        carried = {gate.name for gate in self.gates if gate.carried}
        return [
            result
            for result in results
            if result.verdict == "fail" or (result.verdict == "inconclusive" and result.gate not in carried)
        ]

    def judge(self, stage: str, metrics: Mapping[str, Metric]) -> list[GateResult]:
        """Every gate of a stage. A stage without gates is a mistake in the policy, not a pass."""
        gates = self.gates_of(stage)
        if not gates:
            raise InputError(f"no gate guards {stage}", object_key=self.name, rule="policy-covers-stage")
        return [gate.judge(metrics) for gate in gates]


@lru_cache(maxsize=8)
def _parsed(text: str) -> Policy:
    return Policy.model_validate(with_profile(yaml.load(text, _LOADER)))  # noqa: S506 (both loaders are safe ones)


_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def worst(results: list[GateResult]) -> Verdict:
    """The verdict of several gates: any fail fails; else any inconclusive is inconclusive; nothing judged is a fail."""
    verdicts = {result.verdict for result in results}
    if not verdicts or "fail" in verdicts:
        return "fail"
    return "inconclusive" if "inconclusive" in verdicts else "pass"
