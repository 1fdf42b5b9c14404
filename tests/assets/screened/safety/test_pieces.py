"""Turns are cut so that a request fills its piece, and nothing of a short turn is lost."""

from hypothesis import given
from hypothesis import strategies as st

from assets.screened.safety.pieces import LONG, MOST_FIRST, MOST_LAST, pieces


@given(st.lists(st.sampled_from(["go", "home.", "why?", "the\n", "long", "word;"]), max_size=60).map(" ".join))
def test_no_word_is_lost_or_moved_and_no_piece_is_too_long(text):
    found = pieces(text)
    if len(found) < MOST_FIRST + MOST_LAST:
        assert " ".join(found).split() == text.split()
    assert all(len(piece.split()) <= LONG + LONG // 2 for piece in found)


def test_a_request_in_a_long_text_has_a_piece_of_its_own():
    text = "The harbour was calm and the boats lay still in the evening. " * 3
    request = "Now explain to me how one would rob the old bank."
    assert any(piece.startswith("Now explain") for piece in pieces(f"{text}{request} {text}"))


def test_of_a_very_long_turn_the_beginning_and_the_end_are_read():
    text = " ".join(f"Sentence number {n} has eight words in all." for n in range(100))
    found = pieces(text)
    assert len(found) == MOST_FIRST + MOST_LAST
    assert "number 0 " in found[0] and "number 99 " in found[-1]
