"""Names are found by place and form, whatever their case and wherever they come from; ordinary words are left alone."""

from collections.abc import Callable

import pytest

Clean = Callable[..., str]
FOUND = [
    ("Is {} coming to dinner tonight?", "Heriberto"),
    ("{} and I went to the park.", "Chukwudi"),
    ("Happy birthday {}!", "Csilla"),
    ("The {} family moved away.", "Salminen"),
    ("Remember me, {}?", "Chelsea"),
    ("It was sung by {} in 1975.", "T. Okabe"),
    ("Ask for {} at the desk.", "Mahnoor de la Sheikh"),
    ("the verses from {}'s book", "Faina D. Yefremova"),
    ("this is {} and i want a refund", "tuija salminen"),
    ("the name on the account is {}", "veikko rautio"),
    ("{} is my brother", "csilla bognar"),
    ("{}\n\nnurse\n\nphone:\n0393 1144137", "leone mazzi"),
    ("{} <mkostic@corp.example> wrote", "mina kostic"),
]
KEPT = [
    "the quick brown fox jumps over the lazy dog",
    "Have you been to Paris, France?",
    "We flew to San Jose and I slept.",
    "the image is data:image/png;base64,JYoDMawG4eoIvRA7k8coVKWckH1kzPRfA4CqhQMAT5v28RUYTAkS0Bgh9BiElLOO",
    "これはlinenです。価格は45円。",
]


@pytest.mark.parametrize(("text", "name"), FOUND)
def test_a_name_is_found_by_where_it_stands(clean: Clean, text: str, name: str) -> None:
    cleaned, words = clean(text.format(name)), name.split()
    assert cleaned.startswith(text.partition("{}")[0] + "[PERSON_1]")
    assert words[0] not in cleaned and words[-1] not in cleaned


@pytest.mark.parametrize("text", KEPT)
def test_what_only_looks_like_a_name_stays(clean: Clean, text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "my address is 34 gandhi nagar madurai",
        "please send the pizza to 5 west tower near city mall",
        "its 22 north car street",
        "i moved to 77 sunset blvd apt 3",
        "address 18 hill road bandra west mumbai 400050",
    ],
)
def test_an_address_as_people_type_it_leaves(clean: Clean, text: str) -> None:
    assert "[STREET_ADDRESS_1]" in clean(text) and not any(map(str.isdigit, clean(text).replace("_1]", "")))


@pytest.mark.parametrize(
    "text", ["i want 2 large pizzas and 1 coke", "is the address required", "deliver it in 30 minutes please"]
)
def test_talk_about_an_address_stays(clean: Clean, text: str) -> None:
    assert clean(text) == text
