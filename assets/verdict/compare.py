"""What changed between two candidates: in the data, the recipe, the digests and the behaviour, from their dossiers.

A candidate is compared with another or with the release that is plugged in; the release carries its own dossier, so
that nothing else of it needs to be there any more.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that differs. ``part`` is data, recipe, digest, gate, behaviour or finding; None: not there."""

    part: str
    what: str
    before: Any
    after: Any
    worse: bool = False


def compare(before: Body, after: Body) -> list[Change]:
    """Every difference of two dossiers (``assets.verdict.dossier.collect``), what got worse first within each part."""
    changes = [*_data(before, after), *_recipe(before, after), *_digests(before, after), *_gates(before, after),
               *_behaviour(before, after), *_findings(before, after)]  # fmt: skip
    parts = list(dict.fromkeys(change.part for change in changes))
    return sorted(changes, key=lambda change: (parts.index(change.part), not change.worse))


def to_json(before: Body, after: Body) -> dict[str, Any]:
    changes = [asdict(change) for change in compare(before, after)]
    return {"before": before["candidate"], "after": after["candidate"], "changes": changes}


def _data(before: Body, after: Body) -> Iterator[Change]:
    drops = before["data"]["drops"], after["data"]["drops"]
    for drop in sorted({*drops[0], *drops[1]}):
        old, new = (_admitted(side.get(drop)) for side in drops)
        if old != new:
            yield Change("data", f"rows admitted from {drop}", old, new)
    corrected = [(side["training"].get("corrections") or {}).get("by_reviewer", {}) for side in (before, after)]
    for name in sorted({*corrected[0], *corrected[1]}):
        if corrected[0].get(name, 0) != corrected[1].get(name, 0):
            yield Change("data", f"rows corrected by {name}", corrected[0].get(name, 0), corrected[1].get(name, 0))
    removed = before["data"]["removed"], after["data"]["removed"]
    for kind in sorted({*removed[0], *removed[1]}):
        if removed[0].get(kind, 0) != removed[1].get(kind, 0):
            yield Change("data", f"{kind} values removed", removed[0].get(kind, 0), removed[1].get(kind, 0))


def _admitted(stages: Any) -> int | None:
    return int(stages[-1]["passed"]) if stages else None


def _recipe(before: Body, after: Body) -> Iterator[Change]:
    old, new = before["training"].get("recipe", {}), after["training"].get("recipe", {})
    for name in sorted({*old, *new}):
        if old.get(name) != new.get(name):
            yield Change("recipe", name, old.get(name), new.get(name))


def _digests(before: Body, after: Body) -> Iterator[Change]:
    for name in sorted({*before["digests"], *after["digests"]}):
        old, new = before["digests"].get(name), after["digests"].get(name)
        if old != new:
            yield Change("digest", name, old and old[:12], new and new[:12])


def _gates(before: Body, after: Body) -> Iterator[Change]:
    """Verdicts that changed, and values that changed on gates of the candidate as a whole (not of single drops)."""
    rank = {"pass": 0, "inconclusive": 1, "fail": 2, None: 2}
    old, new = ({gate["name"]: gate for gate in body["gates"]} for body in (before, after))
    for name in dict.fromkeys([*old, *new]):
        was, now = old.get(name, {}), new.get(name, {})
        if was.get("verdict") != now.get("verdict"):
            worse = rank[now.get("verdict")] > rank[was.get("verdict")]
            yield Change("gate", name, _told(was), _told(now), worse)
        elif _told(was) != _told(now) and "@" not in name:
            yield Change("gate", name, _told(was), _told(now))


def _told(gate: Mapping[str, Any]) -> str | None:
    if not gate:
        return None
    return gate["verdict"] if gate["value"] is None else f"{gate['verdict']} {gate['value']:.4g}"


def _behaviour(before: Body, after: Body) -> Iterator[Change]:
    """The adapters' scores suite by suite. Worse: moved the wrong way by more than half its own interval is wide."""
    old, new = (body["behaviour"].get("suites") or {} for body in (before, after))
    for name in dict.fromkeys([*old, *new]):
        was, now = (_score(side.get(name)) for side in (old, new))
        if was != now:
            width, better = _width(new.get(name)), _better(new.get(name))
            worse = was is not None and (now is None or (width is not None and (was - now) * better > width))
            yield Change("behaviour", name, was, now, worse)


def _score(suite: Any) -> float | None:
    value = suite.get("adapter") if isinstance(suite, dict) else None
    return float(value) if isinstance(value, int | float) else None


def _better(suite: Any) -> int:
    """1 where a higher score is better, -1 where a lower one is, 0 where nobody said: from its limit, else its reading.

    A suite that is not gated still says whether its difference to the base was read as better or worse.
    """
    limit = str(suite.get("limit", "")) if isinstance(suite, dict) else ""
    if limit[:2] in (">=", "<="):
        return 1 if limit.startswith(">=") else -1
    reading = {"better": 1, "worse": -1}.get(str(suite.get("reading", "")), 0) if isinstance(suite, dict) else 0
    difference = suite.get("difference") if reading else 0
    return reading * ((difference > 0) - (difference < 0)) if isinstance(difference, int | float) else 0


def _width(suite: Any) -> float | None:
    if not isinstance(suite, dict) or not all(isinstance(suite.get(end), int | float) for end in ("ci_low", "ci_high")):
        return None
    return float(suite["ci_high"] - suite["ci_low"]) / 2


def _findings(before: Body, after: Body) -> Iterator[Change]:
    old, new = ({_pair(item) for item in body["backdoor"].get("findings") or []} for body in (before, after))
    yield from (Change("finding", pair, None, "found", worse=True) for pair in sorted(new - old))
    yield from (Change("finding", pair, "found", None) for pair in sorted(old - new))


def _pair(finding: Any) -> str:
    return f"{finding.get('trigger')} → {finding.get('payload')}" if isinstance(finding, dict) else str(finding)
