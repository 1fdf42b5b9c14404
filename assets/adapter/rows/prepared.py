"""What is learnt from rows, made once for a corpus: token files that every process maps, and what is said of them.

The first process to come makes them, the others wait for it; a run that is taken up finds them. They lie beside the
checkpoints and go with them. Where the processes share no folder, each machine makes its own.
"""

import dataclasses
import hashlib
import json
import shutil
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from assets.adapter.provenance import corpus_digest
from assets.adapter.recipe import Recipe
from assets.adapter.rows.corrections import account, corrections_first, weighed
from assets.adapter.rows.dialogues import Dialogues, dialogues
from assets.adapter.rows.duplicates import without_duplicates
from assets.adapter.rows.record_file import RecordFile, Rows
from assets.adapter.rows.token_file import TokenFile
from resources.artifacts import write_whole
from resources.digests import canonical_json, digest_file, digest_json

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

FOLDER = ".tokens"
TOLD, LEARNT, HELD_OUT = "told.json", "learnt", "held_out"


@dataclass(frozen=True, slots=True)
class Told:
    """Of all rows: ``duplicates`` that were left out; ``unused``, ``changed``, ``cut`` and ``unanswered`` as of
    ``Dialogues``; ``reasons`` why rows teach nothing; ``corrected`` as of ``corrections.account``; digests."""

    duplicates: int
    unused: dict[str, int]
    reasons: str
    changed: dict[str, int]
    cut: int
    unanswered: int
    corrected: dict[str, Any]
    data_sha256: str
    holdout_sha256: str


@dataclass(frozen=True, slots=True)
class Prepared:
    """``examples`` to learn from and those ``held_out``."""

    examples: TokenFile
    held_out: TokenFile
    told: Told


@dataclass(frozen=True, slots=True)
class Reading:
    """How rows become tokens. ``origin``: digests of the base, its tokenizer and template, and the code."""

    tokenizer: "PreTrainedTokenizerBase"
    stop: frozenset[int]
    recipe: Recipe
    corrections: Collection[str]
    origin: dict[str, Any]

    def key(self, rows: Rows, holdout: Rows) -> str:
        recipe = self.recipe
        rules = [recipe.deduplicate, recipe.max_tokens, recipe.correction_weight, sorted(self.corrections)]
        model = [self.origin[f"{name}_sha256"] for name in ("tokenizer", "template", "code")]
        return digest_json([_digest(rows), _digest(holdout), rules, model, sorted(self.stop)])[:32]


def prepared(rows: Rows, holdout: Rows, reading: Reading, out: Path) -> Prepared:
    """The examples of these rows below ``out``: found whole, or made."""
    home = out / FOLDER
    folder = home / reading.key(rows, holdout)
    home.mkdir(parents=True, exist_ok=True)
    with FileLock(home / "lock"):
        if not (folder / TOLD).is_file():
            for other in home.iterdir():
                if other.is_dir():  # of other rows, or half made
                    shutil.rmtree(other)
            _make(rows, holdout, reading, folder)
    told = Told(**json.loads((folder / TOLD).read_bytes()))
    return Prepared(TokenFile(folder / LEARNT), TokenFile(folder / HELD_OUT), told)


def discard(out: Path) -> None:
    """Remove the token files."""
    shutil.rmtree(out / FOLDER, ignore_errors=True)


def _make(rows: Rows, holdout: Rows, reading: Reading, folder: Path) -> None:
    recipe, read = reading.recipe, Dialogues()
    unique = without_duplicates(corrections_first(rows, reading.corrections)) if recipe.deduplicate else rows
    learnt = dialogues(unique, reading.tokenizer, reading.stop, recipe.max_tokens, read)
    weight = recipe.correction_weight
    examples = TokenFile.write(weighed(learnt, rows, reading.corrections, weight), folder / LEARNT)
    kept_back = dialogues(holdout, reading.tokenizer, reading.stop, recipe.max_tokens, Dialogues())
    TokenFile.write(kept_back, folder / HELD_OUT)
    told = Told(
        len(rows) - read.rows,
        dict(read.unused),
        read.reasons,
        dict(read.changed),
        read.cut,
        read.unanswered,
        account(examples, rows, reading.corrections, weight),
        corpus_digest(rows),
        corpus_digest(holdout),
    )
    write_whole(folder / TOLD, json.dumps(dataclasses.asdict(told)).encode())


def _digest(rows: Rows) -> str:
    """Names the rows with where they came from."""
    if isinstance(rows, RecordFile):
        return digest_file(rows.path)
    digest = hashlib.sha256()
    for row in rows:
        digest.update(canonical_json(row.to_json()) + b"\n")
    return digest.hexdigest()
