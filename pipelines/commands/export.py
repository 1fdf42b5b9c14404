"""``hallmark export``: the lineage as a pipeline for another engine."""

from pathlib import Path

import click

from pipelines.report import console
from resources.errors import UsageError


@click.group("export")
def command() -> None:
    """Write the lineage as a pipeline for another engine."""


@command.command("kfp")
@click.option("-o", "--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="YAML file to write.")
@click.option("--image", default="hallmark:0.1.0", show_default=True, help="Image that the components run in.")
@click.option(
    "--claim", default="hallmark-workspace", show_default=True, help="Volume claim (ReadWriteMany) of the workspace."
)
@click.option("--secret", default="hallmark-secrets", show_default=True, help="Secret with keys and credentials.")
@click.option("--config", default="hallmark-config", show_default=True, help="Config map with addresses.")
@click.option("--gpus", type=click.IntRange(min=0), default=0, show_default=True, help="GPUs of training and trials.")
def kfp(out: Path, image: str, claim: str, secret: str, config: str, gpus: int) -> int:
    """Write a Kubeflow pipeline: a component a stage, over `hallmark stage`.

    \b
      hallmark export kfp -o pipeline.yaml --image registry.example/hallmark:0.1.0 --gpus 1
    """
    if out.suffix not in (".yaml", ".yml"):
        raise UsageError(f"{out}: Kubeflow takes a name that ends in .yaml")
    try:
        from pipelines.kubeflow import Cluster, export
    except ImportError as error:
        raise UsageError("Kubeflow's client is not installed: pip install 'hallmark[cluster]'") from error
    export(Cluster(image, claim, secret, config, gpus), out)
    console.print(f"{out}: upload it to Kubeflow Pipelines, or compile it into your own", highlight=False)
    return 0
