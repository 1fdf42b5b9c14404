"""Made-up personal data and credentials, built at run time from their formats, with checksums that hold.

Nothing here belongs to anybody: domains, phone numbers and addresses are from ranges reserved for fiction. A value is
put into a text between two marks, which ``unmark`` takes off again, so that whatever is done to the text in between,
its place is known in the end.
"""

import base64
import datetime
import json
import re
import string
import unicodedata
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from deploy.sample_prose import Prose

_OPEN, _TYPE_END, _CLOSE = "\ue000", "\ue001", "\ue002"  # private characters: no text has them of its own
_MARKED = re.compile(f"{_OPEN}([^{_TYPE_END}]*){_TYPE_END}([^{_CLOSE}]*){_CLOSE}")
_SLOT = re.compile(r"<([a-z]+)>")
_WORD = string.ascii_letters + string.digits


@dataclass(frozen=True, slots=True)
class Span:
    """Where a value stands, in characters of the text without marks."""

    start: int
    end: int
    type: str


def unmark(text: str) -> tuple[str, list[Span]]:
    """The text without its marks, and what stood between them."""
    parts: list[str] = []
    spans: list[Span] = []
    length = place = 0
    for match in _MARKED.finditer(text):
        parts += [text[place : match.start()], match[2]]
        start = length + match.start() - place
        length = start + len(match[2])
        spans.append(Span(start, length, match[1]))
        place = match.end()
    return "".join([*parts, text[place:]]), spans


class Identity:
    """A made-up person's values; the same slot gives the same value for the same person."""

    def __init__(self, prose: Prose) -> None:
        self.prose = prose
        self.random = prose.random
        self._values: dict[str, str] = {}

    def fill(self, template: str) -> str:
        """A sentence with its slots filled and marked. A slot that comes twice gets a second value the second time."""
        used: set[str] = set()

        def value(match: re.Match[str]) -> str:
            name = match[1]
            key = f"{name}2" if name in used else name
            used.add(name)
            if name not in _MAKERS:
                return self.prose.fill(match[0])
            kind, make = _MAKERS[name]
            if key not in self._values:
                self._values[key] = make(self)
            return f"{_OPEN}{kind}{_TYPE_END}{self._values[key]}{_CLOSE}"

        return _SLOT.sub(value, self.prose.fill(template))

    def person(self) -> str:
        return f"{self.prose.pick('first')} {self.prose.pick('last')}"

    def email(self) -> str:
        first, last = (_ascii(part) for part in self._values.setdefault("person", self.person()).split(" "))
        local = self.random.choice([f"{first}.{last}", f"{first[0]}{last}", f"{last}{self.random.randrange(10, 99)}"])
        return f"{local}@{self.random.choice(['example.com', 'example.org', 'mail.example.net'])}"

    def digits(self, count: int) -> str:
        return "".join(self.random.choices(string.digits, k=count))

    def word(self, count: int, alphabet: str = _WORD) -> str:
        return "".join(self.random.choices(alphabet, k=count))


def _ascii(text: str) -> str:
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()


def luhn(payload: str) -> str:
    """The payload with its check digit (ISO/IEC 7812)."""
    total = sum(sum(divmod(int(digit) * (2 - place % 2), 10)) for place, digit in enumerate(reversed(payload)))
    return payload + str(-total % 10)


def iban(country: str, account: str) -> str:
    """An IBAN with its check digits (ISO 13616)."""
    number = "".join(str(int(character, 36)) for character in f"{account}{country}00")
    return f"{country}{98 - int(number) % 97:02d}{account}"


def github_token(entropy: str) -> str:
    """A token with the checksum that its issuer appends: CRC-32 of the entropy, base 62, six characters."""
    alphabet = string.digits + string.ascii_uppercase + string.ascii_lowercase
    value, check = zlib.crc32(entropy.encode()), ""
    for _ in range(6):
        value, rest = divmod(value, 62)
        check = alphabet[rest] + check
    return f"gh{'p'}_{entropy}{check}"


def _card(identity: Identity) -> str:
    number = luhn((identity.random.choice(["4", "51", "53", "55"]) + identity.digits(14))[:15])
    groups = [number[place : place + 4] for place in range(0, 16, 4)]
    return identity.random.choice([" ", "-", ""]).join(groups)


