"""Which drops count: those whose every stage is proven and that belong to the data at hand."""

from assets.stage import proven
from resources.artifacts import Artifact
from resources.errors import GateRefused
from resources.project import Project

SAMPLE = "sample"


def admitted(project: Project) -> dict[str, Artifact]:
    """``{partition: screened artefact}`` of every drop that passed its gates, in order of partition.

    Sample drops are left out as soon as a drop of one's own data is admitted: nobody wants a support desk's sample in
    their model. Corrections alone are no such drop: they may be of what the sample taught.
    """
    found = {}
    for partition in project.artifacts.partitions("screened_records"):
        try:
            found[partition] = proven(project, "screened_records", partition)
        except GateRefused:
            continue
    own = {partition: artifact for partition, artifact in found.items() if not is_sample(project, partition)}
    return own if any(_says(project, partition, "kind") == "data" for partition in own) else found


def is_sample(project: Project, partition: str) -> bool:
    return _says(project, partition, "source") == SAMPLE


def _says(project: Project, partition: str, name: str) -> str | None:
    """What the raw stage recorded of the drop."""
    raw = project.artifacts.current("raw_drop", partition)
    return str(raw.manifest.details.get(name)) if raw is not None else None
