# ruff: noqa: E501 - a pattern broken over lines is harder to read than a long one
"""What got through: planted values and an independent second detector, on a sample of the sanitised rows.

Two measurements, because each alone is blind. **Canaries**: values of each type, made up on the spot, are planted in
sampled rows and read like any text; the share that survives is the leak, with its Wilson interval. The rules were not
written against these values, but they share their authors' idea of what a value looks like. **Residue**: Presidio's stock
pattern recognisers and detect-secrets' token plugins, which share no code with this stage, read the sanitised rows; what
they still find is a suspect. Neither proves absence.
"""

import math
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from assets.sampling import Sample
from assets.sanitized.detector import Detector, Passage
from assets.sanitized.language import languages_of
from assets.sanitized.numbers.banking import luhn
from assets.sanitized.redaction.spans import PLACEHOLDER
from resources.artifacts import Metric

if TYPE_CHECKING:
    from presidio_analyzer import EntityRecognizer

NO_ARTIFACTS: Any = None  # pattern recognisers read none
PLANTS = 24  # canaries of each type
STOCK = (
    "EmailRecognizer",
    "CreditCardRecognizer",
    "IbanRecognizer",
    "UsSsnRecognizer",
    "PhoneRecognizer",
    "IpRecognizer",
)
STOCK_FLOOR = 0.4  # the score from which Presidio's default set-up reports a pattern
ENTROPY_PLUGINS = frozenset({"Base64HighEntropyString", "HexHighEntropyString", "KeywordDetector", "IPPublicDetector"})
FIRST = "Oluwadamilare Brynhild Casimir Delphine Ekaterini Fiorella Gwendal Halldora Ignatius Jovanka Kiyoshi Leocadia".split()
LAST = "Abernethy Bartosiewicz Cavendish Dragomirescu Eyjolfsdottir Featherstone Guimaraes Hakobyan Ivarsson Jagtap".split()
STREETS = "Larkspur Quarry Windermere Tamarind Copperfield Juniper Beacon Saltmarsh".split()


@dataclass(slots=True)
class Residual:
    """Keeps a sample of ``size`` sanitised texts of a stream and measures on it; parts of a stream give that of the
    whole (``Sample``)."""

    size: int
    seed: int = 0
    _sampled: Sample = field(init=False)

    def __post_init__(self) -> None:
        self._sampled = Sample(self.size, self.seed)

    def add(self, text: str, name: str = "") -> None:
        """``name`` tells a text from others that say the same; by default equal texts are one."""
        self._sampled.add(text, name)

    def to_json(self) -> list[tuple[int, str]]:
        return self._sampled.to_json()

    def take(self, sample: Iterable[tuple[int, str]]) -> None:
        """Add what another part of the stream has sampled, as its ``to_json`` gives it."""
        self._sampled.take(sample)

    def metrics(self, detector: Detector) -> dict[str, Metric]:
        """``canary_leak`` with ``canary_leak_<type>``, and ``residue``: the share of sampled texts with a suspect."""
        sample = self._sampled.texts
        if not sample:
            missing = "no text to measure on"
            return {name: Metric(None, missing=missing) for name in ("canary_leak", "residue")}
        leaks = self._canaries(detector, sample)
        metrics = {f"canary_leak_{type_.lower()}": share(leaked, n) for type_, (leaked, n) in leaks.items()}
        metrics["canary_leak"] = share(sum(one for one, _ in leaks.values()), sum(n for _, n in leaks.values()))
        suspects = sum(1 for text in sample if second_opinion(text))
        return {**metrics, "residue": share(suspects, len(sample))}

    def _canaries(self, detector: Detector, sample: Sequence[str]) -> dict[str, tuple[int, int]]:
        """Type: (canaries that survived, planted)."""
        rng = random.Random(self.seed)
        planted = [
            (type_, *plant(rng, sample[rng.randrange(len(sample))], make(rng)))
            for type_, make in CANARIES.items()
            if detector.settings.minimum(type_) is not None
            for _ in range(PLANTS)
        ]
        languages = (languages_of([text])[0] for _, text, _, _ in planted)
        found = detector.detect(
            [Passage(text, language=language) for (_, text, _, _), language in zip(planted, languages, strict=True)]
        )
        leaks: dict[str, tuple[int, int]] = {}
        for (type_, text, start, end), spans in zip(planted, found, strict=True):
            covered = {at for span in spans for at in range(span.start, span.end)}
            survived = any(text[at].isalnum() and at not in covered for at in range(start, end))
            leaked, n = leaks.get(type_, (0, 0))
            leaks[type_] = (leaked + survived, n + 1)
        return leaks


def plant(rng: random.Random, host: str, canary: tuple[str, str]) -> tuple[str, int, int]:
    """The host text with a sentence carrying the value after one of its sentences; the value's place."""
    carrier, value = canary
    breaks = [0, *(at + 1 for at, character in enumerate(host) if character in ".!?\n"), len(host)]
    at = rng.choice(breaks)
    before = f"{host[:at].rstrip()} {carrier.partition('{}')[0]}".lstrip()
    text = f"{before}{value}{carrier.partition('{}')[2]} {host[at:].lstrip()}"
    if rng.random() < 0.25 and len(text.lower()) == len(text) and not value.startswith("gh"):
        text = text.lower()  # as people type in a chat
    return text, len(before), len(before) + len(value)


