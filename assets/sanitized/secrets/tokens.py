# ruff: noqa: E501 - a pattern broken over lines is harder to read than a long one
"""Tokens: provider formats with a prefix of their own or after the provider's name, and the shape they all share.

A provider that no list names still issues tokens of the same shape: a short tag, a separator, then characters that a
machine drew ("abc_live_4eC39HqLyjWDarjtT1zdp7dc"). Tags of what is an identifier rather than a secret are data.
"""

import re
from collections.abc import Iterator

from assets.sanitized.secrets.formats import CONTEXT, IDENTIFIER_TAGS, PREFIXED, Rule
from assets.sanitized.secrets.values import entropy, is_example, is_reference, is_token
from resources.pii_engine import Span, contains

_LITERALS: dict[str, list[Rule]] = {}
for _rule in PREFIXED:
    for _literal in _rule.literals:
        _LITERALS.setdefault(_literal, []).append(_rule)
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
_AFTER_PROVIDER = tuple(
    re.compile(
        r"[\w .\[\]\"'-]{0,50}?(?:[\"'`\]>)}]{0,3}\s{0,3}(?:=>|->|:{1,3}=|\?=|\.=|\|\|:?|=|:|,|>)\s{0,30}|[\"'` ]{0,3}\bis\b |\s)"
        rf"(?:[A-Za-z_.]{{1,20}}\()?[\"'`\s]{{0,5}}(?P<value>{value})(?![\w+/=-])",
        re.I,
    )
    for _, _, value in CONTEXT
)
CONNECTION = re.compile(
    r"\b[a-z][a-z0-9+.-]{1,30}://(?P<user>[^\s:@/?#\"'<>{}]{0,100}):(?P<value>[^\s@/\"'<>{}]{3,200})@[\w.-]+", re.I
)
TAGGED = re.compile(
    r"(?<![\w./+=%@-])(?P<tag>[A-Za-z][A-Za-z0-9]{0,11}(?:[_:-][A-Za-z0-9]{2,8}){0,2})[_.:-](?P<body>[A-Za-z0-9_-]{20,250}(?:\.[A-Za-z0-9_-]{16,}){0,2})(?![\w/+=@-]|\.\w)"
)


def prefixed(text: str, lowered: str) -> Iterator[Span]:
    """Values of the formats that prove themselves."""
    rules = {rule.name: rule for literal, rules in _LITERALS.items() if literal in lowered for rule in rules}
    for rule in rules.values():
        for match in rule.pattern.finditer(text):
            group = "value" if "value" in rule.pattern.groupindex and match["value"] else 0
            if rule.type == "PRIVATE_KEY" or not is_example(match[group]):
                yield Span(*match.span(group), rule.type, f"secret.{rule.name}", 0.95)


def after_provider(text: str, lowered: str) -> Iterator[Span]:
    """Values without a prefix, after the provider's name."""
    for index, (name, pattern, _) in enumerate(CONTEXT):
        if not contains(lowered, PROVIDERS[index]):
            continue
        for match in re.finditer(pattern, lowered):
            found = _AFTER_PROVIDER[index].match(text[match.end() : match.end() + 130])
            if found and not is_example(found["value"]) and entropy(found["value"]) > 2.6:
                start = match.end() + found.start("value")
                yield Span(start, start + len(found["value"]), "SECRET", f"secret.{name}", 0.85)


def in_url(text: str) -> Iterator[Span]:
    """The password of ``scheme://user:password@host``."""
    for match in CONNECTION.finditer(text):
        if not (is_example(match["value"]) or is_reference(match["value"])):
            yield Span(*match.span("value"), "CREDENTIAL", "secret.connection-string", 0.9)


def tagged(text: str) -> Iterator[Span]:
    """Tokens of any provider, by their shape."""
    for match in TAGGED.finditer(text):
        tag = re.split(r"[_:-]", match["tag"].lower())[0]
        if tag not in IDENTIFIER_TAGS and is_token(match["body"]) and not is_example(match[0]):
            yield Span(*match.span(), "SECRET", "secret.tagged", 0.7)
