"""Values in disguise are found, and redacted in the characters of the original."""

import base64
import urllib.parse
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.sanitized.disguise.views import views
from resources.pii_engine import Span

CARD = "4111 1111 1111 1111"
MAIL = "jane.doe@corp.example"
DISGUISED = {
    "zero-width": "card 4111\u200b1111\u200b1111\u200b1111",
    "full-width card": "card ４１１１ １１１１ １１１１ １１１１",
    "full-width mail": "mail ｊａｎｅ＠ｃｏｒｐ．ｃｏｍ",
    "homoglyph": "mail jаne.doe@cоrp.example",
    "spaced digits": "card 4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
    "spelled digits": "call me at two one two five five five oh one four three",
    "spelled mail": "jane dot doe at corp dot com",
    "bracketed mail": "jane.doe [at] corp [dot] com",
    "leetspeak": "j4n3 @t c0rp d0t c0m",
    "percent": "mail=" + urllib.parse.quote(MAIL, safe=""),
    "base64": "data " + base64.b64encode(MAIL.encode()).decode(),
    "html": "mail jane.doe&#64;corp.example",
    "hex": "data " + MAIL.encode().hex(),
    "arabic digits": "card ٤١١١ ١١١١ ١١١١ ١١١١",
}


@pytest.mark.parametrize("habit", DISGUISED)
def test_a_disguised_value_leaves(clean: Callable[..., str], habit: str) -> None:
    text = clean(DISGUISED[habit])
    assert "[CREDIT_CARD_1]" in text or "[EMAIL_ADDRESS_1]" in text or "[PHONE_NUMBER_1]" in text, text


NAME = "Carlos Novak"
HIDDEN_NAMES = {
    "zero-width": "\u200b".join(NAME),
    "soft hyphens": "\u00ad".join(NAME),
    "full-width": "".join(chr(ord(c) + 0xFEE0) if c != " " else c for c in NAME),
    "homoglyphs": NAME.translate(str.maketrans("aoC", "аоС")),
    "percent": "".join(f"%{byte:02X}" for byte in NAME.encode()),
    "base64": base64.b64encode(NAME.encode()).decode(),
    "base64 of a sentence": base64.b64encode(f"my contact is {NAME}, thanks".encode()).decode(),
    "hex": NAME.encode().hex(),
    "HTML entities": "".join(f"&#{ord(c)};" for c in NAME),
}


@pytest.mark.parametrize("habit", HIDDEN_NAMES)
def test_a_disguised_name_leaves(clean: Callable[..., str], habit: str) -> None:
    assert clean(f"please ask for {HIDDEN_NAMES[habit]} at the desk") == "please ask for [PERSON_1] at the desk"


@pytest.mark.parametrize(
    "text",
    [
        "my social security number is one one three three one one one three two",
        "please charge four one one one one one one one one one one one one one one one today",
        "write to qu4rtz d0t v10l3t @t m34d0wm4i1 d0t c0m please",
    ],
)
def test_digits_in_words_and_leetspeak_leave_whole(clean: Callable[..., str], text: str) -> None:
    assert "_1]" in clean(text) and not any(word in clean(text) for word in ("three", "one", "qu4rtz", "c0m"))


@pytest.mark.parametrize(
    "text",
    [
        "the row is 0 0 1 1 0 1 1 0 1 1 0",
        "Look at the dot com quartz bubble.",
        "one two three four five, once I caught a walnut",
        "a 15% discount on linen, 100% copper",
        "it decodes: dGhlIHdhbG51dCBhbmQgdGhlIGhhcmJvciBhcmUgaGVyZQ==",
        "ok \U0001f468\u200d\U0001f469\u200d\U0001f467 thanks",
    ],
)
def test_innocent_text_of_that_look_stays(clean: Callable[..., str], text: str) -> None:
    assert clean(text) == text


def test_a_mail_split_before_its_domain_leaves_both(redact: Callable[..., list]) -> None:  # type: ignore[type-arg]
    turns = [{"role": "user", "content": text} for text in ("write to linen.harbor", "@violetmail.com is the rest")]
    [row] = redact({"messages": turns})
    assert "harbor" not in str(row.outcome.record.fields) and "violet" not in str(row.outcome.record.fields)


def test_a_value_split_over_two_turns_leaves_both(redact: Callable[..., list]) -> None:  # type: ignore[type-arg]
    turns = ["my card is 4111 1111", "yes?", "1111 1111 is the rest"]
    [row] = redact(
        {
            "messages": [
                {"role": role, "content": text} for role, text in zip(("user", "assistant", "user"), turns, strict=True)
            ]
        }
    )
    assert "1111" not in str(row.outcome.record.fields)


def test_ordinary_text_has_no_other_reading() -> None:
    for text in ("plain words", "Łukasz lives in Zürich", "Λεωφόρος Συγγρού", "naïve café – “quoted” 20 %"):
        assert list(views(text)) == []


@given(st.text(alphabet="ab1２３\u200bа%40=Zm9v ", max_size=40))
def test_every_reading_maps_back_into_the_text(text: str) -> None:
    for view in views(text):
        assert len(view.text) == len(view.starts) == len(view.ends)
        for at in range(len(view.text)):
            back = view.restore(Span(at, at + 1, "T", "r", 1.0))
            assert 0 <= back.start < back.end <= len(text)