def _digits(rng: random.Random, n: int) -> str:
    return "".join(str(rng.randrange(10)) for _ in range(n))


def _card(rng: random.Random) -> str:
    body = "4" + _digits(rng, 14)
    digits = next(body + str(check) for check in range(10) if luhn(body + str(check)))
    return digits if rng.random() < 0.5 else " ".join(digits[at : at + 4] for at in range(0, 16, 4))


def _iban(rng: random.Random) -> str:
    account = _digits(rng, 18)
    check = 98 - int(f"{account}131400") % 97  # D = 13, E = 14 (ISO 7064)
    return f"DE{check:02d}{account}"


def _name(rng: random.Random) -> str:
    return f"{rng.choice(FIRST)} {rng.choice(LAST)}"


def _phone(rng: random.Random) -> str:
    shape = rng.choice(("({}) {}-{}", "{}-{}-{}", "+1 {} {} {}", "{}.{}.{}"))
    return shape.format(rng.randrange(201, 989), _digits(rng, 3), _digits(rng, 4))


def _token(rng: random.Random) -> str:
    alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    return "gh" + "p_" + "".join(rng.choice(alphabet) for _ in range(36))


def _carried(rng: random.Random, value: str, *carriers: str) -> tuple[str, str]:
    return rng.choice(carriers), value


# Type: a maker of (carrier sentence, value).
CANARIES: dict[str, Callable[[random.Random], tuple[str, str]]] = {
    "PERSON": lambda rng: _carried(rng, _name(rng), "Please ask {} about it.", "My name is {}.", "I spoke with {} yesterday."),
    "EMAIL_ADDRESS": lambda rng: _carried(
        rng, f"{rng.choice(FIRST).lower()}.{_digits(rng, 2)}@{rng.choice(LAST).lower()}.example.org", "Write to {}.", "({})"
    ),
    "PHONE_NUMBER": lambda rng: _carried(rng, _phone(rng), "Call me at {}.", "My mobile is {}.", "Phone: {}."),
    "STREET_ADDRESS": lambda rng: _carried(
        rng, f"{rng.randrange(2, 990)} {rng.choice(STREETS)} {rng.choice(('Street', 'Avenue', 'Road', 'Lane'))}", "I live at {}.", "Send it to {}."
    ),
    "CREDIT_CARD": lambda rng: _carried(rng, _card(rng), "The card is {}.", "Charge {} please."),
    "US_SSN": lambda rng: _carried(rng, f"{rng.randrange(100, 665)}-{rng.randrange(10, 99)}-{rng.randrange(1000, 9999)}", "My SSN is {}.", "It was {}."),
    "IBAN_CODE": lambda rng: _carried(rng, _iban(rng), "IBAN {}.", "Transfer it to {}."),
    "IP_ADDRESS": lambda rng: _carried(rng, ".".join(str(rng.randrange(11, 220)) for _ in range(4)), "It came from {}.", "Address {} was blocked."),
    "ACCOUNT_NUMBER": lambda rng: _carried(rng, _digits(rng, 9), "My account number is {}.", "Account no. {}."),
    "PASSWORD": lambda rng: _carried(rng, f"{rng.choice(STREETS).lower()}{_digits(rng, 3)}!", "My password is {}", "password: {}"),
    "CREDENTIAL": lambda rng: _carried(rng, _token(rng), "Use {} for the API.", "token = {}"),
}  # fmt: skip


def share(hits: int, n: int) -> Metric:
    """A proportion with its Wilson interval (95 %)."""
    p, z = hits / n, 1.96
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return Metric(p, n=n, ci_low=max(0.0, centre - half), ci_high=min(1.0, centre + half))


def second_opinion(text: str) -> list[str]:
    """What the independent detectors still find, as kinds; placeholders are taken out first."""
    bare = PLACEHOLDER.sub(" ", text)
    if not bare.strip():
        return []
    kinds = [result.entity_type for recognizer in _stock() for result in recognizer.analyze(bare, recognizer.supported_entities, NO_ARTIFACTS)
             if result.score >= STOCK_FLOOR]  # fmt: skip
    return [*kinds, *_secrets(bare)]


_loaded: list["EntityRecognizer"] = []


def _stock() -> Sequence["EntityRecognizer"]:
    """Presidio's recognisers; e-mail domains are checked against the suffix list's snapshot, never the network."""
    if not _loaded:
        import presidio_analyzer.predefined_recognizers as stock
        import tldextract

        offline = tldextract.TLDExtract(suffix_list_urls=())
        tldextract.extract = offline  # type: ignore[assignment]
        _loaded.extend(getattr(stock, name)() for name in STOCK)
    return _loaded


def _secrets(text: str) -> Iterator[str]:
    from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
    from detect_secrets.core.scan import scan_line
    from detect_secrets.settings import transient_settings

    classes: dict[str, Any] = get_mapping_from_secret_type_to_class()
    names = (plugin.__name__ for plugin in classes.values())
    plugins: list[dict[str, Any]] = [{"name": name} for name in names if name not in ENTROPY_PLUGINS]
    with transient_settings({"plugins_used": plugins}):
        for line in text.splitlines():
            yield from (found.type for found in scan_line(line))
