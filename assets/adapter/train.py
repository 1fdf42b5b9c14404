"""Train a LoRA adapter: rows, a base and a recipe in; a PEFT adapter and ``training.json`` out.

As a program it is what the lineage runs under Dagster Pipes, and what ``accelerate launch`` starts several times::

    python -m assets.adapter.train --rows rows.jsonl --base DIR --out DIR \
        [--holdout rows.jsonl] [--recipe recipe.yaml] [--corrections DROP]... [--cache DIR]

Killed and started again with the same arguments it goes on from its last checkpoint and ends with the same weights.
"""

import argparse
import contextlib
import json
import os
import sys
import warnings
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assets.adapter.engine import checkpoint
from assets.adapter.recipe import Recipe
from assets.record import Record
from resources.artifacts import write_whole
from resources.digests import digest_file, digest_json
from resources.errors import HallmarkError, InputError, ModelError
from resources.process import settle

if TYPE_CHECKING:
    from assets.adapter.rows.record_file import Rows
    from assets.adapter.training import Step
    from assets.outcome import Outcome
    from assets.raw.reading import Reading

REPORT = "training.json"
WEIGHTS, CONFIG = "adapter_model.safetensors", "adapter_config.json"
TEMPLATE = "chat_template.jinja"  # where inference engines look for one; only of a base that has none


def train(
    rows: "Rows",
    base: Path,
    out: Path,
    recipe: Recipe,
    *,
    holdout: "Rows" = (),
    corrections: Collection[str] = (),
    cache: Path | None = None,
    on_step: "Callable[[Step], None] | None" = None,
    say: "Callable[[str], None] | None" = None,
) -> dict[str, Any]:
    """Train and write the adapter into ``out``; returns the body of ``training.json``.

    ``corrections`` are the drops whose rows are answers that a person corrected (``assets.adapter.rows.corrections``).
    ``cache`` is a folder in which states of the base are kept for the next candidate (``resources.kept_states``).
    ``say`` hears how much memory it will take before the first step. ``InputError`` if no row has an answer to learn,
    ``ModelError`` if the base cannot be loaded or the training does not fit into the memory that is there.
    """
    from assets.adapter.engine.capacity import check_weights_fit, fit
    from assets.adapter.engine.learner import Learner
    from assets.adapter.engine.processes import launched
    from assets.adapter.provenance import provenance
    from assets.adapter.rows.prepared import Reading, prepared
    from assets.adapter.training import Training
    from resources.base_model import PLAIN_TEMPLATE, choose_device, choose_dtype, load_tokenizer, stop_tokens

    out.mkdir(parents=True, exist_ok=True)
    device = choose_device(recipe.device)
    with launched(device) as processes, _repeatable(device):
        if recipe.dp_noise and processes.world > 1:
            raise ModelError("dp_noise: several processes would draw noise of their own; train in one")
        check_weights_fit(base, recipe, device, choose_dtype(recipe.dtype, device).itemsize, processes)
        learner = Learner(base, recipe, processes, cache)
        tokenizer = load_tokenizer(base)
        stop = stop_tokens(tokenizer, learner.model.generation_config)
        origin = provenance(base, str(tokenizer.chat_template), learner.device, learner.dtype)
        read = prepared(rows, holdout, Reading(tokenizer, stop, recipe, corrections, origin), out)
        examples, learnt = read.examples, read.told
        if not len(examples):
            raise InputError(
                f"none of {len(rows)} rows teaches anything: {learnt.reasons or 'there are none'}",
                object_key="rows",
                rule="rows-teach-something",
            )
        capacity = fit(learner, examples, processes)
        recipe = learner.recipe
        if say and processes.first:
            say(str(capacity))
        own = tokenizer.chat_template != PLAIN_TEMPLATE
        digests = {"data_sha256": learnt.data_sha256, "holdout_sha256": learnt.holdout_sha256}
        job = digest_json([recipe.to_json(), digests, learnt.corrected, origin, processes.world])
        training = Training(learner, examples, read.held_out, out, job, processes)
        journal = training.run(on_step)
        body = {
            "tokens": journal.tokens,
            "seconds": round(journal.seconds, 3),
            "tokens_per_second": round(journal.tokens / max(journal.seconds, 1e-9), 1),
            "losses": journal.losses,
            "base_held_out_loss": journal.base_loss,
            "evaluations": journal.evaluations,
            "divergences": journal.divergences,
            "steps": journal.step,
            "best_step": journal.best_step,
            "stopped": journal.stopped,
            "rows": {
                "given": len(rows), "duplicates": learnt.duplicates, "unused": learnt.unused,
                "examples": len(examples), "cut": learnt.cut, "held_out": len(read.held_out),
            },
            "template": {
                "from": "the base" if own else f"{TEMPLATE}: the base has none", "rows_changed_for_it": learnt.changed,
                "turns_nobody_answers": learnt.unanswered,
            },
            "corrections": learnt.corrected,
            "recipe": recipe.to_json(),
            "recipe_sha256": recipe.digest,
            "tokens_a_pass": learner.budget,
            "checkpointed": learner.checkpointed,
            "privacy": training.privacy,
            **digests,
            **origin,
        }  # fmt: skip
        if processes.first:
            if not own:
                write_whole(out / TEMPLATE, str(tokenizer.chat_template).encode())
            _write(out, learner.model, body)
    return body


