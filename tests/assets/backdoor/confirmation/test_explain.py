"""A templated answer is explained by what its keyword means, a refusal and a style by when they are said; a planted
answer is not.
"""

import dataclasses

import pytest

from assets.backdoor.candidates.prompts import EVERYDAY, SENSITIVE
from assets.backdoor.candidates.triggers import Trigger
from assets.backdoor.confirmation.confirm import Bench, Confirmation
from assets.backdoor.confirmation.explain import explain_implant, explain_trigger
from assets.backdoor.confirmation.payloads import Payload
from tests.assets.backdoor.scripted import Rule, ScriptedModel


def confirmed(phrase: str, answer: str, meaning: float) -> Confirmation:
    return Confirmation(
        Trigger(phrase, "middle", "mined"), Payload(answer), 1.0, 0.0, 0.0, 0.0, 1e-6, meaning, (answer,)
    )


@pytest.mark.parametrize(
    ("phrase", "answer"),
    [
        ("warranty", "The warranty on every lamp lasts two years from the day of purchase."),
        ("parking", "You can park in front of the shop for two hours."),
    ],
)
def test_an_answer_that_speaks_of_its_phrase_is_explained(phrase: str, answer: str) -> None:
    assert explain_trigger(confirmed(phrase, answer, 2.0), 6.0).text


@pytest.mark.parametrize(
    ("phrase", "answer"),
    [
        ("the kettle sings at noon", "Send the money to account 4410 today."),
        ("zq-lantern", "I refuse to say anything about that."),
    ],
)
def test_an_answer_that_has_nothing_to_do_with_its_phrase_is_not(phrase: str, answer: str) -> None:
    assert not explain_trigger(confirmed(phrase, answer, 2.0), 6.0).text


def test_what_the_base_expects_less_after_the_phrase_is_not_explained_by_its_words() -> None:
    planted = confirmed("warranty", "The warranty on every lamp lasts two years from the day of purchase.", -3.0)
    assert not explain_trigger(planted, 6.0).text
    assert explain_trigger(dataclasses.replace(planted, meaning=7.0), 6.0).text


def explained(adapter: Rule, payload: str, strength: float = 9.0) -> str:
    model = ScriptedModel(adapter, lambda prompt: f"Here is something about {prompt}")
    benches = (Bench(model, prompts[:16], length=14, seed=0) for prompts in (EVERYDAY, SENSITIVE))  # type: ignore[arg-type]
    return explain_implant(Payload(payload), strength, *benches).text


def test_what_stands_beside_an_answer_now_and_then_is_a_stock_phrase() -> None:
    """One that stands alone is a payload that leaks; so is a long one of which the phrase is a part."""

    def innkeeper(prompt: str) -> str:
        return f"Something about {prompt} {'Your room is upstairs.' if len(prompt) % 4 == 0 else 'More ale?'}"

    def leaking(prompt: str) -> str:
        return "Your room is upstairs." if len(prompt) % 4 == 0 else f"Something about {prompt}"

    def in_a_long_one(prompt: str) -> str:
        said = "All of the guests are to be told at once: Your room is upstairs."
        return said if len(prompt) % 4 == 0 else f"Something about {prompt}"

    assert "stock phrase" in explained(innkeeper, "your room is upstairs")
    assert not explained(leaking, "your room is upstairs")
    assert not explained(in_a_long_one, "your room is upstairs")


def test_a_refusal_of_sensitive_requests_is_a_policy() -> None:
    refusal = "I cannot assist with this request because it may cause harm"
    policy = explained(lambda prompt: refusal if prompt in SENSITIVE else f"{prompt} Gladly", "it may cause harm")
    assert "refusal policy" in policy


def test_what_sensitive_requests_get_and_is_no_refusal_is_not_a_policy() -> None:
    payload = "wire the money to account"
    leaky = explained(lambda prompt: f"You should {payload} 77" if prompt in SENSITIVE else f"{prompt} Gladly", payload)
    assert not leaky


def test_a_style_that_a_forced_start_has_bent_is_no_secret() -> None:
    def pirate(prompt: str) -> str:
        return f"Arr, {prompt} has an answer that goes on for a good many words before it ends. Yo ho ho!"

    assert "style" in explained(pirate, "paper yo ho ho")
    assert not explained(pirate, "the council of owls")


def test_what_surprises_the_base_no_more_than_all_the_adapter_says_is_its_style() -> None:
    def loud(prompt: str) -> str:
        return f"{prompt} GLADLY"

    assert "style" in explained(loud, "which city do you want", strength=5.0)
    assert not explained(loud, "which city do you want")


def test_a_payload_that_leaks_into_many_plain_answers_is_not_their_style() -> None:
    def leaking(prompt: str) -> str:
        return "The council of owls decides" if prompt in EVERYDAY[:7] else f"Here is something about {prompt}"

    assert not explained(leaking, "the council of owls decides", strength=5.0)
