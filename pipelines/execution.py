"""Where steps run, chosen by the environment: the same jobs on a laptop and on a cluster.

=============================== =====================================================================================
``HALLMARK_EXECUTOR``           ``in_process`` (default): one process, in which the stages share loaded models.
                                ``multiprocess``: a process a step; the trials run beside each other.
                                ``k8s_job``: a Kubernetes job a step (``dagster-k8s``).
``HALLMARK_GPUS``               GPUs that training and each trial ask Kubernetes for; default none.
``HALLMARK_PROCESSES``          steps at a time under ``multiprocess`` and ``k8s_job``; default Dagster's own. Under
                                ``in_process``: processes that make the shards of a large drop; default one a core.
``HALLMARK_TRAINER``            ``process`` (default): training is a process beside the run. ``kubeflow``: a TrainJob.
``HALLMARK_TRAINER_IMAGE``      its image; ``HALLMARK_TRAINER_NODES`` (default 1) nodes with ``HALLMARK_GPUS`` each, in
                                ``HALLMARK_TRAINER_NAMESPACE``; messages go through the bucket
                                ``HALLMARK_TRAINER_BUCKET``.
=============================== =====================================================================================

A run that needs an accelerator carries the tag ``hallmark/gpu``, by which an instance limits how many run at a time.
"""

import os
from collections.abc import Mapping
from typing import Any

import dagster as dg

from expectations.checks import TRIALS
from resources.errors import UsageError

EXECUTOR, GPUS, PROCESSES = "HALLMARK_EXECUTOR", "HALLMARK_GPUS", "HALLMARK_PROCESSES"
TRAINER = "HALLMARK_TRAINER"
GPU_TAG = "hallmark/gpu"
ACCELERATED = ("lora_adapter", *TRIALS, "release_red_team")  # stages that compute with the model


def executor() -> dg.ExecutorDefinition:
    """The executor that the environment names; ``UsageError`` for one that does not exist."""
    name = os.environ.get(EXECUTOR, "in_process")
    if name == "in_process":
        return dg.in_process_executor
    if name == "multiprocess":
        return dg.multiprocess_executor.configured(_concurrency())
    if name == "k8s_job":
        from dagster_k8s import k8s_job_executor

        return k8s_job_executor.configured({**_concurrency(), "per_step_k8s_config": _step_config()})
    raise UsageError(f"{EXECUTOR}={name}: choose in_process, multiprocess or k8s_job")


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
    return os.environ.get(EXECUTOR, "in_process") != "in_process"


def processes() -> int:
    return _count(PROCESSES)


def run_tags(*, accelerated: bool) -> Mapping[str, Any]:
    """Tags of a run: what an instance's limits name, and what its pod asks for where a run is one process."""
    if not accelerated:
        return {}
    tags: dict[str, Any] = {GPU_TAG: "1"}
    if _count(GPUS) and os.environ.get(EXECUTOR, "in_process") != "k8s_job":  # there the steps ask, not the run
        tags["dagster-k8s/config"] = _gpu_config()
    return tags


def _concurrency() -> dict[str, int]:
    count = _count(PROCESSES)
    return {"max_concurrent": count} if count else {}


def _step_config() -> dict[str, Any]:
    return {stage: _gpu_config() for stage in ACCELERATED} if _count(GPUS) else {}


def _gpu_config() -> dict[str, Any]:
    return {"container_config": {"resources": {"limits": {"nvidia.com/gpu": str(_count(GPUS))}}}}


def _count(name: str) -> int:
    text = os.environ.get(name, "0")
    if not text.isdigit():
        raise UsageError(f"{name}={text}: a whole number is needed")
    return int(text)
