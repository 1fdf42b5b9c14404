"""What is found, type by type, and what must not be."""

from collections.abc import Callable

import pytest

Clean = Callable[..., str]

FOUND = [
    ("My name is Katie E Miles but everyone calls me Katie", "My name is [PERSON_1] but everyone calls me [PERSON_1]"),
    ("my name is sathish kumar", "my name is [PERSON_1]"),
    ("please ask Wisława Szczepańska about it", "please ask [PERSON_1] about it"),
    ("write to erik.baader@teleworm.example today", "write to [EMAIL_ADDRESS_1] today"),
    ("my mail is john dot smith at corp dot com", "my mail is [EMAIL_ADDRESS_1]"),
    ("reach me on +41 (0)85 806 98 67", "reach me on [PHONE_NUMBER_1]"),
    ("Call 03.93.92.16.85 or (898)666-3621x0135", "Call [PHONE_NUMBER_1] or [PHONE_NUMBER_2]"),
    ("Ship it to 12 Oak Street, Springfield, IL 62704 please", "Ship it to [STREET_ADDRESS_1] please"),
    ("He lives at Storgatan 5, 114 55 Stockholm", "He lives at [STREET_ADDRESS_1]"),
    ("Return it to PSC 1437, Box 3833\nAPO AA 66791", "Return it to [STREET_ADDRESS_1]"),
    ("She lives at 14 rue de la Paix, 75002 Paris", "She lives at [STREET_ADDRESS_1]"),
    ("pay with 5512933236038776 now", "pay with [CREDIT_CARD_1] now"),
    ("67 west mambalam chennai 600033", "[STREET_ADDRESS_1]"),
    ("plot no 34 sector 21 dwarka new delhi", "[STREET_ADDRESS_1]"),
    ("wall street", "[STREET_ADDRESS_1]"),
    ("N° SS : 1 00 10 24 181 108 35, mutuelle", "N° SS : [NATIONAL_ID_1], mutuelle"),
    ("my IBAN is GB82 WEST 1234 5698 7654 32", "my IBAN is [IBAN_CODE_1]"),
    ("social security number is 853-37-1694", "social security number is [US_SSN_1]"),
    ("from 179.177.214.91 and 6e40:4041:c617:e898:c11:40d2:c669:2eb4", "from [IP_ADDRESS_1] and [IP_ADDRESS_2]"),
    ("account number is 83651247", "account number is [ACCOUNT_NUMBER_1]"),
    ("booking confirmation number z 1 s 8 l 2", "booking confirmation number [RECORD_NUMBER_1]"),
    ("my driver's license number is 2270-66-1551", "my driver's license number is [DRIVER_LICENSE_1]"),
    ("password is pandi 564", "password is [PASSWORD_1]"),
    ("born on 8/5/1989, aged 36", "born on [DATE_OF_BIRTH_1], aged [AGE_1]"),
    ("my NIF is 12345678Z", "my NIF is [NATIONAL_ID_1]"),
    ("see linkedin.com/in/jane-doe-77", "see [PROFILE_URL_1]"),
    ("robert 4684", "[PERSON_1] [ACCOUNT_NUMBER_1]"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), FOUND, ids=[text[:24] for text, _ in FOUND])
def test_personal_data_is_replaced_whole(clean: Clean, text: str, expected: str) -> None:
    assert clean(text) == expected


KEPT = [
    "The quick brown fox jumps over the lazy dog.",
    "Convert 45 kilometers to meters. 45 kilometers is 45000 meters.",
    "In 1977 the orchestra was founded; since 2015-12-22 it plays on Mondays at 12:30.",
    "Order 2 large pizzas for $24.50 and 3 cokes",
    "I would like to reset my password, it was rejected",
    "Water boils at 100 degrees Celsius or 212 degrees Fahrenheit.",
    "upgrade to version 3.11.7.2 or later",
    "2018",
    "ok thanks bye",
    "What is the capital of France?",
    "we need 12 more chairs and 30 tables by next week",
    "The formula of carbonic acid is H2CO3.",
]


@pytest.mark.parametrize("text", KEPT)
def test_ordinary_text_is_left_alone(clean: Clean, text: str) -> None:
    assert clean(text) == text


def test_a_field_name_says_what_its_value_is(redact: Callable[..., list]) -> None:  # type: ignore[type-arg]
    [row] = redact({"name": "robert", "password": "sunflower", "text": "hello there"})
    assert row.outcome.record.fields == {"name": "[PERSON_1]", "password": "[PASSWORD_1]", "text": "hello there"}
