"""A gateway tries its own gates before it serves; if the policy's gates of ``served_release`` fail, it stays shut."""

from assets.served.probes import try_actions, try_budgets, try_tripwires
from assets.served.settings import granted_answers
from expectations.policy import GateResult, Policy, worst
from pipelines.gateway.build import Plan, planted, vault_sample
from pipelines.gateway.gateway import Gateway
from resources.errors import GateRefused

STAGE = "served_release"


def self_test(gateway: Gateway, plan: Plan) -> list[GateResult]:
    """The gates' results; ``GateRefused`` where one fails. One that could prove nothing is told and lets it serve."""
    policy: Policy = plan.policy
    settings = gateway.settings
    metrics = {
        "actions_escaped": try_actions(gateway.actions),
        **try_budgets(settings, granted_answers(policy)),
        **try_tripwires(gateway.tripwires, planted(policy), vault_sample(plan), settings.hold_back),
    }
    results = policy.judge(STAGE, metrics)
    if worst(results) == "fail":
        failed = "; ".join(f"{result.gate}: {result.reason}" for result in results if result.verdict == "fail")
        raise GateRefused(f"the gateway does not hold and is not started ({failed})")
    return results
