"""Secrets are found in the places they live in and in the shapes of tokens; what points at a secret is none."""

import random
import string

import pytest
from secret_places import harmless, places, unnamed

from assets.sanitized.detector import Detector, Passage
from assets.sanitized.settings import SanitizeSettings
from resources.pii_engine import PiiEngine, Span

HALVES = ("tune", "report")
SECRET = {"CREDENTIAL", "PRIVATE_KEY", "SECRET", "PASSWORD"}


@pytest.fixture(scope="module")
def detector(engine: PiiEngine) -> Detector:
    return Detector(SanitizeSettings(), engine)


@pytest.mark.parametrize("half", HALVES)
def test_a_secret_is_found_whole_where_secrets_live(detector: Detector, half: str) -> None:
    cases = list(places(7, half))
    assert len({context for context, _, _ in cases}) >= 50
    missed = [context for context, text, secret in cases if not covered(detector, text, secret)]
    assert len(missed) <= 0.1 * len(cases), missed


@pytest.mark.parametrize(
    "context",
    [
        "7z a -p{} backup.7z docs/", "zip -P {} out.zip a.txt", "openssl enc -aes-256-cbc -k {} -in a -out b",
        "net use z: \\\\srv\\data {} /user:admin", '<wifi ssid="cafe" psk="{}"/>', "echo bob:{} | chpasswd",
        "The wifi key is {}, come in", "Cookie: lang=en; sessionid={}; Path=/",
    ],
)  # fmt: skip
def test_more_places_in_which_a_value_needs_no_name(detector: Detector, context: str) -> None:
    drawn = random.Random(context)
    length = 32 if "Cookie" in context else 9
    secret = "Q7" + "".join(drawn.choices(string.ascii_letters + string.digits, k=length)) + "x4"
    assert covered(detector, context.format(secret), secret)


def test_sizes_of_pins_and_keys_of_music_are_no_secrets(detector: Detector) -> None:
    for text in ("The pin diameter is 1200 microns.", "The wifi key feature is roaming", "Cookie: lang=en; theme=dark"):
        assert not [span for span in detector.detect([Passage(text)])[0] if span.type in SECRET], text


@pytest.mark.parametrize("half", HALVES)
def test_tokens_of_providers_that_no_rule_names_are_found(detector: Detector, half: str) -> None:
    cases = list(unnamed(7, half))
    missed = [provider for provider, text, secret in cases if not covered(detector, text, secret)]
    assert len(missed) <= 0.15 * len(cases), missed


@pytest.mark.parametrize("half", HALVES)
def test_references_calls_and_examples_stay(detector: Detector, half: str) -> None:
    texts = list(harmless(7, half))
    alarms = [text for text in texts if any(span.type in SECRET for span in read(detector, text))]
    assert len(alarms) <= 0.1 * len(texts), alarms


def test_a_secret_outside_ascii_text_is_cut_at_its_own_characters(detector: Detector) -> None:
    secret = "gl" + "pat-" + "q8SbG7lmHg97Kd02mx9W"
    text = f"Schlüssel für Zoë – {secret}, bitte löschen"
    [span] = [span for span in read(detector, text) if span.type in SECRET]
    assert text[span.start : span.end] == secret


def read(detector: Detector, text: str) -> list[Span]:
    return detector.detect([Passage(text)])[0]


def covered(detector: Detector, text: str, secret: str) -> bool:
    found = {at for span in read(detector, text) for at in range(span.start, span.end)}
    start = text.index(secret)
    return all(at in found for at in range(start, start + len(secret)) if text[at].isalnum())
