"""Where steps run, chosen by the environment: the same jobs on a laptop and on a cluster.

=============================== =====================================================================================
``HALLMARK_EXECUTOR``           ``auto`` (default): drops in one process, the stages of a candidate in processes beside
                                each other where there are cores and memory for it and no GPU.
                                ``in_process``: one process. ``multiprocess``: a process a step.
                                ``k8s_job``: a Kubernetes job a step (``dagster-k8s``).
``HALLMARK_GPUS``               GPUs that training and each trial ask Kubernetes for; default none.
``HALLMARK_PROCESSES``          steps at a time under ``auto``, ``multiprocess`` and ``k8s_job``; default: what the
                                machine has room for, on a cluster Dagster's own. In one process: processes that make
                                the shards of a large drop; default one a core.
``HALLMARK_TRAINER``            ``process`` (default): training is a process beside the run. ``kubeflow``: a TrainJob.
``HALLMARK_TRAINER_IMAGE``      its image; ``HALLMARK_TRAINER_NODES`` (default 1) nodes with ``HALLMARK_GPUS`` each, in
                                ``HALLMARK_TRAINER_NAMESPACE``; messages go through the bucket
                                ``HALLMARK_TRAINER_BUCKET``.
=============================== =====================================================================================

A run that needs an accelerator carries the tag ``hallmark/gpu``, by which an instance limits how many run at a time.
"""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg

from expectations.checks import TRIALS
from resources.errors import UsageError
from resources.memory import GIB, available
from resources.process import cores

EXECUTOR, GPUS, PROCESSES = "HALLMARK_EXECUTOR", "HALLMARK_GPUS", "HALLMARK_PROCESSES"
TRAINER = "HALLMARK_TRAINER"
GPU_TAG = "hallmark/gpu"
ACCELERATED = ("lora_adapter", *TRIALS, "release_red_team")  # stages that compute with the model
# Memory of one trial: libraries, activations and what the allocator keeps (measured on the bundled base: 1.4 to 5.7 GB,
# the most where a student is trained), and the weights, which are often read as float32 from files in half precision.
TRIAL_BYTES, TIMES_WEIGHTS, BUNDLED_BYTES = 5 * GIB, 4, GIB // 4


def engine(job: str, *, alone: bool = False) -> str:
    """Where the steps of a job run: ``in_process``, ``multiprocess`` or ``k8s_job``; ``UsageError`` for another.

    ``alone``: it is one step, that has none to run beside.
    """
    name = os.environ.get(EXECUTOR, "auto")
    if name == "auto":
        return "multiprocess" if job == "build_candidate" and not alone and steps_at_once() > 1 else "in_process"
    if name not in ("in_process", "multiprocess", "k8s_job"):
        raise UsageError(f"{EXECUTOR}={name}: choose auto, in_process, multiprocess or k8s_job")
    return name


def executor(job: str) -> dg.ExecutorDefinition:
    """The executor of a job."""
    name = engine(job)
    if name == "in_process":
        return dg.in_process_executor
    if name == "multiprocess":
        started = {"forkserver": {"preload_modules": ["pipelines.steps"]}}
        return dg.multiprocess_executor.configured({"max_concurrent": steps_at_once(), "start_method": started})
    from dagster_k8s import k8s_job_executor

    most = {"max_concurrent": _count(PROCESSES)} if _count(PROCESSES) else {}
    return k8s_job_executor.configured({**most, "per_step_k8s_config": _step_config()})


def steps_at_once() -> int:
    """How many steps run beside each other on this machine: one a core, where there is memory for as many trials.

    Trials that share a GPU would wait for each other: there it is one.
    """
    if said := _count(PROCESSES):
        return said
    if os.environ.get("CUDA_VISIBLE_DEVICES") != "" and shutil.which("nvidia-smi"):
        return 1
    base = os.environ.get("HALLMARK_BASE")
    weights = sum(path.stat().st_size for path in Path(base).glob("*.safetensors")) if base else BUNDLED_BYTES
    return max(1, min(cores(), len(TRIALS), available("cpu") // (TRIAL_BYTES + TIMES_WEIGHTS * weights)))


def threads() -> int:
    """Of each of the steps that run beside each other."""
    return max(1, cores() // steps_at_once())


def trainer() -> dg.PipesClient:
    """Where training runs; ``UsageError`` for an unknown place, or one that is not described whole."""
    name = os.environ.get(TRAINER, "process")
    if name == "process":
        return dg.PipesSubprocessClient()
    if name != "kubeflow":
        raise UsageError(f"{TRAINER}={name}: choose process or kubeflow")
    from resources.kubeflow_training import KubeflowTrainingClient, TrainingPlace

    said = {part: os.environ.get(f"{TRAINER}_{part}", "") for part in ("IMAGE", "BUCKET", "NAMESPACE")}
    missing = [f"{TRAINER}_{part}" for part, value in said.items() if not value]
    if missing:
        raise UsageError(f"{TRAINER}=kubeflow needs {', '.join(missing)}")
    nodes = _count(f"{TRAINER}_NODES") or 1
    place = TrainingPlace(said["IMAGE"], said["BUCKET"], said["NAMESPACE"], nodes=nodes, gpus=_count(GPUS))
    return KubeflowTrainingClient(place)


def spreads() -> bool:
    """Whether steps run beside each other, so that the shards of a large drop are steps; else worker processes."""
    return engine("prove_drop") != "in_process"


def processes() -> int:
    return _count(PROCESSES)


def run_tags(*, accelerated: bool) -> Mapping[str, Any]:
    """Tags of a run: what an instance's limits name, and what its pod asks for where a run is one process."""
    if not accelerated:
        return {}
    tags: dict[str, Any] = {GPU_TAG: "1"}
    if _count(GPUS) and os.environ.get(EXECUTOR) != "k8s_job":  # there the steps ask, not the run
        tags["dagster-k8s/config"] = _gpu_config()
    return tags


def _step_config() -> dict[str, Any]:
    return {stage: _gpu_config() for stage in ACCELERATED} if _count(GPUS) else {}


def _gpu_config() -> dict[str, Any]:
    return {"container_config": {"resources": {"limits": {"nvidia.com/gpu": str(_count(GPUS))}}}}


def _count(name: str) -> int:
    text = os.environ.get(name, "0")
    if not text.isdigit():
        raise UsageError(f"{name}={text}: a whole number is needed")
    return int(text)
