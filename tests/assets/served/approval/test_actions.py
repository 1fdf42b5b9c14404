"""The rules of actions: what is not listed is held, limits fail closed, a mistake in the file names its place."""

from pathlib import Path
from typing import Any

import pytest

from assets.served.approval.actions import Actions
from resources.errors import InputError

TEXT = """
tools:
  get_order: free
  drop_table: forbid
  refund: {risk: hold, by: [ada], quorum: 2, free_within: {order: {pattern: "[A-Z]-\\\\d+"}, amount: {min: 0, max: 50},
           currency: {one_of: [EUR]}, note: {any: true}}}
"""
INSIDE = {"order": "A-1", "amount": 50, "currency": "EUR", "note": "hi"}


@pytest.fixture
def actions(tmp_path: Path) -> Actions:
    (tmp_path / "actions.yaml").write_text(TEXT)
    return Actions.load(tmp_path / "actions.yaml")


def test_listed_unlisted_and_nothing_listed(actions: Actions) -> None:
    assert [actions.rule(tool, {}).risk for tool in ("get_order", "drop_table", "launch", "")] == [
        "free", "forbid", "hold", "hold",
    ]  # fmt: skip
    assert Actions.load(None).rule("get_order", {}).risk == "hold"
    assert actions.rule("refund", {}).hold.quorum == 2


@pytest.mark.parametrize(
    ("change", "risk"),
    [
        ({}, "free"),
        ({"amount": 50.01}, "hold"),
        ({"amount": -1}, "hold"),
        ({"amount": "20"}, "hold"),
        ({"amount": True}, "hold"),
        ({"amount": float("nan")}, "hold"),
        ({"currency": "USD"}, "hold"),
        ({"order": "A-1; drop"}, "hold"),
        ({"order": 7}, "hold"),
        ({"beneficiary": "me"}, "hold"),
    ],
)
def test_a_call_is_free_only_wholly_inside_its_limits(actions: Actions, change: dict[str, Any], risk: str) -> None:
    assert actions.rule("refund", INSIDE | change).risk == risk


def test_an_absent_argument_and_no_object_are_outside(actions: Actions) -> None:
    assert actions.rule("refund", {"order": "A-1"}).risk == "hold"
    assert actions.rule("refund", "amount=1").risk == "hold"


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ("tools: {refund: {risk: maybe}}", "tools.refund.risk"),
        ("tools: {refund: {risk: free, free_within: {a: {max: 1}}}}", "tools.refund"),
        ("tools: {refund: {free_within: {a: {}}}}", "tools.refund.free_within.a"),
        ("tools: {refund: {free_within: {a: {pattern: '('}}}}", "regular expression"),
        ("tools: {refund: {quorum: 0}}", "quorum"),
        ("colour: red", "colour"),
        ("tools: [", "actions-readable"),
    ],
)
def test_a_mistake_is_named_with_its_place(tmp_path: Path, body: str, where: str) -> None:
    (tmp_path / "actions.yaml").write_text(body)
    with pytest.raises(InputError, match=where):
        Actions.load(tmp_path / "actions.yaml")
