"""The asset ``served_release``: what became of a release in use. Outside Dagster; observed, never made by it.

In    the release in use, requests, and what people decide on held actions
Out   answers, held calls, grants, a record of traffic without a prompt in it; corrections, which return as a
      drop
Read  plugged.py (which release, proven), chat.py (a request and its answer), engine/, approval/ (actions that
      wait for a person), limits/ (keys, budgets, sweeps), output_filter/ (what must not get out), traffic.py,
      probes.py, settings.py
"""

from statistics import median
from typing import Any

import dagster as dg

from assets.served.traffic import ENDS, Tally, tally
from resources.decision_log import Entry

SHOWN = (*ENDS, "turned-away", "decided", "alarm")

served_release = dg.AssetSpec(
    "served_release",
    deps=["approved_release"],
    group_name="release",
    kinds={"openai"},
    owners=["team:ml-platform", "team:ai-security"],
    description="The release behind `hallmark serve`: traffic, held actions, tripwires. Its record is a hash chain; "
    "what people correct comes back as a drop of kind feedback.",
)


def observation(entries: list[Entry]) -> dg.AssetObservation:
    """What the lines of the record since the last look add up to. Names and numbers only."""
    found: Tally = tally(entries)
    releases = [str(entry.body.get("release", "")) for entry in entries if entry.kind == "release"]
    asked = {str(entry.body["release"]) for entry in entries if entry.kind == "asked"}
    metadata: dict[str, Any] = {
        "from": entries[0].at,
        "to": entries[-1].at,
        "releases": ", ".join(sorted(asked | set(filter(None, releases)))),
        "requests": found.counts["asked"],
        "tokens": found.tokens,
        **{kind.replace("-", "_"): found.counts[kind] for kind in SHOWN if found.counts[kind]},
    }
    if found.delays:
        metadata["median_seconds"] = round(median(found.delays), 3)
    return dg.AssetObservation("served_release", metadata=metadata, description="traffic since the last observation")
