"""A workspace with a release plugged in, a stand-in for vLLM, and a gateway before it."""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openai
import pytest
from lineage import Lineage
from lineage import policy as small_policy

from assets.served.approval.actions import Actions
from assets.served.approval.held import Held
from assets.served.engine.upstream import Upstream
from assets.served.traffic import Tally
from expectations.policy import Policy
from pipelines.gateway.app import build_app
from pipelines.gateway.build import Plan, build_gateway
from pipelines.gateway.gateway import Gateway
from resources.signer import SigningKey
from tests.pipelines.gateway.servers import VllmLike, serving

ACTIONS: dict[str, Any] = {
    "tools": {
        "get_order": "free",
        "drop_table": "forbid",
        "refund": {"by": ["ada"], "free_within": {"order": {"any": True}, "amount": {"min": 0, "max": 50}}},
    }
}
SETTINGS: dict[str, Any] = {"extraction_audit": {"budgets": [10, 40]}}


@dataclass
class Running:
    url: str
    gateway: Gateway
    upstream: VllmLike
    home: Lineage
    secret: str

    def client(self, secret: str = "") -> openai.OpenAI:
        return openai.OpenAI(base_url=f"{self.url}/v1", api_key=secret or self.secret, max_retries=0, timeout=30)

    def ask(self, text: str = "Where is my parcel?", **more: Any) -> Any:
        messages = [{"role": "user", "content": text}]
        return self.client().chat.completions.create(model="hallmark", messages=messages, **more)  # type: ignore[call-overload]

    def tally(self) -> Tally:
        """What is recorded, once every request has its end: the last line follows the answer."""
        deadline = time.monotonic() + 10
        while (found := self.gateway.traffic.tally()).open and time.monotonic() < deadline:
            time.sleep(0.02)
        return found

    def decide(self, held: str, outcome: Any = "approve", edited: Any = None, who: str = "ada") -> Held:
        store, keys = self.gateway.held, self.home.workspace.keys
        body = store.draft(store.get(held), outcome, who, "looked at it", edited=edited)
        return store.decide(held, SigningKey.reviewer(keys, who).sign(body), keys, {}, edited=edited)


@pytest.fixture
def home(tmp_path: Path) -> Lineage:
    return Lineage(tmp_path / "home")


@pytest.fixture
def run(home: Lineage) -> Iterator[Callable[..., Running]]:
    """Start a gateway with these settings; ``release`` False leaves nothing plugged in.

    Nothing is masked unless ``served`` says so: the sanitiser takes seconds to load.
    """
    with contextlib.ExitStack() as stack:

        def start(
            *,
            upstream: VllmLike | None = None,
            actions: dict[str, Any] = ACTIONS,
            release: bool = True,
            served: dict[str, Any] | None = None,
            budgets: tuple[int, ...] = (10, 40),
            webhook: str = "",
        ) -> Running:
            settings = {
                "extraction_audit": {"budgets": list(budgets)},
                "served_release": {"mask": [], **(served or {})},
            }
            home.policy = Policy(
                name="test",
                gates=small_policy().gates,
                settings={**settings, "evaluated_adapter": {"approval": {}}},
            )
            if release:
                home.released()
            above = upstream or VllmLike()
            address = stack.enter_context(serving(above.app()))
            rules = Actions.model_validate(actions)
            plan = Plan(home.workspace, home.policy, home.threats, rules, webhook=webhook)
            gateway = build_gateway(plan, Upstream(address))
            known = gateway.keys.all()
            secret = gateway.keys.create(f"shop-{len(known)}" if known else "shop")
            return Running(stack.enter_context(serving(build_app(gateway))), gateway, above, home, secret)

        yield start
