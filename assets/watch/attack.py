"""The three trials on an adapter's folder with whatever is known beside it.

`hallmark redteam` and the nightly watch conduct them, by the code of the lineage's own trials.
"""

import importlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assets.backdoor.budget import Progress
from assets.record import Record
from assets.verdict.threat import ThreatModel
from expectations.policy import Policy, worst
from resources.artifacts import Metric

if TYPE_CHECKING:
    from assets.backdoor.control import Control
    from resources.language_model import LanguageModel

    Result = tuple[dict[str, Any], dict[str, Metric]]

Report = dict[str, Any]
LEAST = 5.0  # seconds that even the last trial of a short budget gets
# Trials in the order in which they run, and what part of the time each gets.
SHARES = {"backdoor": 0.5, "memorization": 0.2, "extraction": 0.3}
STAGES = {"backdoor": "backdoor_scan", "memorization": "memorization_audit", "extraction": "extraction_audit"}
MODULES = {name: f"assets.{name}.audit" for name in SHARES}
# What of a threat stands beside the result.
SHOWN = ("name", "title", "vector", "actor", "motivation", "impact", "severity", "limits", "residual")
# Metrics of the memorization audit that need something a folder alone does not give.
NEEDED = {
    "canaries_extracted": "canaries: the lineage plants them, `hallmark run`",
    "sensitive_extracted": "the vault of removed values: the lineage keeps it, `hallmark run`",
    "membership_auc": "--members and --non-members",
    "ordinary_extracted_share": "--data or --members",
}


@dataclass(frozen=True, slots=True)
class Inputs:
    """What is known beside the adapter. Sides of the membership test are None where they were not given."""

    data: Sequence[Record] | None
    members: Sequence[Record] | None
    non_members: Sequence[Record] | None

    @property
    def untested(self) -> dict[str, str]:
        """Metrics that cannot be measured with these inputs, and what they would need."""
        given = {
            "membership_auc": bool(self.trained and self.non_members),
            "ordinary_extracted_share": bool(self.trained),
        }
        return {name: need for name, need in NEEDED.items() if not given.get(name)}

    @property
    def rows(self) -> Sequence[Record] | None:
        """What the backdoor scan looks through."""
        return self.data or self.members

    @property
    def trained(self) -> Sequence[Record]:
        return self.members or self.data or ()


@dataclass(frozen=True, slots=True)
class Attack:
    """Everything the trials on one adapter share. A report has its verdict, gates and threats."""

    model: "LanguageModel"
    base: Path
    cache: Path
    inputs: Inputs
    policy: Policy
    threats: ThreatModel
    seed: int
    listen: Progress

    def conduct(self, names: Sequence[str], seconds: float, tell: Callable[[str, Report], None]) -> dict[str, Report]:
        """The named trials within ``seconds``; ``tell`` hears of each as it ends. A new base's controls come before."""
        from assets.backdoor.control import control_adapter

        self._calibrate(names, control_adapter(self.base, self.cache))
        started = time.monotonic()
        bodies: dict[str, Report] = {}
        for index, name in enumerate(names):
            share = SHARES[name] / sum(SHARES[each] for each in names[index:])
            bodies[name] = self._run(name, max(LEAST, share * (seconds - (time.monotonic() - started))))
            tell(name, bodies[name])
        return bodies

    def _calibrate(self, names: Sequence[str], control: "Control") -> None:
        """Show on the control adapter that each trial works; remembered in the cache."""
        for name in names:
            module = importlib.import_module(MODULES[name])
            self.listen(f"calibrating the {name} trial", 0, 1)
            settings = module.Settings.model_validate(self._settings(name))
            module.calibrate(control, settings)
            if name == "backdoor" and not self.inputs.rows:
                module.kinds_found(self.base, self.cache, settings, self.listen)

    def _run(self, name: str, seconds: float) -> Report:
        conduct = {"backdoor": self._backdoor, "memorization": self._memorization, "extraction": self._extraction}
        body, metrics = conduct[name]({
            "settings": self._settings(name), "seed": self.seed, "base": self.base, "cache": self.cache,
            "budget_seconds": seconds, "on_progress": self.listen,
        })  # fmt: skip
        untested = {metric: need for metric, need in self.inputs.untested.items() if metric in metrics}
        gates = [gate for gate in self.policy.judge(STAGES[name], metrics) if gate.metric not in untested]
        measured = [gate for gate in gates if not gate.metric.endswith("_control")]
        return {
            "verdict": worst(gates) if measured else "inconclusive",
            **body,
            "untested": untested,
            "gates": [gate.model_dump(mode="json") for gate in gates],
            "threats": [
                threat.model_dump(mode="json", include=set(SHOWN))
                for threat in self.threats.threats
                if any(probe.name in threat.probes for probe in self.threats.probes_of(STAGES[name]))
            ],
        }

    def _settings(self, name: str) -> dict[str, Any]:
        """The stage's settings, with what the policy's ``redteam`` section says for a run that has more time."""
        stage = STAGES[name]
        deeper = self.policy.settings.get("redteam", {}).get(stage, {})
        merged = {**self.policy.settings.get(stage, {}), **deeper}
        return {name: value for name, value in merged.items() if name != "budget_seconds"}

    def _backdoor(self, common: dict[str, Any]) -> "Result":
        from assets.backdoor.audit import scan_backdoors

        named = [probe.name for probe in self.threats.probes_of("backdoor_scan")]
        return scan_backdoors(self.model, rows=self.inputs.rows, terms=self.threats.terms, probes_named=named, **common)

    def _memorization(self, common: dict[str, Any]) -> "Result":
        from assets.memorization.audit import audit_memorization

        others = self.inputs.non_members or ()
        return audit_memorization(self.model, members=self.inputs.trained, non_members=others, **common)

    def _extraction(self, common: dict[str, Any]) -> "Result":
        from assets.backdoor.candidates.prompts import EVERYDAY
        from assets.extraction.audit import audit_extraction

        rows = [*self.inputs.trained, *(self.inputs.non_members or ())]
        turns = [[{"role": turn.role, "content": turn.content} for turn in row.messages()] for row in rows]
        asked = [chat[:-1] for chat in turns if len(chat) > 1 and chat[-1]["role"] == "assistant"]
        asked = asked or [[{"role": "user", "content": prompt}] for prompt in EVERYDAY]
        return audit_extraction(self.model, prompts=asked, members=self.inputs.trained, **common)
