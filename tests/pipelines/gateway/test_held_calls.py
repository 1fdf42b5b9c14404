"""What the model wants done: free calls go out, forbidden ones never, the rest waits for a person."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import httpx
import openai
import pytest

from assets.outcome import FILES, read_lines
from assets.raw.asset import raw_drop
from assets.raw.drops import discover
from assets.served.approval.actions import Hold
from assets.served.approval.grants import Spent, prove_grant
from assets.served.approval.held import Proposed
from assets.stage import drops
from pipelines.sensors import new_drops
from resources.alerts import webhook_secret
from resources.errors import ApprovalRefused
from resources.object_store import ObjectStore
from resources.project import Project
from resources.signer import KeyRing
from tests.pipelines.gateway.conftest import Running
from tests.pipelines.gateway.servers import VllmLike, call
from tests.resources.test_alerts import Receiver

Run = Callable[..., Running]
TOOLS = [{"type": "function", "function": {"name": "refund", "parameters": {"type": "object"}}}]
BIG, SMALL = {"order": "A-1", "amount": 80}, {"order": "A-1", "amount": 20}


def proposing(*calls: tuple[str, Any]) -> VllmLike:
    return VllmLike(reply=lambda body: call(*calls))


def wait_for(check: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 10
    while not (found := check()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


def test_a_free_call_goes_out_whole_and_streamed(run: Run) -> None:
    running = run(upstream=proposing(("refund", SMALL), ("get_order", {"id": 1})))
    choice = running.ask("refund", tools=TOOLS).choices[0]
    assert choice.finish_reason == "tool_calls" and [made.function.name for made in choice.message.tool_calls] == [
        "refund", "get_order",
    ]  # fmt: skip
    parts = [chunk.choices[0] for chunk in running.ask("again", tools=TOOLS, stream=True) if chunk.choices]
    made = [one for part in parts for one in part.delta.tool_calls or ()]
    assert [json.loads(one.function.arguments) for one in made] == [SMALL, {"id": 1}]
    assert parts[-1].finish_reason == "tool_calls"


@pytest.mark.parametrize("stream", [False, True])
def test_a_held_call_waits_is_approved_and_its_grant_works_once(run: Run, stream: bool, tmp_path: Any) -> None:
    running = run(upstream=proposing(("refund", BIG)))
    if stream:
        parts = list(running.ask("refund 80", tools=TOOLS, stream=True))
        last = next(part for part in parts if part.choices and part.choices[0].finish_reason)
        note = last.model_extra["hallmark"]["held"][0]
        assert not any(part.choices and part.choices[0].delta.tool_calls for part in parts)
    else:
        answer = running.ask("refund 80", tools=TOOLS)
        note = answer.model_extra["hallmark"]["held"][0]
        assert answer.choices[0].message.tool_calls is None
        assert "waits for a person" in answer.choices[0].message.content
    assert note["status"] == "waiting" and "grant" not in note
    assert running.ask("refund 80", tools=TOOLS).model_extra["hallmark"]["held"][0]["id"] == note["id"]  # the same call
    running.decide(note["id"])
    client = running.client()
    after = client.chat.completions.create(model="hallmark", messages=[], extra_body={"held": note["id"]})
    made = after.choices[0].message.tool_calls[0]
    assert (made.function.name, json.loads(made.function.arguments)) == ("refund", BIG)
    token = after.model_extra["hallmark"]["held"][0]["grant"]
    grant = prove_grant(
        token, KeyRing.open(running.home.workspace.keys), tool="refund", arguments=BIG, requester="shop"
    )
    spent = Spent(tmp_path / "spent")
    spent.take(grant)
    with pytest.raises(ApprovalRefused, match="used before"):
        spent.take(grant)
    header = {"authorization": f"Bearer {running.secret}"}
    seen = httpx.get(f"{running.url}/v1/held/{note['id']}", headers=header).json()
    assert seen["status"] == "approved" and seen["completion"]["choices"][0]["finish_reason"] == "tool_calls"
    assert wait_for(lambda: running.tally().counts["decided"]) == 1


def test_a_rejected_call_is_told_and_another_key_sees_nothing(run: Run) -> None:
    running = run(upstream=proposing(("refund", BIG)))
    held = running.ask("refund 80", tools=TOOLS).model_extra["hallmark"]["held"][0]["id"]
    running.decide(held, "reject")
    answer = running.ask("refund 80", tools=TOOLS)
    assert "a person said no" in answer.choices[0].message.content and answer.choices[0].finish_reason == "stop"
    other = running.client(running.gateway.keys.create("other"))
    with pytest.raises(openai.NotFoundError):
        other.chat.completions.create(model="hallmark", messages=[], extra_body={"held": held})


def test_unlisted_is_held_forbidden_never_goes_out(run: Run) -> None:
    running = run(upstream=proposing(("drop_table", {}), ("launch", {"at": "noon"}), ("get_order", {"id": 1})))
    answer = running.ask("do it", tools=TOOLS)
    message, notes = answer.choices[0].message, answer.model_extra["hallmark"]
    assert [made.function.name for made in message.tool_calls] == ["get_order"]
    assert notes["forbidden"] == ["drop_table"] and notes["held"][0]["tool"] == "launch"
    assert "drop_table is not allowed" in message.content


@pytest.mark.parametrize("arguments", ['{"amount": 20', '{"amount": 20, "amount": 5000, "order": "A"}', "[1]", ""])
def test_arguments_that_can_be_read_in_two_ways_are_held(run: Run, arguments: str) -> None:
    message = {"content": None, "tool_calls": [{"id": "c", "function": {"name": "refund", "arguments": arguments}}]}
    running = run(upstream=VllmLike(reply=lambda body: message))
    answer = running.ask("refund", tools=TOOLS)
    assert answer.choices[0].message.tool_calls is None
    assert answer.model_extra["hallmark"]["held"][0]["status"] == "waiting"


def test_an_edit_comes_back_as_a_signed_drop(run: Run) -> None:
    running = run(upstream=proposing(("refund", BIG)))
    held = running.ask("refund 80", tools=TOOLS).model_extra["hallmark"]["held"][0]["id"]
    less = {"order": "A-1", "amount": 60}
    running.decide(held, edited=less)
    store = ObjectStore.open(running.home.workspace.drops.as_uri())
    drop = wait_for(lambda: [drop for drop in discover(store) if not drop.fault])[0]
    assert (drop.kind, drop.name, drop.manifest.author) == ("feedback", f"feedback-{held}/", "ada")
    row = json.loads(store.read(drop.objects[-1], 1 << 20))
    assert row["messages"][0] == {"role": "user", "content": "refund 80"}
    assert [tool["function"]["name"] for tool in row["tools"]] == [
        "refund"
    ]  # the next candidate learns the call where it may be chosen
    assert json.loads(row["messages"][1]["tool_calls"][0]["function"]["arguments"]) == less
    passed, _ = ingested(running)
    assert passed["origin"]["author"] == "ada" and passed["fields"] == row
    store.put(json.dumps(row).replace("60", "61").encode() + b"\n", f"feedback-{held}/row.jsonl")
    manifest = Path(store.uri.removeprefix("file://")) / f"feedback-{held}" / "manifest.json"
    forged = json.loads(manifest.read_bytes())
    del forged["objects"]  # else its own digest refuses it
    manifest.write_text(json.dumps(forged))
    _, refused = ingested(running)
    assert refused["removal"]["rule"] == "feedback-signature"
    assert refused["origin"]["object_key"] == f"feedback-{held}/row.jsonl"


def ingested(running: Running) -> tuple[Any, Any]:
    """What the sensor asks for is run: the rows that pass, or are rejected, of the newest drop."""
    project = Project(home=str(running.home.workspace.root))
    for path in running.home.workspace.drops.rglob("*.json*"):
        os.utime(path, (path.stat().st_mtime - 60,) * 2)  # the sensor waits until a file has rested
    with dg.DagsterInstance.ephemeral() as instance:
        seen = new_drops(dg.build_sensor_context(instance=instance, resources={"project": project}))
        [request] = seen.run_requests  # type: ignore[union-attr]
        instance.add_dynamic_partitions(str(drops.name), [request.partition_key])
        dg.materialize(
            [raw_drop], instance=instance, partition_key=request.partition_key, resources={"project": project}
        )
    artifact = project.artifacts.current("raw_drop", request.partition_key)
    kept = (list(read_lines(artifact.path(FILES[fate]), project.line_cipher())) for fate in ("passed", "rejected"))
    passed, rejected = kept
    return passed[0] if passed else None, rejected[0] if rejected else None


def test_a_webhook_hears_of_each_held_call_once_even_if_it_was_down_or_the_gateway_was(run: Run, home: Any) -> None:
    secret = webhook_secret(home.workspace.keys / "vault.key")
    receiver = Receiver(secret)
    with receiver.listening() as url:
        port = int(url.split(":")[2].split("/")[0])
    running = run(upstream=proposing(("refund", BIG)), webhook=url)
    held = running.ask("refund 80", tools=TOOLS).model_extra["hallmark"]["held"][0]["id"]
    assert wait_for(lambda: running.gateway.alerts.recent("webhook-failed"))
    running.ask("refund 80", tools=TOOLS)  # asking again is no news
    with receiver.listening(port):
        assert wait_for(lambda: receiver.got)
    assert [(got["kind"], got["held"], got["key"]) for got in receiver.got] == [("held", held, "shop")]
    # Another gateway of the same workspace finds a call that waits and that nobody was told of.
    rule, why = Hold(), "a killed gateway's"
    other = running.gateway.held.hold(Proposed("refund", BIG, (), "shop", "r", "other"), rule, why)
    with receiver.listening(port):
        run(webhook=url, release=False)
        assert wait_for(lambda: len(receiver.got) > 1)
    assert [got["held"] for got in receiver.got] == [held, other.held]
