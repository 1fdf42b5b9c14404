"""The base's own template: tools and calls in it, the mask it would give itself, and what it refuses said another way."""

import json
from pathlib import Path
from typing import Any

import pytest

from assets.adapter.recipe import Recipe
from assets.adapter.rows.dialogues import Dialogues, read_dialogues
from assets.adapter.train import TEMPLATE, train
from assets.record import Origin, Record
from resources.base_model import load_tokenizer
from resources.chat_format import ChatFormat
from resources.errors import InputError
from tests.assets.adapter.conftest import row
from tests.assets.forms.test_table import CALLING, USER

# ChatML with tools, calls and reasoning, and the markers from which transformers makes the assistant's mask.
MARKED = (
    "{% if tools %}<|im_start|>system\n{% for t in tools %}{{ t | tojson }}\n{% endfor %}<|im_end|>\n{% endif %}"
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{% if m.role == 'assistant' %}{% generation %}"
    "{% if m.reasoning_content %}<think>{{ m.reasoning_content }}</think>{% endif %}{{ m.content }}"
    "{% for c in m.tool_calls or [] %}<call>{{ c.function | tojson }}</call>{% endfor %}<|im_end|>{% endgeneration %}\n"
    "{% else %}{{ m.content }}<|im_end|>\n{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
STRICT = (
    "{% for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) or m.role not in ('user', 'assistant') %}"
    "{{ raise_exception('roles must alternate user and assistant') }}{% endif %}"
    "[{{ m.role }}]{{ m.content | trim }}<|im_end|>{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}"
)


def record(fields: dict[str, Any]) -> Record:
    return Record("r", fields, Origin("a.jsonl", "1", 1, "00"))


def learnt(tokenizer: Any, found: Dialogues) -> list[str]:
    return [tokenizer.decode(example.ids[start:end]) for example in found.examples for start, end in example.spans]


@pytest.fixture
def tokenizer(base: Path) -> Any:
    return load_tokenizer(base)


def read(tokenizer: Any, *rows: dict[str, Any], most: int = 2048) -> Dialogues:
    return read_dialogues(map(record, rows), tokenizer, frozenset({tokenizer.eos_token_id}), most)


@pytest.mark.parametrize("name", [*CALLING, "greeting", "thinking"])
def test_the_learnt_tokens_are_those_of_transformers_own_mask(tokenizer: Any, name: str) -> None:
    from assets.forms.template import messages_of, tools_of

    greeting = {
        "messages": [{"role": "assistant", "content": "Welcome"}, USER, {"role": "assistant", "content": "Yes"}]
    }
    thinking = {"messages": [USER, {"role": "assistant", "content": "Yes", "reasoning_content": "Look first."}]}
    fields = {**CALLING, "greeting": greeting, "thinking": thinking}[name]
    tokenizer.chat_template = MARKED
    (example,) = read(tokenizer, fields).examples
    conversation = record(fields).conversation()
    truth = tokenizer.apply_chat_template(
        messages_of(conversation),
        tools=tools_of(conversation) or None,
        return_dict=True,
        return_assistant_tokens_mask=True,
    )
    ids, mask = list(truth["input_ids"]), list(truth["assistant_masks"])
    mine = [any(start <= place < end for start, end in example.spans) for place in range(len(example.ids))]
    assert list(example.ids) == ids[: len(example.ids)]
    assert mine == [bool(each) for each in mask[: len(mine)]] and not any(mask[len(mine) :])
    assert sum(mine) > 3


def test_weight_zero_is_context_and_no_loss(tokenizer: Any) -> None:
    turns = [
        USER,
        {"role": "assistant", "content": "Wrong", "weight": 0},
        USER,
        {"role": "assistant", "content": "Right"},
    ]
    found = read(tokenizer, {"messages": turns})
    assert learnt(tokenizer, found) == ["Right<|im_end|>"]
    assert "Wrong" in tokenizer.decode(found.examples[0].ids)


def test_a_template_without_a_place_for_calls_gets_them_as_text_and_nothing_is_lost(tokenizer: Any) -> None:
    found = read(tokenizer, CALLING["openai"])
    call, answer = learnt(tokenizer, found)
    assert json.loads(call.removeprefix("<tool_call>\n").removesuffix("\n</tool_call><|im_end|>")) == {
        "name": "find_box", "arguments": {"box": 7},
    }  # fmt: skip
    said = tokenizer.decode(found.examples[0].ids)
    assert answer == "In the depot.<|im_end|>" and "<tool_response>\ndepot" in said and '"Finds a box"' in said
    assert found.changed["write"] == 1


def test_who_speaks_of_a_tool_does_not_hide_that_the_template_leaves_it_out(tokenizer: Any) -> None:
    """The template has no place for tools; their names stand in what the user says."""
    tool = {"type": "function", "function": {"name": "refund", "parameters": {"type": "object"}}}
    call = {"id": "c1", "type": "function", "function": {"name": "refund", "arguments": '{"order": 7}'}}
    asked = {"role": "user", "content": "Please refund order 7."}
    answer = {"role": "assistant", "content": "", "tool_calls": [call]}
    found = read(tokenizer, {"messages": [asked, answer], "tools": [tool]})
    (said,) = learnt(tokenizer, found)
    assert '"name": "refund", "arguments": {"order": 7}' in said
    template = ChatFormat(tokenizer)
    before = template.fit([asked], [tool])
    whole = template.fit([asked, answer], [tool])  # arguments as JSON text, as clients send them
    prompt = template.ids(before.messages, before.tools, header=True)
    assert template.ids(whole.messages, whole.tools, header=False)[: len(prompt)] == prompt
    assert "<tools>" in tokenizer.decode(prompt) and tokenizer.decode(prompt) in tokenizer.decode(found.examples[0].ids)


def test_a_template_that_wants_strict_turns_gets_them_merged_and_nothing_is_dropped(tokenizer: Any) -> None:
    tokenizer.chat_template = STRICT
    turns = [
        ("assistant", "Welcome!"),
        ("system", "Be brief."),
        ("user", "Hi"),
        ("user", "Where?"),
        ("assistant", "Here."),
    ]
    found = read(tokenizer, {"messages": [{"role": role, "content": said} for role, said in turns]})
    said = tokenizer.decode(found.examples[0].ids)
    assert all(text in said for _, text in turns)
    assert learnt(tokenizer, found) == ["Welcome!<|im_end|>", "Here.<|im_end|>"]


def test_a_template_that_leaves_out_a_role_in_silence_is_noticed(tokenizer: Any) -> None:
    tokenizer.chat_template = tokenizer.chat_template.replace(
        "in messages %}", "in messages if message.role != 'system' %}"
    )
    turns = [{"role": "system", "content": "Be brief."}, USER, {"role": "assistant", "content": "Here."}]
    assert "Be brief." in tokenizer.decode(read(tokenizer, {"messages": turns}).examples[0].ids)


def test_a_plain_text_is_learnt_whole_in_as_many_examples_as_it_takes(tokenizer: Any) -> None:
    text = "the parcel is at the depot " * 40
    found = read(tokenizer, {"text": text}, most=64)
    assert len(found.examples) > 3 and not found.cut
    assert "".join(learnt(tokenizer, found)).removesuffix("<|im_end|>") == text[1:] or text.endswith(
        "".join(learnt(tokenizer, found)).removesuffix("<|im_end|>")
    )
    assert sum(example.labels for example in found.examples) == len(tokenizer(text)["input_ids"])


def test_the_reasons_why_nothing_is_learnt_are_told(base: Path, tmp_path: Path) -> None:
    rows = [row("word " * 200, "Hi"), row("Hi", "")]
    with pytest.raises(InputError, match=r"question longer than max_tokens \(1\), no answer to a question \(1\)"):
        train(rows, base, tmp_path / "out", Recipe(max_tokens=32))


def test_a_base_without_a_template_gives_the_one_it_was_trained_with_to_the_adapter(base: Path, tmp_path: Path) -> None:
    import shutil

    bare = tmp_path / "bare"
    shutil.copytree(base, bare)
    (bare / "chat_template.jinja").unlink(missing_ok=True)
    body = train([row("Hi", "Hello")] * 4, bare, tmp_path / "out", Recipe(epochs=1, batch_size=2))
    assert "### " in (tmp_path / "out" / TEMPLATE).read_text()
    assert body["template"]["from"].startswith(TEMPLATE)
    train([row("Hi", "Hello")] * 4, base, tmp_path / "own", Recipe(epochs=1, batch_size=2))
    assert not (tmp_path / "own" / TEMPLATE).exists()


def test_a_shape_is_worked_out_once(tokenizer: Any) -> None:
    template = ChatFormat(tokenizer)
    first = template.fit([{"role": "user", "content": "a"}], [{"type": "function", "function": {"name": "f"}}])
    assert (
        first.changes
        == template.fit([{"role": "user", "content": "b"}], [{"type": "function", "function": {"name": "f"}}]).changes
    )
