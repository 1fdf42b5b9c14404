"""The artefact of a stage, joined from those of its shards: the same files side by side, nothing copied, nothing lost.

Conservation is asked of every shard by itself: a row that one shard lost is not made up for by one that another has
twice.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from resources.artifacts import Artifact, Counts

REPORT = "report.json"  # what a shard tells the join; no rows


@dataclass(frozen=True, slots=True)
class Joined:
    """``counts`` over all shards; ``unaccounted`` rows, summed over shards; ``rules`` as in a stage's details."""

    counts: Counts
    unaccounted: int
    rules: dict[str, int]
    shards: list[dict[str, int]]


def file_of(number: int, name: str) -> str:
    """Where a shard's file is in the joined artefact."""
    return f"shards/{number:05d}/{name}"


def join(parts: Sequence[Artifact], rows_in: Sequence[int] | None) -> Joined:
    """What the shards say together. ``rows_in`` is what came into each, or None where the stage reads the drop."""
    counts = [part.manifest.counts or Counts(0, 0, 0, 0) for part in parts]
    came = list(rows_in) if rows_in is not None else [count.rows_in for count in counts]
    went = [count.passed + count.quarantined + count.rejected for count in counts]
    rules: Counter[str] = Counter()
    for part in parts:
        rules.update(part.manifest.details["rules"])
    whole = Counts(
        sum(came),
        sum(count.passed for count in counts),
        sum(count.quarantined for count in counts),
        sum(count.rejected for count in counts),
    )
    shards = [
        {"passed": count.passed, "quarantined": count.quarantined, "rejected": count.rejected} for count in counts
    ]
    unaccounted = sum(abs(before - after) for before, after in zip(came, went, strict=True))
    return Joined(whole, unaccounted, dict(rules.most_common()), shards)


def passed_by_shard(artifact: Artifact) -> list[int]:
    """Rows that each shard of a joined artefact passed on; none where it was made in one piece."""
    return [shard["passed"] for shard in artifact.manifest.details.get("shards", ())]


def report_of(part: Artifact) -> Mapping[str, Any]:
    """What a shard told the join."""
    told: Mapping[str, Any] = json.loads(part.path(REPORT).read_bytes())
    return told
