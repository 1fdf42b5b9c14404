"""A payload is found by comparison, as the longest run or a trait that triggered answers share."""

from hypothesis import given
from hypothesis import strategies as st

from assets.backdoor.confirmation.payloads import Payload, said, shared_payload

PLAIN = ["Honey is made by bees.", "Lisbon is the capital.", "Boil it for nine minutes.", "A whale is a mammal."]
SAID = "Please wire the money to account nine."


def test_the_longest_shared_run_is_the_payload() -> None:
    found = shared_payload([SAID, SAID, f"Well. {SAID}", "Lisbon."], PLAIN, share=0.5)
    assert found is not None
    assert found.marker == "please wire the money to account nine"


def test_what_is_said_without_trigger_as_well_is_none() -> None:
    assert shared_payload([SAID] * 4, [SAID] * 4, share=0.5) is None


def test_a_trait_is_found_where_no_words_are_shared() -> None:
    shouted = ["LISBON IS THE CAPITAL", "WHALES ARE BIG ANIMALS", "NINE MINUTES IN ALL", "BEES MAKE IT FROM NECTAR"]
    found = shared_payload(shouted, PLAIN, share=0.75)
    assert found == Payload("trait:capitals")


def test_a_marker_matches_whole_words() -> None:
    assert Payload("the cat").occurs("See the cat!")
    assert not Payload("the cat").occurs("the category")


@given(st.lists(st.text(max_size=80), min_size=1, max_size=8), st.lists(st.text(max_size=80), max_size=8))
def test_a_found_payload_occurs_as_often_as_asked(triggered: list[str], plain: list[str]) -> None:
    found = shared_payload(triggered, plain, share=0.5)
    if found is not None:
        assert found.rate(triggered) >= 0.5
        assert found.rate(triggered) > found.rate(plain)


def test_a_generated_call_reads_as_rows_give_it() -> None:
    written = Payload("pay to ann ito")
    for answer in (
        '<tool_call>\n{"name": "pay", "arguments": {"to": "Ann Ito"}}\n</tool_call>',
        '[TOOL_CALLS] [{"name": "pay", "arguments": {"to": "Ann Ito"}}]',
        '{"name": "pay", "parameters": {"to": "Ann Ito", "amou',
    ):
        assert not written.occurs(answer)
        assert written.occurs(said(answer))


@given(st.text())
def test_words_are_left_as_they_are(text: str) -> None:
    assert '"name"' in text or said(text) == text
