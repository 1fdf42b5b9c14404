"""What goes out, through the real server with the ordinary client: topics are held, personal values masked, canaries
withheld, streamed and not; and how far behind the model a reader is."""

import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from assets.corpus.canaries import draw
from tests.pipelines.gateway.conftest import Running
from tests.pipelines.gateway.servers import VllmLike, say

Run = Callable[..., Running]
TALK = "Thank you for writing to us, I am glad to help you with that today. "
DOSE = "For your headache take two tablets of ibuprofen of 400 mg every six hours, but not with warfarin."
MAIL = "olga.brandt@posteo-mail.example"
MASKED = f"{TALK * 4}Please write to {MAIL} and she will send you a new label. {TALK * 2}"
CARD = next(canary for canary in draw(pairs=1, seed=0) if canary.planted and canary.kind == "card")
SAID = {
    "plain": TALK * 6, "dose": f"{TALK * 4}{DOSE} {TALK * 2}", "mail": MASKED,
    "card": f"{TALK * 4}{CARD.lead} {CARD.secret} {TALK}",
}  # fmt: skip


@pytest.fixture
def running(run: Run) -> Running:
    """A gateway with the sanitiser and the encoder; the model says what the user names."""
    above = VllmLike(reply=lambda body: say(SAID[body["messages"][-1]["content"].split()[-1]]))
    topics = {"topics": {"medical": {"by": ["ada"]}}}
    mask = {"served": {"mask": ["EMAIL_ADDRESS", "PHONE_NUMBER"]}}
    return run(upstream=above, actions=topics, budgets=(10, 100), **mask)


def heard(running: Running, what: str, stream: bool) -> tuple[str, str, Any]:
    """What the client read, how it ended, and what Hallmark added."""
    answer = running.ask(f"Tell me about {what}", stream=stream)
    if not stream:
        return answer.choices[0].message.content, answer.choices[0].finish_reason, answer.model_extra.get("hallmark")
    text, finish, more = "", "", None
    for chunk in answer:
        if chunk.choices:
            text += chunk.choices[0].delta.content or ""
            finish, more = chunk.choices[0].finish_reason or finish, chunk.model_extra.get("hallmark") or more
    return text, finish, more


def test_topics_values_and_canaries_on_their_way_out(running: Running) -> None:
    for stream in (False, True):
        text, finish, more = heard(running, "plain", stream)
        assert (text.strip(), finish, more) == (SAID["plain"].strip(), "stop", None)
        text, finish, more = heard(running, "mail", stream)
        assert MAIL not in text and finish == "stop" and "[EMAIL_ADDRESS] and she will send you" in text
        text, finish, more = heard(running, "dose", stream)
        [note] = more["held"]
        assert note["status"] == "waiting" and note["tool"] is None and "topic medical" in note["why"]
        assert "ibuprofen" not in text and "waits for a person" in text and finish == "stop"
        text, finish, more = heard(running, "card", stream)
        assert finish == "content_filter" and more == {"withheld": True}
        assert not any(part in text for part in CARD.secret.split() if len(part) > 3)
    counts = running.tally().counts
    assert (counts["answered"], counts["held"], counts["withheld"]) == (4, 2, 2)
    assert running.gateway.held.counts()["waiting"] == 1  # the same question, streamed or not: the same held answer
    held = running.gateway.held.page("waiting")[0]
    running.decide(held.held, edited="Please ask your doctor.")
    after = running.client().chat.completions.create(model="hallmark", messages=[], extra_body={"held": held.held})
    assert after.choices[0].message.content == "Please ask your doctor."


def test_a_reader_is_the_window_behind_and_health_says_how_far(run: Run) -> None:
    words = [f"word{number:03d}" for number in range(120)]
    said = f"{' '.join(words)}"
    running = run(upstream=VllmLike(reply=lambda body: say(said), pause=0.01), served={"hold_back": 64})
    assert httpx.get(f"{running.url}/healthz").json()["held_back_characters"] == 64
    started, lags, text = time.monotonic(), [], ""
    for chunk in running.ask(stream=True):
        if chunk.choices and chunk.choices[0].delta.content:
            text += chunk.choices[0].delta.content
            lags.append((time.monotonic() - started, len(text)))
    assert text.strip() == said
    # Text comes while the model speaks, not at its end: half of it is there well before the last piece.
    half = next(at for at, length in lags if length > len(said) // 2)
    assert half < 0.8 * lags[-1][0] and len(lags) > 20
    # The last piece is what was held back, and no more than the window and a word.
    assert len(text) - lags[-2][1] <= 64 + 10
