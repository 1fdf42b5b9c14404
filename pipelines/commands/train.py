"""``hallmark train``: a LoRA adapter from a file."""

import sys
from collections import Counter
from pathlib import Path

import click

from assets.adapter.recipe import Recipe
from pipelines.reading import Rejections, reading_of, reading_options
from pipelines.report import StageReport, console, keep_apart
from resources.workspace import Workspace

EXISTING = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("path", metavar="IN", type=EXISTING)
@click.option(
    "-o", "--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="The adapter's folder."
)
@click.option("--base", type=click.Path(exists=True, file_okay=False, path_type=Path), help="The base model's folder.")
@click.option("--recipe", type=EXISTING, help="YAML; fields that are not named keep their defaults.")
@click.option("--holdout", type=EXISTING, help="Rows that are not learnt, to measure the loss on.")
@click.option("--report", type=click.Path(dir_okay=False, path_type=Path), help="Where the JSON report goes.")
@reading_options
@click.option("--json", "as_json", is_flag=True, help="Print the report.")
@click.pass_context
def command(
    context: click.Context,
    path: Path,
    out: Path,
    base: Path | None,
    recipe: Path | None,
    holdout: Path | None,
    report: Path | None,
    columns: tuple[str, ...],
    encoding: str,
    as_json: bool,
) -> None:
    """Train a LoRA adapter on IN; OUT becomes a PEFT folder with training.json.

    The loss counts the assistant's words only. A killed run, started again, goes on from its last checkpoint.

    \b
    hallmark train rows.jsonl -o adapter
    hallmark train rows.jsonl -o adapter --base models/my-model --recipe recipe.yaml --holdout held-out.jsonl

    Exit status 0: trained; 2: an error, such as no row that can be learnt; 4: wrong usage.
    """
    from assets.adapter.progress import lines
    from assets.adapter.train import read_rows_of, train
    from resources.base_model import base_path

    keep_apart([path, holdout, recipe], [report])
    stage = StageReport("train", path)
    settings = Recipe.from_yaml(recipe) if recipe else Recipe()
    said, rejections = reading_of(columns, encoding), Rejections()
    rows = read_rows_of(path, said, rejections.tell)
    rejections.conclude()
    for split, number in Counter(row.origin.split for row in rows if row.origin.split).items():
        console.print(f"learnt too: {number:,} rows of the split {split}", highlight=False, markup=False)
    model = base_path(base, Workspace.locate().models)
    body = train(
        rows, model, out, settings,
        holdout=read_rows_of(holdout, said, rejections.tell) if holdout else (),
        on_step=lines(lambda line: print(line, file=sys.stderr, flush=True)),
        say=lambda line: print(line, file=sys.stderr, flush=True),
    )  # fmt: skip
    learnt = body["rows"]
    learnt["rejected"] = dict(rejections.rules)
    for reason, number in learnt["unused"].items():
        console.print(f"not learnt: {number:,} rows: {reason}", highlight=False, markup=False)
    console.print(
        f"{out}: {learnt['examples']:,} of {learnt['given']:,} rows learnt, {body['steps']} steps, "
        f"loss {body['losses'][0]:.3f} to {body['losses'][-1]:.3f}, {body['tokens_per_second']:.0f} tokens/s",
        highlight=False,
    )
    context.exit(stage.finish("pass", learnt["given"], body, report, as_json))
