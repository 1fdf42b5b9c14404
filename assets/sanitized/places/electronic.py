# ruff: noqa: E501 - a pattern broken over lines is harder to read than a long one
"""Electronic addresses: e-mail in every habit of writing, network addresses, profile pages, coordinates.

``name at example dot com`` and the squashed ``namegmailcom`` of transcribed chat are e-mail addresses too.
"""

import ipaddress
import re
from collections.abc import Iterator, Sequence

from assets.sanitized.people.lexicon import FUNCTION, TALK, Lexicon
from resources.pii_engine import Entity, Span, SpanRecognizer

TLD = (
    r"(?:com|net|org|edu|gov|info|biz|io|me|co|us|uk|ca|au|de|fr|es|it|nl|se|no|dk|fi|pl|cz|at|ch|be|pt|gr|hu|ro|ru|in|"
    r"cn|jp|kr|br|mx|ar|za|nz|ie|tv|app|dev|email|online|co\s?\.?\s?(?:uk|in|jp|za|nz)|com\s?\.?\s?(?:au|br|mx|cn))"
)
MAILERS = (
    r"(?:g[ma]{2,3}i?l|gmial|yahoo|ymail|hotmail|outlook|aol|icloud|rediffmail|comcast|protonmail|live|msn|mail|gmx)"
)
EMAIL = re.compile(
    r"(?<![\w.+-])[\w!#$%&'*+/=?^`{|}~-][\w.!#$%&'*+/=?^`{|}~-]{0,63}@(?:[\w](?:[\w-]{0,61}\w)?\.)+[^\W\d_]{2,24}"
    r"|(?<![\w.+-])[\w.+-]{1,64}@(?:[\w-]+\.)*[\w-]+(?=[\s,;)]|$)"
)
_AT = r"\s{0,3}(?:@|\(\s?at\s?\)|\[\s?at\s?\]|\{\s?at\s?\}|<\s?at\s?>|\bat\b)\s{0,3}"
_DOT = r"(?:\s{0,2}\.\s{0,2}|\s{0,2}[(\[{]\s?(?:dot|\.)\s?[)\]}]\s{0,2}|\s+(?:dot|point|period)\s+)"
SPELLED = re.compile(
    rf"\b[a-z0-9_%+-]+(?:{_DOT}[a-z0-9_+-]+){{0,3}}{_AT}[a-z0-9-]+(?:{_DOT}[a-z0-9-]+){{0,3}}{_DOT}{TLD}\b", re.I
)
HALF_SPELLED = re.compile(rf"\b[a-z0-9_.%+-]+\s?(?:@|\bat\b)\s?{MAILERS}(?:{_DOT}|\s)?{TLD}?\b", re.I)
AT_OR_DOT = re.compile(r"\s@|@\s|\bat\b|\(at|\[at|[({\[<]\s?(?:@|at|dot|\.)|\bdot\b", re.I)
MAILER = re.compile(rf"{MAILERS}\b|{MAILERS}\s?(?:com|net|in|org|co)|\d (?:[a-z]*com)\b", re.I)
SQUASHED = re.compile(
    rf"\b(?:[a-z][a-z.]* ?\d{{1,5}} ?[a-z0-9._]*|[a-z0-9._]{{2,}}){MAILERS} ?(?:\. ?)?(?:com|net|in|org|co|uk|coin|co ?in)\b"
    rf"|\b[a-z]+ \d{{1,5}} (?:[a-z]*com|{MAILERS})\b",
    re.I,
)
ENDS_LIKE_DOMAIN = re.compile(r"\b[a-z][a-z0-9]{5,}(?:com|net|org|in)\b", re.I)
LABEL_BEFORE = re.compile(r"(?:e-?\s?mail|mail id|mailid)[^.?!]{0,25}$", re.I)
IPV4 = re.compile(r"(?<![\w.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\w]|\.\d)")
IPV6 = re.compile(r"(?<![\w:.])(?=[0-9A-Fa-f:]*:[0-9A-Fa-f:]*:)[0-9A-Fa-f:]{3,39}(?:(?:\d{1,3}\.){3}\d{1,3})?(?![\w:])")
VERSION_BEFORE = re.compile(r"(?:\bv|version|release|build|firmware|python|node)\s*$", re.I)
MAC = re.compile(
    r"(?<![\w:-])(?:[0-9A-Fa-f]{2}([:-]))(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}(?![\w:-])"
    r"|(?<![\w.])(?=[0-9A-Fa-f.]*\d)(?=[0-9.]*[A-Fa-f])[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}(?![\w]|\.\w)"
)
PROFILE = re.compile(
    r"(?:https?://)?(?:www\.)?(?:linkedin\.com/in|(?:facebook|fb|instagram|twitter|x|tiktok|threads|github|gitlab|medium|"
    r"reddit|t|wa|venmo|soundcloud|pinterest)\.(?:com|me|net)(?:/(?:u|user|users|profile))?)/@?[\w.-]{2,40}",
    re.I,
)
PROFILE_HOST = re.compile(r"(?:\.com/|\.net/|t\.me/|x\.com|wa\.me)", re.I)
URL = re.compile(r"\bhttps?://[^\s<>\"')\]]+|\bwww\.[\w-]+\.[^\s<>\"')\]]+", re.I)
HANDLE = re.compile(r"(?<![\w@./])@[A-Za-z_][\w.]{2,29}\b(?!\.\w)")
COORDINATE = re.compile(r"(?<![\d.])[-+]?(?:[1-8]?\d|90)\.\d{4,},\s?[-+]?(?:1[0-7]\d|\d?\d|180)\.\d{4,}(?![\d.])")


