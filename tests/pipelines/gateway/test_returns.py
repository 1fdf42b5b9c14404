"""The whole way back: held by the gateway, corrected at the desk, signed, picked up, learnt by the next candidate."""

import datetime
import json
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from assets.adapter.asset import lora_adapter
from assets.corpus.asset import training_corpus
from assets.raw.asset import raw_drop
from assets.raw.drops import SETTLED
from assets.release.signed import ADAPTER
from assets.sanitized.asset import sanitized_records
from assets.screened.asset import screened_records
from assets.served.approval.actions import Actions
from assets.served.engine.embedded import Embedded
from assets.served.engine.upstream import Upstream
from assets.stage import drops
from assets.validated.asset import validated_records
from deploy.sample_drops import Desk as SampleDesk
from deploy.sample_writer import DropWriter
from expectations.policy import Policy
from expectations.suite import RecordSuite
from pipelines.desk.desk import Desk
from pipelines.execution import trainer
from pipelines.gateway.app import build_app
from pipelines.gateway.build import Plan, build_gateway
from pipelines.sensors import new_drops
from resources.artifacts import ArtifactStore
from resources.base_model import bundled_base
from resources.language_model import LanguageModel
from resources.project import Project
from tests.pipelines.desk.conftest import ORIGIN, Browser
from tests.pipelines.gateway.conftest import Running
from tests.pipelines.gateway.servers import VllmLike, call, serving
from tests.pipelines.gateway.test_held_calls import TOOLS, wait_for

ROOT = Path(__file__).resolve().parents[3]
DOSE = "How many tablets of ibuprofen may I take a day with my blood pressure pills?"
BETTER = "I must not advise on medicine. Please ask your doctor or pharmacist, and call 112 in an emergency."
REFUND = "Please refund order 7."  # on the side of the split that is trained on
LESS = {"order": 7, "amount": 40}


def correct_at_the_desk(browser: Browser, held: str, better: str) -> None:
    """What a reviewer does: looks at the page, writes another form, signs it with a passkey."""
    browser.get(f"/held/{held}")
    browser.send(f"/held/{held}", decision="edit", reason="not like this", proposal=better)
    assert "Signed: the" in browser.sign()


def held_of(answer: Any) -> str:
    return str(answer.model_extra["hallmark"]["held"][0]["id"])


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_what_was_held_and_corrected_is_learnt(home: Any, tmp_path: Path) -> None:
    workspace, base = home.workspace, bundled_base(ROOT / ".hallmark" / "models")
    workspace.drops.mkdir(parents=True)
    desk = Desk(workspace, home.policy, home.threats, workspace.drops.as_uri(), ORIGIN)
    browser = Browser(desk)
    browser.register("ada")
    # A text on a topic, answered by the engine that comes with Hallmark, and a call that a server upstream proposes.
    topics = Actions.model_validate({"topics": {"medical": {"by": ["ada"]}}})
    text = gateway(home, Embedded(base), topics, lambda running: held_of(running.ask(DOSE, max_tokens=40)))
    correct_at_the_desk(browser, text, BETTER)
    above = VllmLike(reply=lambda body: call(("refund", {"order": 7, "amount": 80})))

    def ask_and_correct(running: Running) -> str:
        held = held_of(running.ask(REFUND, tools=TOOLS))
        correct_at_the_desk(browser, held, json.dumps(LESS))
        assert wait_for(lambda: running.tally().counts["decided"] == 2)  # the first one, too
        return held

    with serving(above.app()) as address:
        refund = gateway(home, Upstream(address), Actions(), ask_and_correct)
    write_clean_drop(workspace.drops)
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text("epochs: 6\ncorrection_weight: 8.0\n")
    project = Project(home=str(workspace.root), base=str(base), recipe=str(recipe))
    partitions = announced(project)
    assert len(partitions) == 3
    trained(project, partitions)
    adapter = ArtifactStore(workspace.root / "artifacts").current("lora_adapter")
    assert adapter is not None
    corrections = json.loads(adapter.path("training.json").read_text())["corrections"]
    assert corrections["rows"] == corrections["examples"] == 2
    assert sum(corrections["by_reviewer"].values()) == 2
    model = LanguageModel.load(base, adapter.path(ADAPTER))
    said = [({"role": "assistant", "content": BETTER}, DOSE), (called(refund), REFUND)]
    for better, asked in said:
        chat = [{"role": "user", "content": asked}]
        tools = TOOLS if asked == REFUND else []
        tokens = model.continuation(chat, better, tools=tools)
        pairs = [(model.encode(chat, for_generation=True, tools=tools), tokens)]
        after, before = (float(scores[0].mean()) for scores in model.both(partial(model.score_tokens, pairs)))
        print(f"{asked!r}: {before:.2f} -> {after:.2f} nats a token")
        assert after > before / 2  # of what the base did not expect, less than half is left


def gateway(home: Any, engine: Any, actions: Actions, story: Callable[[Running], str]) -> str:
    """Tell a story to a gateway of this workspace, with nothing plugged in but the base."""
    settings = {"served_release": {"mask": []}, "extraction_audit": {"budgets": [50]}}
    policy = Policy(name="test", gates=home.policy.gates, settings=settings)
    built = build_gateway(Plan(home.workspace, policy, home.threats, actions), engine)
    secret = built.keys.create(f"shop-{len(built.keys.all())}")
    with serving(build_app(built)) as url:
        return story(Running(url, built, VllmLike(), home, secret))


def called(held: str) -> dict[str, Any]:
    arguments = json.dumps(LESS, sort_keys=True)
    made = {"id": held, "type": "function", "function": {"name": "refund", "arguments": arguments}}
    return {"role": "assistant", "content": "", "tool_calls": [made]}


def write_clean_drop(folder: Path) -> None:
    created = datetime.date(2026, 11, 2)
    writer = DropWriter(folder / f"{created.isoformat()}-desk")
    writer.folder.mkdir(parents=True)
    SampleDesk(7).clean_drop(writer)
    writer.manifest(created)


def announced(project: Project) -> list[str]:
    """What the sensor asks runs for; corrections last, as `hallmark run` does it."""
    time.sleep(SETTLED.total_seconds() + 1)
    with dg.DagsterInstance.ephemeral() as instance:
        seen = new_drops(dg.build_sensor_context(instance=instance, resources={"project": project}))
        requests = seen.run_requests  # type: ignore[union-attr]
    return [str(request.partition_key) for request in requests]


def trained(project: Project, partitions: list[str]) -> None:
    """Every drop through its walls, then the corpus and the adapter."""
    rows = [raw_drop, validated_records, sanitized_records, screened_records]
    resources = {"project": project, "record_suite": RecordSuite, "pipes": trainer()}
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(str(drops.name), partitions)
        for partition in partitions:
            assert dg.materialize(rows, instance=instance, partition_key=partition, resources=resources).success
        assert dg.materialize([*rows, training_corpus, lora_adapter], instance=instance, resources=resources,
                              selection=[training_corpus, lora_adapter]).success  # fmt: skip
