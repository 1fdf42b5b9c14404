"""The recognisers of secrets."""

from assets.sanitized.people.lexicon import Lexicon
from assets.sanitized.secrets.scanner import SecretRecognizer
from resources.pii_engine import SpanRecognizer


def recognizers(lexicon: Lexicon) -> list[SpanRecognizer]:
    """Provider tokens, keys, and values under a secret's name."""
    return [SecretRecognizer()]