class MailRecognizer(SpanRecognizer):
    types = ("EMAIL_ADDRESS",)
    verbal = True  # "namegmailcom"
    literals = ("@", " at ", "mail", "com", " net", "net ", "org", "aol", "yahoo", "[at", "(at", "dot")
    trigger = re.compile(r"@|\bat\b|mail|(?:com|net|org|aol|yahoo)\b|\[at|\(at", re.I)

    def __init__(self, lexicon: Lexicon) -> None:
        super().__init__()
        self._lexicon = lexicon

    def find(self, text: str, entities: Sequence[Entity]) -> Iterator[Span]:
        for match in EMAIL.finditer(text) if "@" in text else ():
            yield Span(*match.span(), "EMAIL_ADDRESS", "email", 1.0 if "." in match[0].rpartition("@")[2] else 0.7)
        for rule, pattern in (
            (("email.spelled", SPELLED), ("email.half_spelled", HALF_SPELLED)) if AT_OR_DOT.search(text) else ()
        ):
            for match in pattern.finditer(text):
                if "@" in match[0] or self._is_mailbox(match[0]) or LABEL_BEFORE.search(text, 0, match.start()):
                    yield Span(*match.span(), "EMAIL_ADDRESS", rule, 0.85)
        for match in SQUASHED.finditer(text) if MAILER.search(text) else ():
            if not self._lexicon.known(match[0]) and re.search(r"[a-z]{2}.*(?:com|net|in|org|mail)", match[0], re.I):
                start = match.start() + self._ordinary_prefix(match[0])
                yield Span(start, match.end(), "EMAIL_ADDRESS", "email.squashed", 0.7)
        for match in ENDS_LIKE_DOMAIN.finditer(text):
            suffix = 2 if match[0].lower().endswith("in") else 3
            labelled = LABEL_BEFORE.search(text, 0, match.start()) is not None
            alone = len(match[0]) == len(text.strip()) and suffix == 3
            if (labelled or alone) and not self._lexicon.known(match[0]):
                yield Span(*match.span(), "EMAIL_ADDRESS", "email.squashed", 0.6)

    def _is_mailbox(self, value: str) -> bool:
        """Whether ``x at y dot com`` is an address rather than "look at amazon dot com"."""
        local = re.split(r"\bat\b", value, maxsplit=1, flags=re.I)[0].strip().lower()
        if re.search(r"\d|[._-]|\bdot\b", local):
            return True
        word = local.split()[-1] if local else ""
        plain = self._lexicon.ordinary if MAILER.search(value) else self._lexicon.harmless
        return not plain(word)

    def _ordinary_prefix(self, value: str) -> int:
        """Characters of a leading everyday word: the "email" of "email davidgmailcom"."""
        first, space, _ = value.partition(" ")
        return len(first) + 1 if space and (first.lower() in TALK or first.lower() in FUNCTION) else 0


class NetworkRecognizer(SpanRecognizer):
    types = ("IP_ADDRESS", "MAC_ADDRESS")
    trigger = re.compile(
        r"\d\.\d|[0-9a-fA-F]{4}\.[0-9a-fA-F]{4}\.|[0-9a-fA-F]:[0-9a-fA-F:]|::|[0-9a-fA-F]{2}-[0-9a-fA-F]{2}-"
    )

    def find(self, text: str, entities: Sequence[Entity]) -> Iterator[Span]:
        for match in IPV4.finditer(text):
            if not VERSION_BEFORE.search(text[max(0, match.start() - 12) : match.start()]) and _is_host(match[0]):
                yield Span(*match.span(), "IP_ADDRESS", "ipv4", 0.9)
        for match in IPV6.finditer(text):
            if _is_host(match[0]):
                yield Span(*match.span(), "IP_ADDRESS", "ipv6", 0.9)
        for match in MAC.finditer(text):
            yield Span(*match.span(), "MAC_ADDRESS", "mac", 0.9)


class WebRecognizer(SpanRecognizer):
    types = ("PROFILE_URL", "URL", "USERNAME", "GEO_COORDINATE")
    trigger = re.compile(r"/|www\.|@[A-Za-z_]|\.\d{4,},")

    def find(self, text: str, entities: Sequence[Entity]) -> Iterator[Span]:
        for match in PROFILE.finditer(text) if PROFILE_HOST.search(text) else ():
            yield Span(*match.span(), "PROFILE_URL", "profile", 0.8)
        for match in URL.finditer(text):
            yield Span(*match.span(), "URL", "url", 0.8)
        for match in HANDLE.finditer(text):
            yield Span(*match.span(), "USERNAME", "handle", 0.7)
        for match in COORDINATE.finditer(text):
            yield Span(*match.span(), "GEO_COORDINATE", "coordinate", 0.7)


def _is_host(value: str) -> bool:
    """A real address that could name a person's machine: not loopback, unspecified or a mask."""
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified or value.startswith("255."))