def _iban(identity: Identity) -> str:
    bank = identity.random.choice(["DE", "GB"])
    account = identity.digits(18) if bank == "DE" else identity.word(4, string.ascii_uppercase) + identity.digits(14)
    number = iban(bank, account)
    return " ".join(re.findall(".{1,4}", number)) if identity.random.random() < 0.5 else number


def _phone(identity: Identity) -> str:
    style = identity.random.choice(
        ["07700 900{}", "+44 7700 900{}", "020 7946 0{}", "(212) 555-01{}", "+1 415 555 01{}"]
    )
    return style.format(identity.digits(2 if "555" in style else 3))


def _address(identity: Identity) -> str:
    draw = identity.random.randrange
    code = f"{identity.word(2, 'BHKLNT')}{draw(1, 20)} {draw(1, 10)}{identity.word(2, 'ABDEHJ')}"
    return f"{draw(1, 140)} {identity.prose.pick('street')}, {identity.prose.pick('town')} {code}"


def _birthday(identity: Identity) -> str:
    born = datetime.date(1940, 1, 1) + datetime.timedelta(days=identity.random.randrange(24_000))
    return born.strftime(identity.random.choice(["%d.%m.%Y", "%Y-%m-%d", "%d/%m/%Y"]))


def _expiry(identity: Identity) -> str:
    return f"{identity.random.randrange(1, 13):02d}/{identity.random.randrange(27, 32)}"


def _ssn(identity: Identity) -> str:
    draw = identity.random.randrange
    return f"{draw(100, 660)}-{draw(10, 99)}-{draw(1000, 9999)}"


def _licence(identity: Identity) -> str:
    capitals = string.ascii_uppercase
    return identity.word(5, capitals) + identity.digits(6) + identity.word(2, capitals) + identity.digits(1)


def _database(identity: Identity) -> str:
    return f"postgres://shop:{identity.word(14)}@db{identity.random.randrange(1, 9)}.example.com:5432/orders"


def _jwt(identity: Identity) -> str:
    def part(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).decode().rstrip("=")

    head, claims = {"alg": "HS256", "typ": "JWT"}, {"sub": identity.digits(8), "iat": 1_790_000_000}
    return f"{part(json.dumps(head).encode())}.{part(json.dumps(claims).encode())}.{identity.word(43, _WORD + '-_')}"


def _pem(identity: Identity) -> str:
    body = base64.b64encode(identity.random.randbytes(480)).decode()
    wrapped = "\n".join(re.findall(".{1,64}", body))
    name = "RSA PRIVATE" + " KEY"
    return f"-----BEGIN {name}-----\n{wrapped}\n-----END {name}-----"


def _password(identity: Identity) -> str:
    word = identity.prose.pick("item").split()[-1].capitalize()
    return f"{word}{identity.random.choice('!#_-')}{identity.digits(3)}{identity.word(2)}"


_MAKERS: dict[str, tuple[str, Callable[[Identity], str]]] = {
    "person": ("person", Identity.person),
    "email": ("email", Identity.email),
    "phone": ("phone", _phone),
    "address": ("address", _address),
    "card": ("card", _card),
    "expiry": ("expiry", _expiry),
    "iban": ("iban", _iban),
    "birthday": ("birthday", _birthday),
    "ssn": ("ssn", _ssn),
    "passport": ("passport", lambda identity: identity.word(1, "CFGHJK") + identity.digits(8)),
    "licence": ("licence", _licence),
    "ip": ("ip", lambda identity: f"203.0.113.{identity.random.randrange(1, 255)}"),
    "password": ("password", _password),
    "aws": ("aws-key", lambda identity: "AK" + "IA" + identity.word(16, string.ascii_uppercase + "234567")),
    "awssecret": ("aws-secret", lambda identity: identity.word(40, _WORD + "+/")),
    "github": ("github-token", lambda identity: github_token(identity.word(30))),
    "stripe": ("stripe-key", lambda identity: "sk" + "_live_" + identity.word(24)),
    "slack": (
        "slack-token",
        lambda identity: f"xox{'b'}-{identity.digits(12)}-{identity.digits(12)}-{identity.word(24)}",
    ),
    "jwt": ("jwt", _jwt),
    "database": ("database-url", _database),
    "pem": ("private-key", _pem),
    "hexkey": ("api-key", lambda identity: identity.random.randbytes(20).hex()),
}
