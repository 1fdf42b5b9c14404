"""The ordinary client talks to the plugged-in release, and to nothing else."""

import json
import subprocess
import threading
import time
from collections.abc import Callable

import httpx
import openai
import pytest

from assets.release.release import rollback
from tests.pipelines.gateway.conftest import Running
from tests.pipelines.gateway.servers import VllmLike, say

Run = Callable[..., Running]


def test_the_openai_client_and_curl_are_answered_by_the_release(run: Run) -> None:
    running = run()
    release = running.gateway.plugged.state.release
    assert release in running.upstream.loaded
    answer = running.ask("Where is it?")
    assert answer.choices[0].message.content == f"{release} heard Where is it?"
    assert (answer.model, answer.choices[0].finish_reason, answer.usage.prompt_tokens) == (release, "stop", 5)
    chunks = list(running.ask("Where is it?", stream=True, stream_options={"include_usage": True}))
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text.strip() == f"{release} heard Where is it?"
    assert chunks[-1].usage.completion_tokens > 0
    assert [model.id for model in running.client().models.list()] == ["hallmark", release]
    body = json.dumps({"messages": [{"role": "user", "content": "hi"}]})
    said = subprocess.run(
        ["curl", "-s", f"{running.url}/v1/chat/completions", "-H", f"Authorization: Bearer {running.secret}", "-d", body],
        capture_output=True, check=True, timeout=30,
    )  # fmt: skip
    assert json.loads(said.stdout)["choices"][0]["message"]["content"] == f"{release} heard hi"
    assert httpx.get(f"{running.url}/healthz").json()["release"] == release
    assert f'hallmark_serving{{release="{release}"}} 1.0' in httpx.get(f"{running.url}/metrics").text
    found = running.tally()
    assert (found.counts["asked"], found.counts["answered"], found.open, found.unaccounted) == (3, 3, set(), 0)


def test_after_a_rollback_the_old_release_is_silent_within_two_seconds(run: Run) -> None:
    running = run(upstream=VllmLike(reply=lambda body: say("word " * 2000), pause=0.01), served={"hold_back": 32})
    arrived: list[float] = []
    broken: list[BaseException] = []

    def read() -> None:
        try:
            for chunk in running.ask(stream=True, max_tokens=1000):
                if chunk.choices and chunk.choices[0].delta.content:
                    arrived.append(time.monotonic())
        except openai.APIError as error:
            broken.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    deadline = time.monotonic() + 10
    while len(arrived) < 10 and time.monotonic() < deadline:
        time.sleep(0.02)
    rollback(running.home.workspace, "complaint")
    gone = time.monotonic()
    reader.join(10)
    assert arrived and broken and arrived[-1] - gone < 2.0
    assert "unplugged" in str(broken[0])
    deadline = time.monotonic() + 5
    while running.gateway.plugged.state.release != "base" and time.monotonic() < deadline:
        time.sleep(0.05)
    assert running.upstream.loaded == {}
    assert running.ask("hello").model == "base"  # nothing is plugged in: the base alone
    assert running.tally().counts["unplugged"] == 1


@pytest.mark.parametrize(("unverified", "status"), [("refuse", 503), ("base", 200)])
def test_a_release_that_does_not_verify_is_not_served(run: Run, unverified: str, status: int) -> None:
    running = run(release=False, served={"unverified": unverified})
    folder = running.home.released()
    weights = folder / "adapter" / "adapter_model.safetensors"
    weights.chmod(0o644)
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x01")
    deadline = time.monotonic() + 5
    while not running.gateway.plugged.state.why and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.3)
    health = httpx.get(f"{running.url}/healthz")
    assert health.status_code == status and "does not verify" in health.json()["why"]
    assert running.upstream.loaded == {}
    if status == 503:
        with pytest.raises(openai.InternalServerError, match="nothing is served"):
            running.ask()
    else:
        assert running.ask().model == "base"


def test_an_upstream_without_lora_endpoints_serves_only_a_model_of_the_releases_name(run: Run) -> None:
    running = run(upstream=VllmLike(lora=False))
    with pytest.raises(openai.InternalServerError, match="no model named"):
        running.ask()


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"messages": []}, openai.BadRequestError),
        ({"messages": [{"role": "wizard", "content": "x"}]}, openai.BadRequestError),
        ({"extra_body": {"n": 3}}, openai.BadRequestError),
        ({"extra_body": {"best_of": 3}}, openai.BadRequestError),
        ({"logprobs": True}, openai.BadRequestError),
        ({"model": "gpt-4"}, openai.NotFoundError),
    ],
)
def test_what_is_not_understood_is_refused_by_name(run: Run, change: dict, kind: type[Exception]) -> None:
    request = {"model": "hallmark", "messages": [{"role": "user", "content": "hi"}]} | change
    with pytest.raises(kind):
        run().client().chat.completions.create(**request)


def test_no_key_a_wrong_key_and_a_revoked_key_open_nothing(run: Run) -> None:
    running = run()
    with pytest.raises(openai.AuthenticationError):
        running.client("hmk_wrong").models.list()
    running.gateway.keys.revoke("shop")
    with pytest.raises(openai.AuthenticationError):
        running.ask()
    assert httpx.post(f"{running.url}/v1/chat/completions", json={}).status_code == 401


def test_an_upstream_that_is_gone_is_an_error_and_counts(run: Run) -> None:
    running = run(upstream=VllmLike(reply=lambda body: {"content": 1 / 0}))
    with pytest.raises(openai.InternalServerError):
        running.ask()
    assert running.tally().counts["failed"] == 1
