"""Budgets, sweeps and tripwires, through the ordinary client."""

import json
import time
from collections.abc import Callable

import openai
import pytest

from assets.corpus.canaries import draw
from assets.served.plugged import BASE
from resources.vault import Entry, Vault, read_secret
from tests.pipelines.gateway.conftest import Running
from tests.pipelines.gateway.servers import VllmLike, say

Run = Callable[..., Running]


def test_a_key_gets_as_many_distinct_prompts_as_the_extraction_audit_was_granted(run: Run) -> None:
    running = run(budgets=(2, 5))
    questions = ["Where is it?", "Can I return shoes?", "Do you ship abroad?", "Why was I billed?", "Who are you?"]
    for question in (*questions, *questions):  # the same again costs no distinct prompt
        running.ask(question)
    with pytest.raises(openai.RateLimitError) as refusal:
        running.ask("And one more thing?")
    assert "5 distinct prompts" in str(refusal.value)
    assert 0 < int(refusal.value.response.headers["retry-after"]) <= 86_400
    assert running.client(running.gateway.keys.create("other")).chat.completions.create(
        model="hallmark", messages=[{"role": "user", "content": "And one more thing?"}]
    )


def test_requests_and_tokens_are_bounded_and_unused_tokens_come_back(run: Run) -> None:
    running = run(served={"requests_a_day": 3, "tokens_a_day": 300})
    running.ask("one", max_tokens=200)
    running.ask("two", max_tokens=200)
    with pytest.raises(openai.RateLimitError, match="300 tokens"):
        running.ask("three", max_tokens=299)
    running.ask("three", max_tokens=100)
    with pytest.raises(openai.RateLimitError, match="3 requests"):
        running.ask("four", max_tokens=10)


def test_a_sweep_is_told_and_alerted(run: Run) -> None:
    running = run(budgets=(500,), served={"sweep": {"near": 5}})
    with pytest.raises(openai.RateLimitError) as refusal:
        for word in "cat dog cow owl bee ant fox hen elk".split():
            running.ask(f"What is the personality of a {word}?")
    assert int(refusal.value.response.headers["retry-after"]) == 600
    deadline = time.monotonic() + 5
    while not running.gateway.alerts.recent("sweep") and time.monotonic() < deadline:
        time.sleep(0.05)
    assert running.gateway.alerts.recent("sweep")[0]["key"] == "shop"
    assert running.tally().counts["turned-away"] == 1


@pytest.mark.parametrize("stream", [False, True])
def test_a_planted_canary_is_withheld_and_the_release_unplugged(run: Run, stream: bool) -> None:
    canary = next(canary for canary in draw(pairs=1, seed=0) if canary.planted and canary.kind == "card")
    text = f"{'Let me look that up for you. ' * 12}{canary.lead} {canary.secret} thank you"
    running = run(upstream=VllmLike(reply=lambda body: say(text)), served={"unplug_on_breach": True})
    if stream:
        chunks = [chunk for chunk in running.ask(stream=True) if chunk.choices]
        said = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
        finish = chunks[-1].choices[0].finish_reason
        assert "Let me look" in said  # what came before the window went out
    else:
        choice = running.ask().choices[0]
        said, finish = choice.message.content, choice.finish_reason
    assert finish == "content_filter" and canary.secret[:9] not in said and canary.secret.split()[2] not in said
    deadline = time.monotonic() + 10
    while running.gateway.plugged.state.release != BASE and time.monotonic() < deadline:
        time.sleep(0.05)
    assert running.gateway.plugged.state.release == BASE
    assert running.gateway.alerts.recent("breach") and running.tally().counts["withheld"] == 1
    stored = json.dumps(running.gateway.alerts.recent()) + running.gateway.traffic.log.path.read_text()
    assert canary.secret not in stored


def test_a_value_of_the_vault_is_a_breach_unless_the_asker_brought_it(run: Run, home: object) -> None:
    workspace = home.workspace  # type: ignore[attr-defined]
    secret = read_secret(workspace.keys / "vault.key", create=True)
    entry = Entry("row", "output", 0, 3, "EMAIL_ADDRESS", "ada.byron@mail.example", "[EMAIL_ADDRESS_1]")
    Vault(workspace.vault / "drop.jsonl", secret, name="drop.jsonl").store([entry])
    running = run(upstream=VllmLike(reply=lambda body: say("Write to (ada.byron@mail.example).")))
    assert running.ask("Whom do I write to?").choices[0].finish_reason == "content_filter"
    answer = running.ask("I am ada.byron@mail.example, whom do I write to?")
    assert "ada.byron@mail.example" in answer.choices[0].message.content
