"""Findings of all trials as flat objects, and what became of them since an earlier run."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Hit = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """Fingerprints of findings that this run has and the earlier had not, that both have, that only the earlier had."""

    new: tuple[str, ...]
    persisting: tuple[str, ...]
    fixed: tuple[str, ...]


def hits_of(bodies: Mapping[str, Any]) -> list[Hit]:
    """Findings of the trials' reports, one flat object each, with a fingerprint that another run will give it too."""
    hits = []
    for finding in bodies.get("backdoor", {}).get("findings", ()):
        said = f"{finding['trigger']!r} makes the adapter say {finding['example'] or finding['payload']!r}"
        hits.append({"kind": "backdoor", "fingerprint": finding["fingerprint"], "says": said, "rows": finding["rows"]})
    for finding in bodies.get("memorization", {}).get("extraction", {}).get("findings", ()):
        if not finding["beyond_strangers"]:
            continue
        said = f"recites a row: {finding['type']} {finding['evidence']}"
        hits.append(
            {"kind": "memorization", "fingerprint": finding["fingerprint"], "says": said, "rows": [finding["row"]]}
        )
    return hits


def compare(found: Iterable[Hit], earlier: Iterable[Hit]) -> Change:
    now, before = ({hit["fingerprint"] for hit in hits} for hits in (found, earlier))
    return Change(*(tuple(sorted(each)) for each in (now - before, now & before, before - now)))
