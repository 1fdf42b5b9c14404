"""The recognisers of numbers that are someone's: cards, accounts, lines, identifiers, whatever a label announces."""

from assets.sanitized.numbers.banking import BankNumberRecognizer, CardRecognizer
from assets.sanitized.numbers.identifiers import IdentifierRecognizer, SsnRecognizer, WalletRecognizer
from assets.sanitized.numbers.labelled import LabelledRecognizer
from assets.sanitized.numbers.national import NationalRecognizer
from assets.sanitized.numbers.spoken import SpokenLabelRecognizer, SpokenPhoneRecognizer
from assets.sanitized.numbers.telephone import TelephoneRecognizer
from assets.sanitized.people.lexicon import Lexicon
from resources.pii_engine import SpanRecognizer


def recognizers(lexicon: Lexicon) -> list[SpanRecognizer]:
    """By checksum, by form, by label."""
    return [
        CardRecognizer(),
        BankNumberRecognizer(),
        SsnRecognizer(),
        WalletRecognizer(),
        LabelledRecognizer(lexicon),
        TelephoneRecognizer(),
        IdentifierRecognizer(),
        NationalRecognizer("en"),
    ]


def spoken(language: str, lexicon: Lexicon) -> list[SpanRecognizer]:
    """The same of a language other than English."""
    return [
        CardRecognizer(),
        BankNumberRecognizer(),
        SsnRecognizer(),
        WalletRecognizer(),
        NationalRecognizer(language),
        SpokenLabelRecognizer(language),
        SpokenPhoneRecognizer(language),
        TelephoneRecognizer(),
    ]
