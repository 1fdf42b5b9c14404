"""How a trial asset runs: the proven adapter on its base; a report and metrics, sealed under the adapter's digest."""

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assets.adapter.asset import STAGE as ADAPTER
from assets.stage import Stage, base_of, policy_of, proven
from resources.artifacts import Artifact, Draft, Metric
from resources.project import Project

if TYPE_CHECKING:
    from resources.language_model import LanguageModel

Report = tuple[Mapping[str, Any], Mapping[str, Metric]]
LINE_EVERY = 10.0  # seconds between progress lines

ADAPTER_FOLDER = "adapter"
LONGEST_FIRST = ("golden_evaluation", "backdoor_scan", "extraction_audit", "memorization_audit")


def trial_stage(name: str, version: str, more: Callable[[Project], dict[str, str]] = lambda project: {}) -> Stage:
    """A stage whose output depends on the adapter, the trial's settings and ``more``."""

    def inputs(project: Project, partition: str) -> dict[str, str]:
        adapter = proven(project, ADAPTER.name)
        settings = policy_of(project).stage_digest(name)
        return {ADAPTER.name: adapter.manifest.digest, "settings": settings, **more(project)}

    return Stage(name, version, inputs)


def trial_tags(name: str) -> dict[str, str]:
    """By which an executor starts the longest trial first: of two at a time, none is left to run alone at the end.

    Graham, "Bounds on multiprocessing timing anomalies" (1969): the longest job first is at most a third from the best.
    """
    return {"dagster/priority": str(len(LONGEST_FIRST) - LONGEST_FIRST.index(name))}


def run_trial(project: Project, stage: Stage, file: str, conduct: Callable[[Path], Report]) -> Artifact:
    """Conduct a trial on the proven adapter folder, unless it was already, and seal its report as ``file``."""

    def build(draft: Draft) -> Artifact:
        report, metrics = conduct(proven(project, ADAPTER.name).path(ADAPTER_FOLDER))
        body = json.loads(json.dumps(report, default=float))
        body.pop("seconds", None)  # the manifest has them; the same trial gives the same report
        draft.write_json(file, body)
        return draft.seal(metrics=metrics)

    return stage.make(project, build)


def load_model(project: Project, adapter: Path) -> "LanguageModel":
    from resources.language_model import LanguageModel

    return LanguageModel.load(base_of(project), adapter, cache=project.workspace.models)


def lines(log: Callable[[str], None]) -> Callable[[str, int, int], None]:
    """A progress listener that logs now and then."""
    last = 0.0

    def listen(what: str, done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last >= LINE_EVERY:
            last = time.monotonic()
            log(f"{what} {done}/{total}")

    return listen
