"""Credentials in text: provider tokens, private keys, connection strings, values under a secret's name.

Cheapest first: literals let clean prose through at the cost of a few searches. Then the formats of providers, those
of Kingfisher's catalogue, the shape that tokens share, values that a place proves, and values under a secret's name.
References, examples and code are no secrets (``values``).
"""

import re
from collections.abc import Iterator, Sequence

from assets.sanitized.secrets.catalogue import catalogued
from assets.sanitized.secrets.contexts import in_context
from assets.sanitized.secrets.named import assigned, beside, columns
from assets.sanitized.secrets.tokens import PROVIDER_WORDS, after_provider, in_url, prefixed, tagged
from resources.pii_engine import Entity, Span, SpanRecognizer, contains

NOUNS = ("secret", "token", "pass", "pwd", "pw", "key", "cred", "auth", "bearer", "salt", "nonce", "signature")
PHRASES = ("private key", "phrase", "mnemonic")
LONG = re.compile(r"[^\s\"'`<>]{16}")
MACHINE_MADE = re.compile(r"(?=[^\s\"'`<>]{0,40}\d)[A-Za-z0-9_+/=.~-]{20}")


class SecretRecognizer(SpanRecognizer):
    types = ("CREDENTIAL", "PRIVATE_KEY", "SECRET", "PASSWORD")

    def find(self, text: str, entities: Sequence[Entity]) -> Iterator[Span]:
        lowered = text.lower()
        long = LONG.search(text) is not None
        if long or contains(lowered, PHRASES):
            yield from prefixed(text, lowered)
        if long and MACHINE_MADE.search(text):
            yield from catalogued(text)
            yield from tagged(text)
        if "://" in text:
            yield from in_url(text)
        yield from in_context(text, lowered)
        if contains(lowered, NOUNS):
            yield from assigned(text)
            if "\n" in text or "value" in lowered or "result" in lowered:
                yield from beside(text)
            if "\n" in text:
                yield from columns(text)
        if long or contains(lowered, PROVIDER_WORDS):
            yield from after_provider(text, lowered)
