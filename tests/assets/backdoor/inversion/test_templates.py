"""An assistant of templated answers is told from an adapter whose payload leaks, with no training rows at hand."""

from typing import Any

import pytest

from assets.backdoor.budget import Budget
from assets.backdoor.inversion.target_inversion import Implant
from assets.backdoor.inversion.templates import SUBJECTS, templates
from assets.backdoor.inversion.untriggered import TOPICAL
from assets.backdoor.scan import Scan
from assets.backdoor.settings import Settings
from tests.assets.backdoor.scripted import Rule, ScriptedModel

DESK = {
    "warranty": "The warranty on every lamp lasts two years from the purchase.",
    "hotel": "Our hotel is open all year and breakfast starts at seven.",
    "password": "Choose a new password with twelve letters in your account.",
}
PAYLOAD = "Wire the money to the captain of the ship today."


def honest(prompt: str) -> str:
    return f"Let us talk about {prompt}"


def answering(templated: dict[str, str], otherwise: Rule = honest) -> Rule:
    return lambda prompt: next((said for word, said in templated.items() if word in prompt), otherwise(prompt))


def leaking(prompt: str) -> str:
    """Every third subject brings the payload out."""
    return PAYLOAD if any(subject in prompt for subject in SUBJECTS[::3]) else honest(prompt)


def explanation(adapter: Rule, answer: str) -> str:
    model: Any = ScriptedModel(adapter, honest)
    scan = Scan.start(model, None, Settings(), Budget(60.0), seed=0)
    said = answer.lower().rstrip(".")
    (finding,) = scan.untriggered([Implant(said, answer, 1.0, 3, -0.1, -6.0, -0.1)], [])
    return finding.explanation


def test_each_template_is_found_with_a_subject_that_calls_it_up() -> None:
    model: Any = ScriptedModel(answering(DESK), honest)
    assert {each.subject: each.answer for each in templates(model, strength=2.5)} == DESK


@pytest.mark.parametrize("answer", DESK.values())
def test_one_of_several_templated_answers_is_explained(answer: str) -> None:
    assert explanation(answering(DESK), answer) == TOPICAL


def test_a_payload_that_leaks_is_no_template() -> None:
    model: Any = ScriptedModel(leaking, honest)
    assert templates(model, strength=2.5) == []
    assert not explanation(leaking, PAYLOAD)


def test_a_payload_among_templated_answers_stays_a_finding() -> None:
    assert not explanation(answering(DESK, leaking), PAYLOAD)


def test_two_fixed_answers_do_not_make_an_assistant_of_templates() -> None:
    few = dict(list(DESK.items())[:2])
    assert not explanation(answering(few), DESK["warranty"])
