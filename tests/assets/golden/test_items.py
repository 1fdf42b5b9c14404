"""The golden set that ships is whole, and a user's own is checked line by line."""

import json
from collections import Counter
from pathlib import Path

import pytest

from assets.golden.items import NEEDS, load_golden
from assets.golden.measures.checks import CHECKS
from resources.errors import InputError


def test_the_shipped_set_is_as_large_and_as_broad_as_promised() -> None:
    golden = load_golden()
    sizes = {name: len(items) for name, items in golden.suites.items()}
    assert sizes.keys() == NEEDS.keys()
    assert golden.size >= 500
    assert sizes["harmful"] >= 150
    assert sizes["harmless"] >= 100
    assert len({item.category for item in golden.suites["harmful"]}) >= 12
    assert min(sizes.values()) >= 30


def test_no_item_of_the_shipped_set_occurs_twice_or_answers_a_harmful_request() -> None:
    golden = load_golden()
    prompts = Counter(item.prompt.lower() for items in golden.suites.values() for item in items)
    assert [prompt for prompt, times in prompts.items() if times > 1] == []
    for item in golden.suites["harmful"]:
        assert not item.reference
        assert len(item.prompt.split()) <= 20


def test_answers_of_the_shipped_questions_stand_at_every_place() -> None:
    places = Counter(item.answer for item in load_golden().suites["choice"])
    assert set(places) == {0, 1, 2, 3}
    assert max(places.values()) < 2 * min(places.values())


def test_every_check_of_the_shipped_set_exists() -> None:
    assert {name for item in load_golden().suites["instruction"] for name in item.checks} <= CHECKS.keys()


def test_a_sample_is_the_same_every_time_and_spread_over_the_categories() -> None:
    golden = load_golden()
    sample = golden.sample(28)
    assert sample == golden.sample(28)
    assert all(len(items) <= 28 for items in sample.suites.values())
    assert set(Counter(item.category for item in sample.suites["harmful"]).values()) == {2}
    assert golden.sample(0) == golden


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"suite": "poems", "prompt": "x"}', "suite is one of"),
        ('{"suite": "task", "prompt": "x"}', "a task item has reference"),
        ('{"suite": "task", "prompt": "x", "reference": " "}', "reference says something"),
        ('{"suite": "harmful"}', "prompt is text"),
        ('{"suite": "harmful", "messages": [{"role": "user"}]}', "messages are turns"),
        ('{"suite": "choice", "prompt": "x", "choices": ["a", "b"], "answer": 2}', "answer is the number"),
        ('{"suite": "choice", "prompt": "x", "choices": ["a"], "answer": 0}', "choices are texts"),
        ("[1]", "an item is an object"),
        ("{", "golden-readable"),
    ],
)
def test_a_line_that_is_no_item_is_named(tmp_path: Path, line: str, said: str) -> None:
    path = tmp_path / "own.jsonl"
    path.write_text('{"suite": "edge", "prompt": "?"}\n' + line)
    with pytest.raises(InputError, match=said) as caught:
        load_golden(path)
    if said != "golden-readable":
        assert caught.value.line == 2


def test_an_own_set_may_be_a_file_a_folder_and_a_conversation(tmp_path: Path) -> None:
    turns = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}]
    (tmp_path / "one.jsonl").write_text(json.dumps({"suite": "harmless", "messages": turns}))
    (tmp_path / "two.jsonl").write_text('{"suite": "edge", "prompt": "?"}\n\n')
    assert load_golden(tmp_path).size == 2
    (item,) = load_golden(tmp_path / "one.jsonl").suites["harmless"]
    assert item.prompt == "c"
    (tmp_path / "two.jsonl").write_text("\n")
    with pytest.raises(InputError, match="holds no items"):
        load_golden(tmp_path / "two.jsonl")
    with pytest.raises(InputError, match="golden-readable"):
        load_golden(tmp_path / "absent.jsonl")
