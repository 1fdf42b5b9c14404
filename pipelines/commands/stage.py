"""``hallmark stage``: one stage of the lineage, for an engine that decides by itself when each one runs."""

import json
import sys
from pathlib import Path

import click

from pipelines.ci.junit import junit_option, write_judged
from pipelines.report import EXIT, console
from resources.errors import HallmarkError, UsageError
from resources.workspace import Workspace

LIST = "list"


@click.command("stage")
@click.argument("name", metavar="NAME")
@click.option("--partition", metavar="DROP", help="The drop, for a stage that runs a drop at a time.")
@click.option("--home", type=click.Path(path_type=Path), help="Workspace; default $HALLMARK_HOME or ./.hallmark.")
@junit_option
@click.option("--json", "as_json", is_flag=True, help="Print what came out as JSON.")
def command(name: str, partition: str | None, home: Path | None, junit: Path | None, as_json: bool) -> int:
    """Run the stage NAME and its gates; NAME `list` prints the drops and how far each one is.

    For Kubeflow Pipelines, Argo, Airflow or a shell loop: what runs is what `hallmark run` runs, and a stage whose
    inputs have not changed does no work. A stage refuses to run on a predecessor whose gates did not pass.

    \b
      hallmark stage list
      hallmark stage raw_drop --partition 20261123-0123456789ab
      hallmark stage training_corpus

    Exit status 0: its gates pass; 1: one fails; 2: error; 3: one is inconclusive; 4: usage.
    """
    from pipelines.instance import prepare

    workspace = Workspace.locate(home)
    prepare(workspace)
    if name == LIST:
        return _list(as_json)
    return _run(name, partition, junit, as_json)


def _list(as_json: bool) -> int:
    from assets.raw.drops import discover
    from pipelines.definitions import project
    from pipelines.plan import drop_progress

    place = project()
    found = [(drop, drop_progress(place, drop.partition)) for drop in discover(place.object_store())]
    found.sort(key=lambda each: (each[0].kind == "feedback", each[0].partition))
    if as_json:
        body = [{"partition": drop.partition, "status": at.status, "stage": at.stage} for drop, at in found]
        sys.stdout.write(json.dumps(body) + "\n")
    elif not found:
        console.print("No drop has arrived; `hallmark run --drop FILE` puts one into the store.", highlight=False)
    else:
        for drop, at in found:
            console.print(f"{drop.partition}  {at.status:<5} {at.stage}", highlight=False)
    return EXIT["pass"]


def _run(name: str, partition: str | None, junit: Path | None, as_json: bool) -> int:
    import dagster as dg

    from assets.stage import drops, judged, policy_of
    from expectations.policy import worst
    from pipelines.definitions import project
    from pipelines.plan import CANDIDATE_STAGES, DROP_STAGES
    from pipelines.runs import execute
    from resources.artifacts import WHOLE

    stages = {stage.name: stage for stage in (*DROP_STAGES, *CANDIDATE_STAGES)}
    if name not in stages:
        raise UsageError(f"there is no stage {name!r}; there are {', '.join(stages)}, and `{LIST}`")
    stage, by_drop = stages[name], stages[name] in DROP_STAGES
    if by_drop != bool(partition):
        raise UsageError(f"{name} needs --partition" if by_drop else f"{name} takes every admitted drop, not one")
    place, instance = project(), dg.DagsterInstance.get()
    if partition:
        instance.add_dynamic_partitions(str(drops.name), [partition])
    stage.inputs(place, partition or WHOLE)  # refuses where what comes before is not proven
    execute(instance, "prove_drop" if by_drop else "build_candidate", partition, stages=[name])
    artifact = stage.found(place, partition or WHOLE)
    if artifact is None:
        raise HallmarkError(f"{name} was not made; the lines above say why. Run it again to take it up")
    gates = judged(policy_of(place), artifact)
    if junit:
        write_judged(junit, f"stage {name}", ((partition or WHOLE, gate) for gate in gates))
    if as_json:
        body = {
            "stage": name,
            "partition": partition or "",
            "verdict": worst(gates),
            "digest": artifact.manifest.digest,
            "gates": [gate.model_dump(mode="json") for gate in gates],
        }
        sys.stdout.write(json.dumps(body) + "\n")
    return EXIT[worst(gates)]