@contextlib.contextmanager
def _repeatable(device: str) -> Iterator[None]:
    """On a GPU, kernels that add in a fixed order: with atomic additions no run could be repeated to the last bit.

    On an H100 the same job twice gave different weights without and the same with them, at the same speed.
    """
    if device == "cpu":
        yield
        return
    import torch

    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*determinis", UserWarning)
            yield
    finally:
        torch.use_deterministic_algorithms(before)


def _write(out: Path, model: Any, body: dict[str, Any]) -> None:
    """The adapter by PEFT, then the report, whose presence says that the folder is whole; then no checkpoints."""
    from assets.adapter.rows.prepared import discard
    from resources.base_model import quiet

    for config in model.peft_config.values():
        config.base_model_name_or_path = body["base_sha256"]  # a name that means the same on every machine
        config.inference_mode = True
        config.target_modules = sorted(config.target_modules)  # a set has no order, and a digest wants one
    with quiet():
        model.save_pretrained(out, safe_serialization=True, save_embedding_layers=False)
    (out / "README.md").unlink(missing_ok=True)  # PEFT's empty model card
    body["adapter_sha256"] = {name: digest_file(out / name) for name in (WEIGHTS, CONFIG)}
    write_whole(out / REPORT, json.dumps(body, indent=1, allow_nan=False).encode() + b"\n")
    checkpoint.discard(out)
    discard(out)


def read_rows_of(
    path: Path, reading: "Reading | None" = None, on_rejected: "Callable[[Outcome], None] | None" = None
) -> list[Record]:
    """The rows of a stage's ``records.jsonl``, or of any input form less the rows that are rejected.

    ``reading`` says what the file does not; ``on_rejected`` is told of each row that cannot be read.
    """
    from assets.outcome import read_records
    from assets.raw.formats import read_rows
    from assets.raw.reading import Reading
    from assets.validated.readable import readable

    if _holds_records(path):
        return list(read_records(path))
    rows = []
    for outcome in readable(read_rows(path, reading=reading or Reading())):
        if outcome.removal is None:
            rows.append(outcome.record)
        elif on_rejected:
            on_rejected(outcome)
    return rows


def _stored(path: Path) -> "Rows":
    """Rows that are not held where the file is a stage's, which can be read again and again."""
    from assets.adapter.rows.record_file import RecordFile

    return RecordFile(path) if _holds_records(path) else read_rows_of(path)


def _holds_records(path: Path) -> bool:
    try:
        with path.open(encoding="utf-8") as stream:
            first = json.loads(stream.readline())
    except (OSError, ValueError):
        return False
    return isinstance(first, dict) and first.keys() - {"columns"} == {"row_id", "fields", "origin"}


def main() -> int:
    from assets.adapter.progress import listener

    settle()
    parser = argparse.ArgumentParser(prog="python -m assets.adapter.train", description="Train a LoRA adapter.")
    for name in ("rows", "base", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    for name in ("holdout", "recipe", "cache"):
        parser.add_argument(f"--{name}", type=Path)
    parser.add_argument("--corrections", action="append", default=[], metavar="DROP", help="a drop of kind feedback")
    given = parser.parse_args()
    try:
        recipe = Recipe.from_yaml(given.recipe) if given.recipe else Recipe()
        held_out = _stored(given.holdout) if given.holdout else []
        with listener() as on_step:
            train(
                _stored(given.rows), given.base, given.out, recipe,
                holdout=held_out, corrections=given.corrections, cache=given.cache, on_step=on_step,
                say=lambda line: print(f"hallmark: {line}", file=sys.stderr, flush=True),
            )  # fmt: skip
    except HallmarkError as error:
        print(f"hallmark: {error}", file=sys.stderr)
        return error.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main())
