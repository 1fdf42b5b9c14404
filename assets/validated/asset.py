"""The asset ``validated_records``: rows that hold to the Great Expectations suite; the others leave with a rule."""

from typing import Any

import dagster as dg

from assets.raw.asset import STAGE as RAW
from assets.stage import (
    OWNERS,
    Stage,
    drops,
    line_cipher,
    materialization,
    passed_rows,
    policy_of,
    proven,
    records_of,
    seal_rows,
)
from resources.artifacts import Artifact, Draft
from resources.project import Project


def _inputs(project: Project, partition: str) -> dict[str, str]:
    raw = proven(project, RAW.name, partition)
    return {RAW.name: raw.manifest.digest, "settings": policy_of(project).stage_digest("validated_records")}


STAGE = Stage("validated_records", "1", _inputs)
