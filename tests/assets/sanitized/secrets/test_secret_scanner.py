"""Credentials of more than sixty providers are found; what only looks like one is not."""

import pytest
from credentials import credentials, look_alikes

from assets.sanitized.secrets.scanner import SecretRecognizer

SEEDS = (11, 12, 13)


@pytest.mark.parametrize("seed", SEEDS)
def test_recall_over_providers(seed: int) -> None:
    cases = list(credentials(seed))
    assert len({provider for provider, _, _ in cases}) >= 60
    missed = [provider for provider, text, secret in cases if not covered(text, secret)]
    assert len(missed) <= 0.05 * len(cases), missed


@pytest.mark.parametrize("seed", SEEDS)
def test_look_alikes_stay(seed: int) -> None:
    cases = list(look_alikes(seed))
    alarms = [(kind, text) for kind, text in cases if list(SecretRecognizer().find(text, ()))]
    assert len(alarms) <= 0.01 * len(cases), alarms


def covered(text: str, secret: str) -> bool:
    found = {at for span in SecretRecognizer().find(text, ()) for at in range(span.start, span.end)}
    start = text.index(secret)
    return all(at in found for at in range(start, start + len(secret)) if text[at].isalnum())
