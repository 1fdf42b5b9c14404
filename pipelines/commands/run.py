"""``hallmark run``: the whole lineage, through Dagster, ending with the verdict table and the next command."""

import os
import time
from pathlib import Path

import click

from assets.raw.reading import Reading
from pipelines.ci.junit import junit_option
from pipelines.reading import reading_of, reading_options
from pipelines.report import console
from resources.digests import digest_file, digest_json
from resources.errors import InputError, UsageError
from resources.workspace import Workspace


@click.command("run")
@click.option(
    "--drop",
    "drops",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A file of your own (JSONL, JSON, CSV or Parquet); may be given several times. It is copied into the store.",
)
@click.option("--home", type=click.Path(path_type=Path), help="Workspace; default $HALLMARK_HOME or ./.hallmark.")
@click.option(
    "--base", type=click.Path(path_type=Path), help="A local Hugging Face model folder; default the bundled one."
)
@click.option(
    "--recipe",
    "recipes",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Training recipe (YAML). Several, or a folder of them: candidates side by side.",
)
@click.option("--policy", type=click.Path(path_type=Path), help="Policy (YAML); default expectations/policy.yaml.")
@click.option("--golden", type=click.Path(path_type=Path), help="Golden set (JSONL); default the bundled one.")
@junit_option
@reading_options
@click.option("--sample", is_flag=True, help="Start with the sample drops if the store is empty.")
def command(
    drops: tuple[Path, ...],
    home: Path | None,
    base: Path | None,
    recipes: tuple[Path, ...],
    policy: Path | None,
    golden: Path | None,
    sample: bool,
    junit: Path | None,
    columns: tuple[str, ...],
    encoding: str,
) -> int:
    """Run everything that is new, from raw drops to a candidate with a verdict.

    Takes up what an interrupted run left. Nothing is released: the last line says how to approve.
    """
    started = time.monotonic()
    workspace = Workspace.locate(home)
    from pipelines.side_by_side import recipes_of, run_all

    candidates = recipes_of(recipes)
    alone = candidates[0] if len(candidates) == 1 else None
    chosen = {"BASE": base, "RECIPE": alone, "POLICY": policy, "GOLDEN": golden}
    for name, path in chosen.items():
        if path:
            if not path.exists():
                raise InputError("there is no such file or folder", object_key=str(path), rule="path-exists")
            os.environ[f"HALLMARK_{name}"] = str(path.resolve())
    if len(candidates) > 1 and junit:
        raise UsageError("--junit goes with one recipe: its gates are those of one candidate")
    if len(candidates) > 1:
        said = [part for each in columns for part in ("--columns", each)]
        said += ["--encoding", encoding] if encoding else []
        return run_all(workspace, candidates, drops, sample=sample, read_as=said)

    from pipelines.instance import prepare

    prepare(workspace)
    reading = reading_of(columns, encoding)
    for path in drops:
        put(workspace, path, reading)
    if sample and not any(workspace.drops.iterdir()):
        from deploy.sample_drops import write_drops

        write_drops(workspace.drops)
        console.print(f"Sample drops written to {workspace.drops}", highlight=False)

    from pipelines.lineage import Lineage

    lineage = Lineage.open(workspace)
    status = lineage.run(started)
    if junit:
        lineage.write_gates(junit)
    return status


def put(workspace: Workspace, path: Path, said: Reading = Reading()) -> None:  # noqa: B008 (frozen)
    """Copy a file into the store under a name that carries its digest: the same content, read alike, is the same drop.

    How it is to be read goes with it, as the object's own metadata.
    """
    from pipelines.definitions import project

    if not path.is_file():
        raise InputError("there is no such file", object_key=str(path), rule="path-exists")
    store = project().object_store()
    suffixes = "".join(path.suffixes[-2:] if path.suffix == ".gz" else path.suffixes[-1:])
    digest = digest_file(path)
    if told := said.metadata():
        digest = digest_json([digest, told])
    key = f"{path.name.removesuffix(suffixes)}-{digest[:12]}{suffixes}"
    if store.head(key) is None:
        store.put(path, key, {"source": path.name, **told})
