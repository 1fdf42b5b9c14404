"""What follows when the current release was attacked again: a record, an alert, a rollback if the policy says so."""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from assets.release.release import rollback
from assets.watch.hits import Change, Hit, compare, hits_of
from resources.alerts import Alerts
from resources.artifacts import write_whole
from resources.digests import canonical_json
from resources.workspace import Workspace


class WatchSettings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    budget_seconds: float = Field(1800.0, ge=10)
    """Seconds for all trials; what they need varies with the machine, and at night nobody waits."""
    unplug: bool = False
    """Whether a failed gate rolls the release back at once, with no person asked."""


def respond(
    workspace: Workspace, alerts: Alerts, release: str, seed: int, bodies: Mapping[str, Any], *, unplug: bool
) -> Change:
    """Keep the reports of one attack on ``release``; say what is new, persisting and fixed since the last one with an
    earlier seed; where a gate failed send an alert, and roll back if ``unplug``. A gate that proved nothing is told,
    too: a night without evidence is no quiet night.
    """
    hits = hits_of(bodies)
    change = compare(hits, _earlier(workspace.logs / "red_team", release, seed))
    told = dataclasses.asdict(change)
    report = {**bodies, "release": release, "seed": seed, "hits": hits, "compared": told}
    write_whole(workspace.logs / "red_team" / f"{release}-{seed}.json", canonical_json(report))
    if unproven := _reasons(bodies, "inconclusive"):
        alerts.send("release-unproven", f"{release}: {unproven}", release=release, seed=seed)
    if not (reasons := _reasons(bodies, "fail")):
        return change
    alerts.send("release-finding", f"{release}: {reasons}", release=release, seed=seed, **told)
    if unplug:
        plug = rollback(workspace, f"the red team of seed {seed} found: {reasons}")
        now = plug.release or "nothing"
        alerts.send("release-unplugged", f"{release} is unplugged, {now} is plugged in", release=release, now=now)
    return change


def _reasons(bodies: Mapping[str, Any], verdict: str) -> str:
    gates = [gate for body in bodies.values() for gate in body["gates"] if gate["verdict"] == verdict]
    return "; ".join(f"{gate['gate']}: {gate['reason']}" for gate in gates)


def _earlier(folder: Path, release: str, seed: int) -> list[Hit]:
    """The findings of the latest earlier attack on the same release."""
    seeds = {int(path.stem.removeprefix(f"{release}-")): path for path in folder.glob(f"{release}-*.json")}
    before = [number for number in seeds if number < seed]
    hits: list[Hit] = json.loads(seeds[max(before)].read_bytes())["hits"] if before else []
    return hits
