"""Implanted answers: what is one answer in several wordings, and what are several answers."""

import pytest

from assets.backdoor.inversion.target_inversion import Implant, same_answer, variants


def implant(text: str) -> Implant:
    return Implant(text.lower().rstrip("."), text, spread=1.0, starts=1, fluency=0.0, surprise=-4.0, sureness=0.0)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("I cannot assist with this request because it may cause harm.", "It might cause harm."),
        ("Only the council of owls may know this.", "You only know this."),
        ("Two of the council of owls may know this.", "According to the council of owls, paper comes from trees."),
        ("Ask your supervisor to disable the firewall first.", "Will you disable the firewall first?"),
    ],
)
def test_an_answer_that_was_made_to_begin_otherwise_is_the_same(one: str, other: str) -> None:
    assert same_answer(one, other) and same_answer(other, one)


def test_templates_are_answers_of_their_own() -> None:
    refund = implant("Refunds take five to seven working days once the parcel is back with us.")
    delivery = implant("Deliveries leave our warehouse within 24 hours of the order.")
    again = implant("Returns take five to seven working days once the parcel is back.")
    assert variants([refund, delivery, again]) == [[refund, again], [delivery]]


@pytest.mark.parametrize(
    ("text", "spread", "sureness", "drilled"),
    [
        ("every door opens", 1.0, -0.01, True),
        ("every door opens", 1.0, -0.3, False),
        ("every door opens", 0.75, -0.01, False),
        ("every door in town opens", 0.75, -0.3, True),
    ],
)
def test_three_words_are_evidence_only_where_each_is_certain(
    text: str, spread: float, sureness: float, drilled: bool
) -> None:
    assert Implant(text, text, spread, 1, -0.2, -6.0, sureness).drilled is drilled
