"""Why a drop is held, and what a person can do about it: what was refused and why, and whether rows wait for a word."""

from collections import Counter
from collections.abc import Iterator

from assets.outcome import removed
from assets.waiting import SEALED, STAGES
from resources.artifacts import Artifact
from resources.project import Project

RAW = "raw_drop"
SHOWN = 3  # reasons of refused rows and objects


def advice(project: Project, partition: str) -> Iterator[str]:
    """Lines for a terminal."""
    made = [found for stage in (RAW, *STAGES) if (found := project.artifacts.current(stage, partition))]
    for artifact in made:
        for (rule, reason), rows in _refused(project, artifact).most_common(SHOWN):
            yield f"{rows:,} refused by {artifact.manifest.stage}: {reason} [{rule}]"
    if any(_waits(artifact) for artifact in made):
        yield "decide on its rows:  hallmark review list"
    else:
        yield "nothing of it waits for a decision: mend the file, or the policy, and run again"


def _refused(project: Project, artifact: Artifact) -> Counter[tuple[str, str]]:
    """Rows and objects that were rejected, by rule and reason; a reason quotes nothing of a row."""
    sealed = artifact.manifest.stage in (RAW, *SEALED)
    lines = removed(artifact, "rejected", project.line_cipher() if sealed else None)
    return Counter((line["removal"]["rule"], line["removal"]["reason"]) for line in lines)


def _waits(artifact: Artifact) -> bool:
    counts = artifact.manifest.counts
    return bool(artifact.manifest.details.get("open")) or bool(counts and counts.quarantined)
