"""A name that is no person's stays: companies, countries, hotels. A person named like one of them leaves whole."""

from collections.abc import Callable

import pytest

Clean = Callable[..., str]
KEPT = [
    "Flights to Jordan leave twice a day.",
    "Johnson & Johnson recalled the lotion.",
    "Procter & Gamble and Marks & Spencer report on Thursday.",
    "We lived in Georgia for a year.",
    "The Paris Hilton is full this week.",
]
LEFT = [
    ("Will Smith called about the fence.", "[PERSON_1] called about the fence."),
    ("Paris Hilton stayed at the Paris Hilton.", "[PERSON_1] stayed at the [PERSON_1]."),
    ("I told Jordan about it.", "I told [PERSON_1] about it."),
    ("Detective Elise Kas came by.", "Detective [PERSON_1] came by."),
    ("Is my husband Smaranda there?", "Is my husband [PERSON_1] there?"),
    ("Yours faithfully,\nAdvaith Nori", "Yours faithfully,\n[PERSON_1]"),
    ("Susan & Thomas send their love.", "[PERSON_1] & [PERSON_2] send their love."),
]


@pytest.mark.parametrize("text", KEPT)
def test_namesakes_stay(clean: Clean, text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize(("text", "expected"), LEFT)
def test_people_leave_whole(clean: Clean, text: str, expected: str) -> None:
    assert clean(text) == expected


def test_roles_in_a_transcript_are_no_names(clean: Clean) -> None:
    text = "AGENT: How can I help?\nCALLER: The line is dead.\nAGENT: Since when?"
    assert clean(text) == text
