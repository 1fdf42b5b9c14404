"""The same words lose the same values, whatever form the row that carries them came in."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.assets.sanitized.conftest import Redact

DATA = Path(__file__).parents[4] / "shared" / "data"
SAID = "Thank you, let me look into that for you."
CUSTOMER: dict[str, tuple[str, Callable[[str], dict[str, Any]]]] = {
    "messages": ("messages[0].content", lambda text: {"messages": [{"role": "user", "content": text}, {"role": "assistant", "content": SAID}]}),
    "parts": ("messages[0].content[0].text", lambda text: {"messages": [{"role": "user", "content": [{"type": "text", "text": text}]}, {"role": "assistant", "content": SAID}]}),
    "sharegpt": ("conversations[0].value", lambda text: {"conversations": [{"from": "human", "value": text}, {"from": "gpt", "value": SAID}]}),
    "prompt": ("prompt", lambda text: {"prompt": text, "completion": SAID}),
    "trl": ("prompt[0].content", lambda text: {"prompt": [{"role": "user", "content": text}], "completion": [{"role": "assistant", "content": SAID}]}),
    "alpaca": ("instruction", lambda text: {"instruction": text, "input": "", "output": SAID}),
    "question": ("question", lambda text: {"question": text, "answer": SAID}),
    "input": ("input", lambda text: {"input": text, "output": SAID}),
    "query": ("query", lambda text: {"query": text, "response": SAID}),
    "chosen": ("prompt", lambda text: {"prompt": text, "chosen": SAID, "rejected": "No."}),
    "history": ("history[0][0]", lambda text: {"history": [[text, SAID]], "instruction": "Go on.", "output": SAID}),
    "text": ("text", lambda text: {"text": text}),
}  # fmt: skip
ANSWER: dict[str, tuple[str, Callable[[str], dict[str, Any]]]] = {
    "messages": ("messages[1].content", lambda text: {"messages": [{"role": "user", "content": "Go on."}, {"role": "assistant", "content": text}]}),
    "sharegpt": ("conversations[1].value", lambda text: {"conversations": [{"from": "human", "value": "Go on."}, {"from": "gpt", "value": text}]}),
    "prompt": ("completion", lambda text: {"prompt": "Go on.", "completion": text}),
    "alpaca": ("output", lambda text: {"instruction": "Go on.", "input": "", "output": text}),
    "question": ("answer", lambda text: {"question": "Go on.", "answer": text}),
    "query": ("response", lambda text: {"query": "Go on.", "response": text}),
    "chosen": ("chosen", lambda text: {"prompt": "Go on.", "chosen": text, "rejected": "No."}),
}  # fmt: skip


def found(redact: Redact, texts: list[str], form: tuple[str, Callable[[str], dict[str, Any]]]) -> list[Any]:
    field, make = form
    done = redact(*(make(text) for text in texts))
    return [[(one.start, one.end, one.type) for one in row.redactions if one.field == field] for row in done]


def test_a_bare_value_is_an_answer_in_every_form(redact: Redact) -> None:
    for name, form in CUSTOMER.items():
        assert all(found(redact, ["4684", "mohan", "hdy 786"], form)), name


@pytest.mark.parametrize("source", ["pii_chat", "pii_sentences"])
def test_a_labelled_set_loses_the_same_in_every_form(
    redact: Redact, source: str, request: pytest.FixtureRequest
) -> None:
    path = DATA / f"{source}.jsonl"
    if not path.exists():
        pytest.skip("the development data is not here")
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    texts = [row["text"] for row in rows if row["spans"]][::20] + [row["text"] for row in rows][:40]
    for forms in (CUSTOMER, ANSWER):
        expected = found(redact, texts, forms["messages"])
        assert sum(map(bool, expected)) >= 25
        for name, form in forms.items():
            assert found(redact, texts, form) == expected, name
