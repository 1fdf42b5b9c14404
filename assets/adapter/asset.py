"""The asset ``lora_adapter``: a candidate, trained in a process of its own under Dagster Pipes."""

import json
import sys
from pathlib import Path
from typing import Any

import dagster as dg

from assets.adapter.recipe import Recipe
from assets.corpus.asset import STAGE as CORPUS
from assets.corpus.build import HOLDOUT, TRAIN
from assets.stage import OWNERS, Stage, materialization, proven
from resources.artifacts import Artifact, Draft, Metric
from resources.base_model import base_path
from resources.digests import digest_file, digest_json, digest_tree
from resources.project import Project

ROOT = Path(__file__).resolve().parent.parent.parent


def recipe_of(project: Project) -> Recipe:
    return Recipe.from_yaml(project.recipe_path) if project.recipe_path else Recipe()


def base_of(project: Project) -> Path:
    return base_path(project.base_path, project.workspace.models)


def _inputs(project: Project, partition: str) -> dict[str, str]:
    corpus = proven(project, CORPUS.name)
    return {
        CORPUS.name: corpus.manifest.digest,
        "base": digest_json(digest_tree(base_of(project))),
        "recipe": digest_json(recipe_of(project).to_json()),
    }


STAGE = Stage("lora_adapter", "1", _inputs)
