"""A row stage's artefact: of a drop in one piece, or joined from its shards."""

from collections.abc import Callable, Mapping
from typing import Any

from assets.shards.rounds import Round, Tools
from assets.stage import rows_before, seal_joined
from resources.artifacts import Artifact, Draft, Metric
from resources.project import Project

Build = Callable[[Tools, str, Draft], Artifact]
Told = tuple[Mapping[str, Metric], Mapping[str, Any]]  # metrics and details of a drop


def whole_or_joined(
    shards: Round, before: str, whole: Build, told: Callable[[Project, str, list[Artifact]], Told]
) -> Build:
    """``whole`` makes the artefact where the drop has no shards; else they are joined with what they are ``told`` to
    say together. ``before``: the stage whose rows came in; "" where this one reads the drop itself.
    """

    def build(tools: Tools, drop: str, draft: Draft) -> Artifact:
        project = tools.project
        if not shards.tasks(project, drop):
            return whole(tools, drop, draft)
        parts = shards.made(project, drop)
        metrics, details = told(project, drop, parts)
        return seal_joined(draft, parts, rows_before(project, before, drop) if before else None, metrics, details)

    return build
