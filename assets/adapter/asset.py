"""The asset ``lora_adapter``: a candidate, trained in a process of its own under Dagster Pipes.

In    the corpus, the base model and a recipe
Out   a LoRA adapter as PEFT writes it, `training.json`, and what it learnt on rows it was not trained on
Read  recipe.py (what may be chosen), train.py (the process), training.py (the loop), rows/ (rows as tokens),
      engine/ (the gradient, the optimiser, checkpoints, memory, processes), protection/ (against memorizing),
      health.py
"""

import json
import sys
import warnings
from pathlib import Path
from typing import Any

import dagster as dg
import yaml

from assets.adapter.health import loss_curve, metrics
from assets.adapter.recipe import Recipe
from assets.corpus.asset import STAGE as CORPUS
from assets.corpus.build import HOLDOUT, TRAIN
from assets.stage import OWNERS, Stage, base_of, materialization, proven, shown
from assets.verdict.assemble import adapter_digest
from assets.verdict.verdict import CANDIDATE_DIGITS
from resources.artifacts import Artifact, Draft
from resources.base_model import model_digests
from resources.project import Project

ROOT = Path(__file__).resolve().parent.parent.parent
REPORT = "training.json"


def recipe_of(project: Project) -> Recipe:
    return Recipe.from_yaml(project.recipe_path) if project.recipe_path else Recipe()


def _inputs(project: Project, partition: str) -> dict[str, str]:
    corpus = proven(project, CORPUS.name)
    base = model_digests(base_of(project)).whole
    return {CORPUS.name: corpus.manifest.digest, "base": base, "recipe": recipe_of(project).digest}


STAGE = Stage("lora_adapter", "3", _inputs)


def _feedback(project: Project, corpus: Artifact) -> list[str]:
    """The drops of the corpus that are corrections. The corpus's digest covers this: it goes back to the raw drops."""
    drops: list[str] = corpus.manifest.details["drops"]
    return [drop for drop in drops if proven(project, "raw_drop", drop).manifest.details.get("kind") == "feedback"]


@dg.asset(
    deps=["training_corpus"],
    group_name="model",
    kinds={"pytorch", "huggingface", "safetensors"},
    owners=OWNERS,
    code_version=STAGE.code_version,
    description="A LoRA adapter of the base model, trained on the corpus with loss on responses only. "
    "Takes up a killed training from its last checkpoint.",
)
def lora_adapter(
    context: dg.AssetExecutionContext, project: Project, pipes: dg.ResourceParam[dg.PipesClient]
) -> dg.MaterializeResult[Any]:
    def build(draft: Draft) -> Artifact:
        corpus, folder = proven(project, CORPUS.name), draft.path("adapter")
        recipe = draft.path("recipe.yaml")
        recipe.write_text(yaml.safe_dump(recipe_of(project).to_json()))
        arguments = {
            "rows": corpus.path(TRAIN),
            "holdout": corpus.path(HOLDOUT),
            "base": base_of(project),
            "out": folder,
            "recipe": recipe,
            "cache": project.workspace.models,
        }
        if not draft.path(REPORT).exists():
            command = [sys.executable, "-m", "assets.adapter.train"]
            command += [part for name, path in arguments.items() for part in (f"--{name}", str(path))]
            command += [part for drop in _feedback(project, corpus) for part in ("--corrections", drop)]
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", dg.PreviewWarning)  # on a part of its own that Dagster calls itself
                pipes.run(command=command, context=context.op_execution_context, cwd=str(ROOT))
            (folder / REPORT).rename(draft.path(REPORT))
        training = json.loads(draft.path(REPORT).read_bytes())
        draft.path("loss.png").write_bytes(loss_curve(training))
        details = {
            "tokens_per_second": training["tokens_per_second"],
            "author": project.author,
            "corrections": training["corrections"]["rows"],
        }
        return draft.seal(metrics=metrics(training), details=details)

    artifact = STAGE.make(project, build)
    candidate = adapter_digest(artifact)[:CANDIDATE_DIGITS]
    context.log.info(f"candidate {candidate}, {artifact.manifest.seconds:.0f} s")
    return materialization(
        project,
        artifact,
        candidate=candidate,
        loss=shown(artifact.path("loss.png").read_bytes(), "training loss"),
        **{name: metric.value for name, metric in artifact.manifest.metrics.items() if metric.value is not None},
    )
