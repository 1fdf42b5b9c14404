"""Numbers of accounts, wallets, machines and lines leave whole, however they are grouped."""

import random
from collections.abc import Callable

import pytest

from assets.sanitized.numbers.banking import IBAN_LENGTH, iban_valid

Clean = Callable[..., str]


@pytest.mark.parametrize("country", sorted(IBAN_LENGTH))
def test_a_grouped_iban_of_every_country_leaves_whole(clean: Clean, country: str) -> None:
    """Groups of four leave a last group of one to four characters."""
    rng = random.Random(country)
    account = "".join(rng.choice("123456789") for _ in range(IBAN_LENGTH[country] - 4))
    iban = next(
        f"{country}{check:02d}{account}" for check in range(2, 99) if iban_valid(f"{country}{check:02d}{account}")
    )
    grouped = " ".join(iban[at : at + 4] for at in range(0, len(iban), 4))
    assert clean(f"Please transfer it to {grouped} today.") == "Please transfer it to [IBAN_CODE_1] today."


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Send it to 0x" + "5290840009" * 4 + " please.", "Send it to [CRYPTO_WALLET_1] please."),
        ("The MAC 001b.44a1.3ab7 was blocked.", "The MAC [MAC_ADDRESS_1] was blocked."),
        ("Call 1-800-FLOWERS now.", "Call [PHONE_NUMBER_1] now."),
        ("Callback 01457 326774.", "Callback [PHONE_NUMBER_1]."),
        ("Spoke to her on 07744799253.", "Spoke to her on [PHONE_NUMBER_1]."),
        ("Callback 1-266-446-2599.", "Callback [PHONE_NUMBER_1]."),
    ],
)
def test_forms_of_numbers(clean: Clean, text: str, expected: str) -> None:
    assert clean(text) == expected


def test_what_only_looks_like_a_number_of_someone_stays(clean: Clean) -> None:
    for text in ("The model FLX-800-PRO is sold out.", "Hash 0x52908400 is short."):
        assert clean(text) == text
