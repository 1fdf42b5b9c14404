"""The lineage as a Kubeflow pipeline: a component a stage, over ``hallmark stage``.

Nothing is decided here that ``hallmark run`` decides otherwise: each component calls one stage, which proves its
predecessor, finds its artefact or makes it, and judges its gates. A drop that a gate holds does not fail the pipeline;
it waits for a person, and the corpus is built without it. Caching is off: what need not be done again is known from the
artefacts, not from Kubeflow's own record.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kfp import compiler, dsl

NAME = "hallmark"
HOME = "/var/lib/hallmark"  # where the image expects the workspace


@dataclass(frozen=True, slots=True)
class Cluster:
    """What the components run in: image, volume of the workspace, secret with the keys, GPUs of training and trials.

    An empty ``claim`` or ``secret`` mounts none: for a run on this machine.
    """

    image: str = "hallmark:0.1.0"
    claim: str = "hallmark-workspace"
    secret: str = "hallmark-secrets"  # noqa: S105 (the name of one)
    config: str = "hallmark-config"
    gpus: int = 0


def _drops() -> list:  # type: ignore[type-arg]  # Kubeflow reads the annotation
    """The drops in the store, in the order in which they are screened."""
    import json
    import subprocess
    import sys

    command = [sys.executable, "-m", "pipelines.command", "stage", "list", "--json"]
    told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return [drop["partition"] for drop in json.loads(told.splitlines()[-1])]


def _stage(name: str, partition: str, before: str) -> str:
    """Run one stage; its verdict, or ``held`` where what came ``before`` did not pass."""
    import json
    import subprocess
    import sys

    if before not in ("", "pass"):
        return "held"
    command = [sys.executable, "-m", "pipelines.command", "stage", name, "--json"]
    ended = subprocess.run(
        command + (["--partition", partition] if partition else []), check=False, stdout=subprocess.PIPE, text=True
    )
    if ended.returncode not in (0, 1, 3):  # 1: a gate failed; 3: one is inconclusive
        raise RuntimeError(f"{name} {partition} ended with status {ended.returncode}; its log says why")
    lines = ended.stdout.splitlines()
    return str(json.loads(lines[-1])["verdict"]) if lines else "held"


def _admitted(verdicts: list) -> str:  # type: ignore[type-arg]
    """``pass`` if at least one drop was admitted."""
    return "pass" if "pass" in verdicts else "held"


def pipeline(cluster: Cluster) -> Any:
    """The pipeline, for the compiler or for a local runner."""
    made = [
        dsl.component(each, base_image=cluster.image, install_kfp_package=False) for each in (_drops, _stage, _admitted)
    ]
    drops, stage, admitted = made

    def run(name: str, before: Any, partition: Any = "", *, accelerated: bool = False) -> Any:
        return _placed(stage(name=name, partition=partition, before=before), cluster, name, accelerated)

    @dsl.pipeline(  # type: ignore[untyped-decorator]
        name=NAME, description="Prove the drops, train a candidate, put it on trial."
    )
    def lineage() -> None:
        with dsl.ParallelFor(_placed(drops(), cluster, "list the drops").output) as partition:
            raw = run("raw_drop", "", partition)
            validated = run("validated_records", raw.output, partition)
            sanitized = run("sanitized_records", validated.output, partition)
            screened = run("screened_records", sanitized.output, partition)
        some = _placed(admitted(verdicts=dsl.Collected(screened.output)), cluster, "any drop admitted?")
        corpus = run("training_corpus", some.output)
        adapter = run("lora_adapter", corpus.output, accelerated=True)
        trials = [
            run(name, adapter.output, accelerated=True)
            for name in ("golden_evaluation", "backdoor_scan", "memorization_audit", "extraction_audit")
        ]
        # A trial that fails still ends in a verdict and a dossier.
        run("evaluated_adapter", adapter.output).after(*trials)

    return lineage


def _placed(task: Any, cluster: Cluster, name: str, accelerated: bool = False) -> Any:
    task.set_display_name(name)
    task.set_caching_options(enable_caching=False)
    if cluster.claim:
        from kfp import kubernetes

        kubernetes.mount_pvc(task, pvc_name=cluster.claim, mount_path=HOME)
        kubernetes.use_secret_as_env(
            task, secret_name=cluster.secret, secret_key_to_env={name: name for name in SECRETS}, optional=True
        )
        kubernetes.use_config_map_as_env(
            task, config_map_name=cluster.config, config_map_key_to_env={name: name for name in SETTINGS}, optional=True
        )
    if accelerated and cluster.gpus:
        task.set_accelerator_type("nvidia.com/gpu").set_accelerator_limit(cluster.gpus)
    return task


# What a component may be told by the cluster: keys of the secret and of the config map, named as the variables are.
SECRETS = ("HALLMARK_VAULT_KEY", "HALLMARK_KEY_PASSPHRASE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
SETTINGS = (
    "HALLMARK_STORE",
    "HALLMARK_S3_ENDPOINT",
    "HALLMARK_POLICY",
    "HALLMARK_RECIPE",
    "HALLMARK_BASE",
    "HALLMARK_GOLDEN",
    "HALLMARK_AUTHOR",
    "HALLMARK_WEBHOOK",
    "AWS_DEFAULT_REGION",
)


def export(cluster: Cluster, path: Path) -> None:
    """Compile to the YAML that Kubeflow Pipelines takes. ``path`` ends in ``.yaml``."""
    compiler.Compiler().compile(pipeline(cluster), str(path))
