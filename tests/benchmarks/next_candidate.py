"""What a second candidate of the same base is spared: training and paired readings, first and again, in one run.

    python -m tests.benchmarks.next_candidate [--rows 48] [--recipe deploy/sample_recipe.yaml] [--base DIR]

Two adapters are trained on the same sample rows with two seeds, the second from what the first one's training kept;
then each is tried on the same tool situations and rows. Seconds are of the processor, in this process. Beside them
stands the largest difference in any score of the second adapter between what was kept and what is computed anew.
"""

import argparse
import dataclasses
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from assets.adapter.recipe import Recipe
from assets.adapter.train import read_rows_of, train
from assets.golden.items import load_golden
from assets.golden.measures.tool_use import margins
from assets.memorization.audit import paired_scores
from assets.memorization.readings import Readings
from deploy.sample_drops import write_drops
from resources.language_model import LanguageModel, base_path
from resources.workspace import Workspace
from tests.benchmarks import figures
from tests.benchmarks.figures import Figure

Reading = Callable[[LanguageModel], tuple[Any, Any]]


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    begun = time.process_time()
    return work(), time.process_time() - begun


def told(what: str, first: float, again: float, apart: float | None = None) -> list[Figure]:
    same = "" if apart is None else f"  largest difference {apart:.1e}"
    print(
        f"{what:28} first {first:6.1f} s, next {again:6.1f} s of the processor: {again / first:.2f}{same}", flush=True
    )
    found = [Figure(what, first, "first", unit="s"), Figure(what, again, "second candidate", unit="s")]
    return found if apart is None else [*found, Figure(what, apart, "largest difference of a score", unit="nats")]


def apart(ours: Any, theirs: Any) -> float:
    """The largest difference of two nested lists of numbers."""
    if isinstance(ours, Sequence):
        return max(apart(left, right) for left, right in zip(ours, theirs, strict=True))
    return float(np.abs(np.asarray(ours) - np.asarray(theirs)).max(initial=0))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=48)
    parser.add_argument("--recipe", type=Path, default=Path("deploy/sample_recipe.yaml"))
    parser.add_argument("--base", type=Path)
    figures.option(parser)
    given = parser.parse_args()
    base, recipe = base_path(given.base, Workspace.locate().models), Recipe.from_yaml(given.recipe)
    with tempfile.TemporaryDirectory() as scratch:
        folder, cache = Path(scratch), Path(scratch) / "cache"
        write_drops(folder / "drops")
        rows = read_rows_of(next(folder.glob("drops/*/tickets.jsonl")))[: given.rows]
        recipes = [dataclasses.replace(recipe, seed=seed) for seed in (1, 2)]
        seconds = [timed(partial(train, rows, base, folder / str(each.seed), each, cache=cache))[1] for each in recipes]
        found = told(f"training on {len(rows)} rows", *seconds)
        situations = load_golden(None).suites["tool"][::3]
        readings: dict[str, Reading] = {
            f"{len(situations)} tool situations": lambda model: model.both(
                lambda: margins(model, situations), again=True
            ),
            f"scores of {len(rows)} rows": lambda model: paired_scores(Readings(model, again=True), rows),
        }
        first, second = (LanguageModel.load(base, folder / str(each.seed), cache=cache) for each in recipes)
        fresh = LanguageModel.load(base, folder / "2")
        for what, read in readings.items():
            (_, before), (kept, after) = timed(partial(read, first)), timed(partial(read, second))
            found += told(what, before, after, apart(kept, read(fresh)))
        kept_bytes = sum(path.stat().st_size for path in cache.rglob("*") if path.is_file())
        print(f"kept: {kept_bytes / 2**20:.0f} MiB")
    figures.write(given.json, found)


if __name__ == "__main__":
    main()
