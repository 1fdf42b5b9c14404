"""The trials without a candidate: what each holds it against, made while there is none yet.

A control adapter with a known backdoor, a student that steals it, a base that refuses, what the base answers: all of it
hangs on the base and the policy alone and is kept by their digests. A trial that finds it missing makes it itself, one
that finds it being made waits. So ``hallmark run`` has it made beside the data stages, on a core they leave idle.
"""

import contextlib
import importlib
import os
import subprocess
import sys
from collections.abc import Iterator

from pipelines.execution import engine, steps_at_once
from resources.process import end, settle
from resources.project import Project

PATIENCE = 5.0  # seconds from the request to end to the end


def rehearse(project: Project) -> None:
    """Make what the four trials need of this project's base."""
    from assets.backdoor.control import control_adapter
    from assets.golden.rehearsal import rehearse as rehearse_golden
    from assets.golden.settings import EvaluationSettings
    from assets.stage import base_of, policy_of, settings_of
    from assets.watch.attack import MODULES, STAGES

    policy, base, cache = policy_of(project), base_of(project), project.workspace.models
    control = control_adapter(base, cache)
    for name, module in ((name, importlib.import_module(path)) for name, path in MODULES.items()):
        limits = {key: value for key, value in settings_of(project, STAGES[name]).items() if key != "budget_seconds"}
        module.calibrate(control, module.Settings.model_validate(limits))
    settings = EvaluationSettings.from_policy(settings_of(project, "golden_evaluation"))
    rehearse_golden(base, golden=project.golden_path, settings=settings, policy=policy, cache=cache)


@contextlib.contextmanager
def beside(project: Project) -> Iterator[None]:
    """Rehearse in a process of its own, where the machine has room for one, for as long as the block runs at most.

    What goes wrong there stands in ``logs/rehearsal.log`` and goes wrong again, for everybody to see, in the trial.
    """
    if engine("build_candidate") != "multiprocess" or steps_at_once() < 2:
        yield
        return
    log = project.workspace.logs / "rehearsal.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as stream:
        command = [sys.executable, "-m", "pipelines.rehearsal"]
        with subprocess.Popen(command, stdout=stream, stderr=stream, stdin=subprocess.DEVNULL) as process:
            try:
                yield
            finally:
                end(process, patience=PATIENCE)  # what is kept is put in place whole


def main() -> int:
    settle()
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # the stages have the other cores
    from pipelines.definitions import project

    rehearse(project())
    return 0


if __name__ == "__main__":
    sys.exit(main())
