"""``hallmark serve``: the release in use, behind OpenAI's interface, until interrupted."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assets.served.approval.actions import Actions
from pipelines.governance import PORTS, check_port, home_option, in_force, located, policy_options
from pipelines.report import console
from resources.errors import UsageError

if TYPE_CHECKING:
    from assets.served.chat import Engine

UPSTREAM_KEY = "HALLMARK_UPSTREAM_KEY"


@click.command("serve")
@click.option("--upstream", metavar="URL", help="A vLLM or other OpenAI-compatible server; default: the own engine.")
@click.option("--upstream-base", metavar="NAME", default="", help="The base model's name there; default: the first.")
@click.option(
    "--actions",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Which tool calls are free, held for a person or forbidden; default: every call is held.",
)
@click.option("--base", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Base model folder.")
@click.option("--port", type=PORTS, default=8080, show_default=True, help="Port on 127.0.0.1.")
@click.option("--store", default="", help="Where corrections go; default $HALLMARK_STORE or the workspace's own store.")
@policy_options
@home_option
def command(
    upstream: str | None,
    upstream_base: str,
    actions: Path | None,
    base: Path | None,
    port: int,
    store: str,
    policy: Path | None,
    threats: Path | None,
    home: Path | None,
) -> int:
    """Serve the plugged-in release, and nothing else, on http://127.0.0.1:PORT/v1.

    The release is proven before it is loaded and looked at twice a second: after `hallmark rollback` it is silent
    within two seconds. Before it serves, the gateway tries its own gates: a held action, a forged grant, a used-up
    budget and a planted canary must be stopped, and plain talk must pass.

    \b
    export OPENAI_API_KEY=$(hallmark keys create shop) OPENAI_BASE_URL=http://127.0.0.1:8080/v1
    hallmark serve --actions actions.yaml
    hallmark serve --upstream http://127.0.0.1:8000        # vLLM with --enable-lora

    TLS is a proxy's. $HALLMARK_UPSTREAM_KEY is sent upstream, alerts go to $HALLMARK_WEBHOOK.
    """
    import uvicorn

    from pipelines.gateway.app import build_app
    from pipelines.gateway.build import Plan, build_gateway
    from pipelines.gateway.self_test import self_test

    workspace = located(home)
    rules, model = in_force(policy, threats)
    plan = Plan(
        workspace,
        rules,
        model,
        Actions.load(actions),
        store or os.environ.get("HALLMARK_STORE", ""),
        os.environ.get("HALLMARK_WEBHOOK", ""),
    )
    if upstream and base:
        raise UsageError("--base is the own engine's; an upstream has its own")
    check_port("127.0.0.1", port)
    gateway = build_gateway(plan, _engine(upstream, upstream_base, base, workspace.models))
    for result in self_test(gateway, plan):
        console.print(f"gate {result.gate}: {result.verdict}, {result.reason}", highlight=False, markup=False)
    if not gateway.keys.all():
        console.print("There is no key yet: `hallmark keys create NAME` makes one.", style="yellow")
    console.print(f"http://127.0.0.1:{port}/v1   health /healthz   metrics /metrics", highlight=False)
    uvicorn.run(build_app(gateway), host="127.0.0.1", port=port, log_level="warning", access_log=False)
    return 0


def _engine(upstream: str | None, upstream_base: str, base: Path | None, models: Path) -> "Engine":
    if upstream:
        from assets.served.engine.upstream import Upstream

        return Upstream(upstream, base=upstream_base, key=os.environ.get(UPSTREAM_KEY, ""))
    from assets.served.engine.embedded import Embedded
    from resources.base_model import base_path

    return Embedded(base_path(base, models))
