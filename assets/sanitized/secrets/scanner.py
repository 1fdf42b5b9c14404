# ruff: noqa: E501 - a pattern broken over lines is harder to read than a long one
"""Credentials in text: provider tokens, private keys, connection strings, values assigned to a secret's name.

Four passes, cheapest first. ``HINT``, one alternation of literals, lets clean prose through at the cost of one search.
Then the provider formats whose literal occurs; values bound to a provider's name; and values assigned to a name such
as "api_key" or "client secret", which must look random. Example values, variables and masks are no secrets.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence

from assets.sanitized.secrets.formats import CONTEXT, PREFIXED, Rule
from resources.pii_engine import Entity, Span, SpanRecognizer, contains

_LITERALS: dict[str, list[Rule]] = {}
for _rule in PREFIXED:
    for _literal in _rule.literals:
        _LITERALS.setdefault(_literal, []).append(_rule)
_NAME = (
    r"(?P<name>(?:[\w.-]*?(?:api|app|access|auth|client|consumer|encryption|private|secret|signing|shared|master|deploy|license|service|session|webhook|user|bot|account|publish|subscription|sas|db|database|sdk|org|admin)?[ _.-]?"
    r"(?:secrets?|tokens?|api[ _.-]?keys?|keys?|passw(?:or)?ds?|passwd|passphrase|pass|pwd|pw|creds?|credentials?|salt|nonce|auth|signature|bearer)[\w-]*))"
)
_OPERATOR = (
    r"(?:[\"'`\]>)}]{0,3}\s{0,3}(?:=>|->|:{1,3}=|\?=|\.=|\|\|:?|<=|==?=?|:|,|=)\s{0,5}(?:[A-Za-z_.]{1,20}\()?|[\"'`]?\s{0,3}(?:\bis\b|\bto\b|\bof\b|string\s=)\s{0,3}|"
    r"[\"'`]?>\s{0,30}|\s{1,3})"
)
ASSIGNED = re.compile(rf"(?<![A-Za-z0-9]){_NAME}{_OPERATOR}[\"'`]{{0,3}}(?P<value>[^\s\"'`<>,;|]{{6,200}})", re.I)
# Plain words of each provider's pattern: alternatives without their optional characters.
PROVIDERS = tuple(
    tuple(
        word
        for part in pattern.split("|")
        if (word := max(re.split(r"\\.\??\*?|\?|\[[^\]]*\]\??|\(|\)|\W", part), key=len))
    )
    for _, pattern, _ in CONTEXT
)
PROVIDER_WORDS = tuple(dict.fromkeys(word for words in PROVIDERS for word in words))
CONNECTION = re.compile(
    r"\b[a-z][a-z0-9+.-]{1,30}://(?P<user>[^\s:@/?#\"'<>{}]{0,100}):(?P<value>[^\s@/\"'<>{}]{3,200})@[\w.-]+", re.I
)
KEY_VALUE_PASSWORD = re.compile(
    r"(?:\b|_)(?:password|passwd|pwd)\s*=\s*(?P<value>[^;\s\"'&]{4,100})(?=[;&\"'\s]|$)", re.I
)
HEADER = re.compile(
    r"\b(?:authorization|proxy-authorization|x-api-key|x-auth-token|apikey)\W{1,6}(?:(?:basic|bearer|token|apikey)\s+)?(?P<value>[A-Za-z0-9+/_.=~-]{8,})",
    re.I,
)
BASIC_OR_BEARER = re.compile(r"\b(?:basic|bearer)\s+(?P<value>[A-Za-z0-9+/_.=~-]{16,})", re.I)
CURL_USER = re.compile(r"\bcurl\b[^\n]{0,200}?\s(?:-u|--user)[ =]?[\"']?[^\s:\"']{1,60}:(?P<value>[^\s\"']{4,80})")
COMMAND = re.compile(
    r"(?:^|\s)(?:--?(?:password|passwd|pass|token|secret|api-?key|access-?key)|sshpass -p)[ =][\"']?(?P<value>[^\s\"']{6,120})",
    re.I,
)
KEYWORDS = (
    "secret", "token", "pass", "pwd", "pw", "key", "cred", "auth", "bearer", "basic", "salt", "nonce", "signature", "mnemonic", "phrase", "webhook",
)  # fmt: skip
LOCATED = ("://", "auth", "api-key", "apikey", "basic", "bearer", "curl", "--", "pwd", "passw", "sshpass")
LONG = re.compile(r"[^\s\"'`<>]{16}")
DUMMY = re.compile(
    r"example|sample|dummy|placeholder|changeme|change_me|your[_-]?|my[_-]?(?:secret|token|key|password|api)|insert|redacted|xxxx|\*{3,}|\.{3}|<[^>]+>|^\$|\$\{|\{\{|%\(|"
    r"process\.env|os\.environ|getenv|1234567890|0123456789|abcdefghij|deadbeef|foobar|lorem|todo|fixme|not[_-]?a[_-]?(?:real|secret)|test[_-]?(?:key|token|secret)|"
    r"^(?:null|none|true|false|undefined|string|integer|boolean|optional|required|default|empty|unknown|function|return|await|self)\b|fake",
    re.I,
)
UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.I)
WEAK_NAME = re.compile(
    r"(?:^|[_.-])(?:public|primary|foreign|sort|partition|cache|index|object|row|map|dict|json|lookup|group|idempotency|routing|content|item)[_.-]?(?:key|token|id)|"
    r"access_key_id|key(?:word|board|frame|note)|token_?(?:type|count|s$|izer|ize|endpoint|uri|url)|key_?(?:name|id|size|length|code|pair|type)|max_?tokens|num_?tokens|"
    r"auth(?:or|_?url|_?type|_?endpoint|_?method)|monkey|turkey|donkey|hockey|turnkey|secret_?name|pass(?:ed|es|ing|age|ive|port|enger)",
    re.I,
)
# A call, an index, or the name of the thing itself: code that handles a secret, not the secret.
CODE = re.compile(
    r"[A-Za-z_][\w.]*[(\[]|[\"'(]*(?:password|passwd|pwd|token|secret|key|value|self|this)[)\]:;,]*$", re.I
)
PASSWORD_NAME = re.compile(r"pass(?:w(?:or)?d|wd|phrase)?|pwd|pw$", re.I)
MAX_TEXT = 200_000


def entropy(value: str) -> float:
    """Shannon entropy, bits a character."""
    return -sum(n / len(value) * math.log2(n / len(value)) for n in Counter(value).values()) if value else 0.0


class SecretRecognizer(SpanRecognizer):
    types = ("CREDENTIAL", "PRIVATE_KEY", "SECRET", "PASSWORD")

    def find(self, text: str, entities: Sequence[Entity]) -> Iterator[Span]:
        lowered = text.lower()
        long = LONG.search(text) is not None
        if long or "private key" in lowered or "phrase" in lowered or "mnemonic" in lowered:
            yield from self._prefixed(text, lowered)
        if contains(lowered, LOCATED):
            yield from self._located(text)
        if contains(lowered, KEYWORDS):
            yield from self._assigned(text)
        if long or contains(lowered, PROVIDER_WORDS):
            yield from self._provider(text, lowered)

    def _prefixed(self, text: str, lowered: str) -> Iterator[Span]:
        rules = {rule.name: rule for literal, rules in _LITERALS.items() if literal in lowered for rule in rules}
        for rule in rules.values():
            for match in rule.pattern.finditer(text):
                group = "value" if "value" in rule.pattern.groupindex and match["value"] else 0
                value = match[group]
                if rule.type == "PRIVATE_KEY" or _live(value):
                    yield Span(*match.span(group), rule.type, f"secret.{rule.name}", 0.95)

    def _located(self, text: str) -> Iterator[Span]:
        """Values that their place proves: in a URL, a header, a command line."""
        for match in CONNECTION.finditer(text):
            if not _dummy(match["value"]) and match["value"].lower() not in (
                "password",
                "pass",
                "pw",
                "secret",
                "passwd",
            ):
                yield Span(*match.span("value"), "CREDENTIAL", "secret.connection-string", 0.9)
        for pattern, rule in (
            (HEADER, "header"),
            (BASIC_OR_BEARER, "header"),
            (CURL_USER, "command"),
            (COMMAND, "command"),
        ):
            for match in pattern.finditer(text):
                value = match["value"]
                if not _dummy(value) and _mixed(value) and entropy(value) > 2.5:
                    yield Span(*match.span("value"), "SECRET", f"secret.{rule}", 0.85)
        for match in KEY_VALUE_PASSWORD.finditer(text):
            if not _dummy(match["value"]) and not CODE.match(match["value"]):
                yield Span(*match.span("value"), "PASSWORD", "secret.password", 0.8)

    def _provider(self, text: str, lowered: str) -> Iterator[Span]:
        for index, (name, pattern, _) in enumerate(CONTEXT):
            if not contains(lowered, PROVIDERS[index]):
                continue
            for match in re.finditer(pattern, lowered):
                found = _AFTER_PROVIDER[index].match(text[match.end() : match.end() + 130])
                if found and _live(found["value"]) and entropy(found["value"]) > 2.6:
                    start = match.end() + found.start("value")
                    yield Span(start, start + len(found["value"]), "SECRET", f"secret.{name}", 0.85)

    def _assigned(self, text: str) -> Iterator[Span]:
        for match in ASSIGNED.finditer(text):
            start, value = match.start("value"), match["value"].rstrip(".)]}\\&")
            name = match["name"]
            if WEAK_NAME.search(name) or _dummy(value) or CODE.match(value) or not _live(value):
                continue
            password = PASSWORD_NAME.search(name) is not None
            operator = text[match.end("name") : start].strip()
            if _random(value, strict=not operator or operator in ("is", "to", "of", ","), password=password):
                yield Span(start, start + len(value), "PASSWORD" if password else "SECRET", "secret.assigned", 0.8)


_AFTER_PROVIDER = tuple(
    re.compile(
        r"[\w .\[\]\"'-]{0,50}?(?:[\"'`\]>)}]{0,3}\s{0,3}(?:=>|->|:{1,3}=|\?=|\.=|\|\|:?|=|:|,|>)\s{0,30}|[\"'` ]{0,3}\bis\b |\s)"
        rf"(?:[A-Za-z_.]{{1,20}}\()?[\"'`\s]{{0,5}}(?P<value>{value})(?![\w+/=-])",
        re.I,
    )
    for _, _, value in CONTEXT
)


def _dummy(value: str) -> bool:
    return DUMMY.search(value) is not None


def _live(value: str) -> bool:
    """Not an example, a mask or a filler of one repeated part."""
    body = re.sub(r"[^A-Za-z0-9]", "", value)
    return not _dummy(value) and len(set(body[4:] or body)) > 3


def _mixed(value: str) -> bool:
    return any(map(str.isdigit, value)) and any(map(str.isalpha, value))


def _random(value: str, *, strict: bool, password: bool) -> bool:
    """Whether a value assigned to a secret's name is one: random characters, or for a password anything but a word."""
    if re.fullmatch(r"[\w.-]*\([^)]*\)?.*", value) or re.fullmatch(
        r"[a-z]+(?:[._/-][a-z]+)+|[A-Z][a-z]+(?:[A-Z][a-z]+)+|https?://.*|/[\w/.-]+", value
    ):
        return False
    if UUID.fullmatch(value):
        return not strict
    if password:
        return _mixed(value) or (not strict and len(value) >= 6 and not value.isalpha())
    if len(value) < 10 or not _mixed(value):
        return False
    return entropy(value) >= (3.4 if strict or len(value) >= 20 else 3.0) or (not strict and entropy(value) >= 2.8)
