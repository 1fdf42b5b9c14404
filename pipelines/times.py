"""Where the time of a run went: the seconds of each stage, and what was found and not made again."""

import time
from collections.abc import Sequence

from rich.table import Table

from assets.kept import made_since
from pipelines.plan import CANDIDATE_STAGES, DROP_STAGES
from resources.artifacts import WHOLE
from resources.project import Project


def times(project: Project, drops: Sequence[str], since: float) -> Table:
    """A row a stage. ``since``: when the run began, seconds since the epoch; what is older was reused."""
    table = Table("stage", "seconds", "reused", title="Where the time went", title_justify="left")
    table.columns[1].justify = "right"
    began = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(since))
    for stage in (*DROP_STAGES, *CANDIDATE_STAGES):
        wanted = drops if stage in DROP_STAGES else [WHOLE]
        found = [artifact for partition in wanted if (artifact := project.artifacts.current(stage.name, partition))]
        made = [artifact.manifest.seconds for artifact in found if artifact.manifest.created_at >= began]
        old = len(found) - len(made)
        reused = "" if not old else "yes" if wanted == [WHOLE] else f"{old} of {len(found)} drops"
        table.add_row(stage.name, f"{sum(made):.1f}" if made else "-", reused)
    kept = made_since(project.workspace.models, since)
    parts = ", ".join(f"{what} {seconds:.0f}" for what, seconds in kept.items())
    table.add_row(
        "kept of the base", f"{sum(kept.values()):.1f}" if kept else "-", "" if kept else "yes", end_section=True
    )
    if parts:
        table.caption = (
            f"Made for this base, within these stages or beside them, and kept for the next candidate: {parts}"
        )
        table.caption_justify = "left"
    table.add_row("the whole run", f"{time.time() - since:.1f}", "")
    return table
