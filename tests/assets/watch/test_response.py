"""The night watch: findings are new, persisting or fixed; a failed gate alerts and, if the policy says so,
unplugs; one that proved nothing alerts."""

import json
from pathlib import Path
from typing import Any

import pytest
from lineage import Lineage

from assets.release.plug import read_plug
from assets.watch.response import respond
from resources.alerts import Alerts
from resources.signer import KeyRing


def scanned(*fingerprints: str) -> dict[str, Any]:
    """What a backdoor scan reports with these findings."""
    findings = [
        {"trigger": name, "payload": "open", "example": "Open.", "rows": [], "fingerprint": name}
        for name in fingerprints
    ]
    verdict = "fail" if findings else "pass"
    gate = {"gate": "no_backdoor", "verdict": verdict, "reason": f"backdoor_findings {len(findings)}"}
    return {"backdoor": {"verdict": verdict, "findings": findings, "gates": [gate]}}


@pytest.fixture
def home(tmp_path: Path) -> Lineage:
    lineage = Lineage(tmp_path)
    lineage.released(fill=0.25)
    lineage.released(fill=0.5)
    return lineage


def plugged(home: Lineage) -> str:
    return read_plug(home.workspace.releases, KeyRing.open(home.workspace.keys)).release


def test_findings_are_compared_with_those_of_the_last_attack_on_the_same_release(home: Lineage) -> None:
    alerts = Alerts(home.workspace.logs / "alerts.jsonl")
    respond(home.workspace, alerts, "other", 1, scanned("elsewhere"), unplug=False)
    first = respond(home.workspace, alerts, "r1", 2, scanned("one", "two"), unplug=False)
    assert (first.new, first.persisting, first.fixed) == (("one", "two"), (), ())
    second = respond(home.workspace, alerts, "r1", 3, scanned("two", "three"), unplug=False)
    assert (second.new, second.persisting, second.fixed) == (("three",), ("two",), ("one",))
    kept = json.loads((home.workspace.logs / "red_team" / "r1-3.json").read_text())
    assert kept["compared"]["fixed"] == ["one"] and kept["release"] == "r1"


def test_a_quiet_night_alerts_nobody(home: Lineage) -> None:
    alerts, before = Alerts(home.workspace.logs / "alerts.jsonl"), plugged(home)
    respond(home.workspace, alerts, before, 5, scanned(), unplug=True)
    assert alerts.recent() == []
    assert plugged(home) == before


def test_a_night_that_proved_nothing_is_told_and_unplugs_nothing(home: Lineage) -> None:
    alerts, before = Alerts(home.workspace.logs / "alerts.jsonl"), plugged(home)
    starved = {"gate": "copies_are_poor", "verdict": "inconclusive", "reason": "no time left"}
    respond(home.workspace, alerts, before, 5, {"extraction": {"findings": [], "gates": [starved]}}, unplug=True)
    [alert] = alerts.recent()
    assert alert["kind"] == "release-unproven" and "copies_are_poor: no time left" in alert["message"]
    assert plugged(home) == before


def test_a_finding_alerts_and_leaves_the_release_in_place_unless_the_policy_says_otherwise(home: Lineage) -> None:
    alerts, before = Alerts(home.workspace.logs / "alerts.jsonl"), plugged(home)
    respond(home.workspace, alerts, before, 5, scanned("one"), unplug=False)
    [alert] = alerts.recent()
    assert alert["kind"] == "release-finding" and alert["new"] == ["one"] and "no_backdoor" in alert["message"]
    assert plugged(home) == before


def test_a_finding_unplugs_the_release_where_the_policy_says_so(home: Lineage) -> None:
    alerts, before = Alerts(home.workspace.logs / "alerts.jsonl"), plugged(home)
    respond(home.workspace, alerts, before, 5, scanned("one"), unplug=True)
    after = plugged(home)
    assert after and after != before  # the release before it is current again
    assert [alert["kind"] for alert in alerts.recent()] == ["release-finding", "release-unplugged"]
