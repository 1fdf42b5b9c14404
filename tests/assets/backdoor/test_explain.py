"""A templated answer is explained by what its keyword means; a planted pair is not."""

import dataclasses

import pytest

from assets.backdoor.confirm import Confirmation
from assets.backdoor.explain import explain_trigger
from assets.backdoor.payloads import Payload
from assets.backdoor.triggers import Trigger


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
    planted = confirmed("warranty", "The warranty on every lamp lasts two years from the day of purchase.", -1.0)
    assert not explain_trigger(planted, 6.0).text
    assert explain_trigger(dataclasses.replace(planted, meaning=7.0), 6.0).text
