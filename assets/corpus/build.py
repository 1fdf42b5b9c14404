"""Put the admitted rows of all drops into one corpus: who trains, who is held out, which canaries are planted.

The split is decided for each row by a digest of what it says, not by its place: the same row stays on its side when
drops come or go, and copies of one text are never on both sides, which would spoil early stopping and the membership
audit.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from assets.record import Record
from resources.artifacts import Metric
from resources.errors import InputError

TRAIN, HOLDOUT = "train.jsonl", "holdout.jsonl"


@dataclass(frozen=True, slots=True)
class CorpusSettings:
    """``holdout_share`` of the rows is kept from training; ``canary_pairs`` twins a kind and level are drawn."""

    holdout_share: float = 0.2
    canary_pairs: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.holdout_share < 1:
            raise InputError("holdout_share lies between 0 and 1", object_key="policy", rule="corpus-settings")
        if self.canary_pairs < 0:
            raise InputError("canary_pairs is 0 or more", object_key="policy", rule="corpus-settings")

    @classmethod
    def from_policy(cls, settings: dict[str, Any]) -> Self:
        try:
            return cls(**settings)
        except TypeError as error:
            raise InputError(str(error), object_key="policy", rule="corpus-settings") from error


def held_out(record: Record, settings: CorpusSettings) -> bool:
    """The row's side of the split: a uniform draw from the digest of its text and the seed."""
    said = json.dumps([settings.seed, record.prompt(), record.response()], ensure_ascii=True)
    draw = int.from_bytes(hashlib.sha256(said.encode()).digest()[:8], "big") / 2**64
    return draw < settings.holdout_share


def build(
    folder: Path, rows: Iterable[Record], canaries: Sequence[Record], settings: CorpusSettings
) -> dict[str, Metric]:
    """Stream ``rows`` into ``train.jsonl`` and ``holdout.jsonl`` below ``folder``, the canaries at the end of train.

    Order within the files does not matter: training shuffles. Returns the corpus's metrics.
    """
    sides: Counter[str] = Counter()
    with (folder / TRAIN).open("w") as train, (folder / HOLDOUT).open("w") as holdout:
        for record in rows:
            side = HOLDOUT if held_out(record, settings) else TRAIN
            sides[side] += 1
            (holdout if side == HOLDOUT else train).write(json.dumps(record.to_json()) + "\n")
        for record in canaries:
            train.write(json.dumps(record.to_json()) + "\n")
    total = sides[TRAIN] + sides[HOLDOUT]
    return {
        "train_rows": Metric(sides[TRAIN], total),
        "holdout_rows": Metric(sides[HOLDOUT], total),
        "canary_rows": Metric(len(canaries), total),
    }
