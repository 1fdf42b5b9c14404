"""A gateway's gates are tried before it serves, and each of them can fail."""

from typing import Any

import pytest

from assets.corpus.canaries import Canary, draw
from assets.served import probes
from assets.served.approval.actions import Actions
from assets.served.approval.grants import Spent
from assets.served.limits.budgets import Budgets
from assets.served.output_filter.tripwires import Tripwires
from assets.served.probes import try_actions, try_budgets, try_tripwires
from assets.served.settings import ServedSettings
from expectations.policy import Policy
from resources.artifacts import Metric

CANARIES = draw(pairs=1, seed=0)


def measured(actions: Actions, tripwires: Tripwires, canaries: list[Canary] = CANARIES) -> dict[str, Metric]:
    settings = ServedSettings.of(Policy.load())
    return {
        "actions_escaped": try_actions(actions),
        **try_budgets(settings, 12),
        **try_tripwires(tripwires, canaries, [], settings.hold_back),
    }


def verdicts(metrics: dict[str, Metric]) -> dict[str, str]:
    return {result.gate: result.verdict for result in Policy.load().judge("served_release", metrics)}


def test_a_sound_gateway_passes_all_of_its_gates() -> None:
    actions = Actions.model_validate({"tools": {"look": "free", "refund": {"free_within": {"amount": {"max": 1}}}}})
    assert set(verdicts(measured(actions, Tripwires(canaries=CANARIES))).values()) == {"pass"}


def test_tripwires_that_see_nothing_fail_and_nothing_planted_proves_nothing() -> None:
    assert verdicts(measured(Actions(), Tripwires()))["leaks_are_withheld"] == "fail"
    assert verdicts(measured(Actions(), Tripwires(), []))["leaks_are_withheld"] == "inconclusive"


def test_rules_and_ledgers_that_let_through_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Spent, "take", lambda self, grant: None)
    assert verdicts({"actions_escaped": try_actions(Actions())})["held_actions_stay"] == "fail"
    monkeypatch.setattr(Budgets, "admit", lambda *arguments, **more: ("2026-01-01", None))
    settings = ServedSettings.of(Policy.load())
    assert verdicts(try_budgets(settings, 12))["grants_are_bounded"] == "fail"


def test_a_sweep_limit_that_nothing_reaches_or_everything_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def told(sweep: dict[str, Any], blind: bool = False) -> dict[str, str]:
        monkeypatch.setattr(probes, "VARIED", "{word}" if blind else probes.VARIED)
        settings = ServedSettings.from_settings({"sweep": sweep}, "test")
        return verdicts(try_budgets(settings, 12))

    assert told({"near": 3, "likeness": 0.001})["plain_prompts_pass"] == "fail"
    assert told({"near": 20, "among": 5})["sweeps_are_told"] == "fail"
