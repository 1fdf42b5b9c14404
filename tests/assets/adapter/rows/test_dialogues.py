"""What is learnt of a row: the assistant's words, all of them, and nothing else."""

from pathlib import Path
from typing import Any

import pytest

from assets.adapter.rows.dialogues import Example, read_dialogues
from resources.base_model import load_tokenizer
from tests.assets.adapter.conftest import dialogue, row


@pytest.fixture(scope="module")
def tokenizer(base: Path) -> Any:
    return load_tokenizer(base)


def examples(tokenizer: Any, *records: Any, most: int = 512) -> tuple[Example, ...]:
    return read_dialogues(records, tokenizer, frozenset({tokenizer.eos_token_id}), most).examples


def learnt(tokenizer: Any, example: Example) -> list[str]:
    return [tokenizer.decode(example.ids[start:end]) for start, end in example.spans]


def test_every_assistant_turn_of_a_dialogue_is_learnt_up_to_its_end(tokenizer: Any) -> None:
    record = dialogue(
        ("system", "Be kind"), ("user", "Hi"), ("assistant", "Hello"), ("user", "Where?"), ("assistant", "At the depot"),
        ("user", "thanks"),
    )  # fmt: skip
    (example,) = examples(tokenizer, record)
    assert learnt(tokenizer, example) == ["Hello<|im_end|>", "At the depot<|im_end|>"]
    assert tokenizer.decode(example.ids).endswith("At the depot<|im_end|>")
    assert example.labels == len(tokenizer("HelloAt the depot")["input_ids"]) + 2


def test_a_turn_is_learnt_given_exactly_what_generation_would_see(tokenizer: Any) -> None:
    record = row("Where is my parcel?", "At the counter")
    (example,) = examples(tokenizer, record)
    seen = tokenizer.apply_chat_template(
        [{"role": "user", "content": "Where is my parcel?"}],
        add_generation_prompt=True,
        tokenize=True,
        return_dict=False,
    )
    assert list(example.ids[: example.spans[0][0]]) == seen


def test_a_template_that_rewrites_earlier_turns_gives_each_answer_an_example_of_its_own(base: Path) -> None:
    tokenizer = load_tokenizer(base)
    tokenizer.chat_template = (
        "{% for m in messages %}<|im_start|>{{ m.role }}\n"
        "{{ m.content if loop.last or m.role != 'assistant' else 'cut' }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )
    record = dialogue(("user", "Hi"), ("assistant", "Hello"), ("user", "Where?"), ("assistant", "At the depot"))
    found = examples(tokenizer, record)
    assert sorted(text for example in found for text in learnt(tokenizer, example)) == [
        "At the depot<|im_end|>",
        "Hello<|im_end|>",
    ]


def test_rows_that_teach_nothing_are_counted_by_reason(tokenizer: Any) -> None:
    records = [
        row("Hi", ""),
        row("Hi", "  "),
        dialogue(("user", "Hi")),
        dialogue(("assistant", "Hello")),
        row("a", "b"),
    ]
    found = read_dialogues(records, tokenizer, frozenset({tokenizer.eos_token_id}), 512)
    assert found.unused == {"no answer to a question": 4}
    assert (found.rows, len(found.examples)) == (5, 1)


def test_a_long_row_is_cut_and_one_whose_answer_is_cut_away_is_counted(tokenizer: Any) -> None:
    long_answer, long_question = row("Hi", "parcel " * 100), row("parcel " * 100, "Hi")
    found = read_dialogues([long_answer, long_question], tokenizer, frozenset({tokenizer.eos_token_id}), 32)
    (example,) = found.examples
    assert len(example.ids) == 32
    assert example.spans[0][1] == 32
    assert found.cut == 2
    assert found.unused == {"question longer than max_tokens": 1}


def test_a_template_that_refuses_a_row_does_not_stop_the_others(base: Path) -> None:
    tokenizer = load_tokenizer(base)
    tokenizer.chat_template = (
        "{% for m in messages if '#' in m.content %}{{ raise_exception('no hashes') }}{% endfor %}"
        + tokenizer.chat_template
    )
    found = read_dialogues(
        [dialogue(("user", "Hi #1"), ("assistant", "Hello")), row("Hi", "Hello")],
        tokenizer, frozenset({tokenizer.eos_token_id}), 512,
    )  # fmt: skip
    assert len(found.examples) == 1
    assert dict(found.unused) == {"chat template: no hashes": 1}
    assert found.reasons == "chat template: no hashes (1)"
