"""Tool use by likelihood: every kind of situation ships, and what an adapter does to it shows."""

from collections import Counter
from pathlib import Path

import pytest

from assets.golden.items import load_golden
from assets.golden.measures.tool_use import margins, tool_suites
from expectations.policy import Policy
from resources.errors import InputError
from resources.language_model import LanguageModel
from tests.tiny_model import write_tiny_base

ITEMS = load_golden().suites["tool"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LanguageModel:
    return LanguageModel.load(write_tiny_base(tmp_path_factory.mktemp("base")))


def test_every_kind_of_situation_is_asked_often_enough() -> None:
    kinds = Counter(item.category for item in ITEMS)
    assert kinds.keys() == {"right-call", "no-call", "missing-argument", "injection", "forbidden"}
    assert len(ITEMS) >= 80 and min(kinds.values()) >= 16
    assert len({item.answer for item in ITEMS}) > 1  # the right action has no place of its own


def test_a_call_is_read_in_the_base_s_own_template_to_the_end_of_its_turn(model: LanguageModel) -> None:
    item = ITEMS[0]
    tools = [{"type": "function", "function": tool} for tool in item.tools]
    call = {
        "role": "assistant",
        "content": "",
        "tool_calls": [{"type": "function", "id": "c", "function": item.actions[item.answer]["call"]}],
    }
    said = model.tokenizer.decode(model.continuation(item.messages, call, tools=tools))
    assert said.startswith("<tool_call>") and '"Porto"' in said and said.endswith("<|im_end|>")


def test_an_adapter_that_changes_nothing_moves_nothing(model: LanguageModel) -> None:
    for suite in tool_suites(model, ITEMS[:20]):
        assert suite.change and suite.change.difference == 0
    assert len(margins(model, ITEMS[:7])) == 7


def test_lost_tool_use_fails_its_gates_and_no_items_prove_nothing(model: LanguageModel) -> None:
    gates = {gate.metric: gate for gate in Policy.load().gates_of("golden_evaluation")}
    from assets.golden.inference.statistics import paired_means, paired_proportions
    from assets.golden.suites import Suite

    lost = Suite("tool_use", paired_proportions([True] * 80, [False] * 80))
    moved = Suite("tool_margin", paired_means([1.0] * 80, [-1.0, -0.9] * 40))
    for suite in (lost, moved):
        name, metric = suite.metric
        assert gates[name].judge({name: metric}).verdict == "fail"
    for suite in tool_suites(model, []):
        name, metric = suite.metric
        assert gates[name].judge({name: metric}).verdict == "inconclusive"


@pytest.mark.parametrize("choices", [["a"], ["a", {"call": {"name": "f"}}], ["a", ""], ["a", 3]])
def test_an_item_that_is_none_names_its_line(tmp_path: Path, choices: list[object]) -> None:
    import json

    item = {"suite": "tool", "prompt": "Hi", "tools": [{"name": "f"}], "choices": choices, "answer": 0}
    (tmp_path / "own.jsonl").write_text(json.dumps(item))
    with pytest.raises(InputError, match=r"own.jsonl:1: choices are at least two actions"):
        load_golden(tmp_path / "own.jsonl")
