"""Published token formats of credential providers, read from ``formats.yaml``.

The literals make the prefilter (one alternation over all of them); only the rules whose literal occurs are tried. A
format whose prefix is its own ("ghp_") needs no context; one that is only hex or base64 is bound to a word nearby and
lives in ``CONTEXT``.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assets.sanitized.rule_file import read_rules

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
FORMATS = read_rules(Path(__file__).parent / "formats.yaml")


@dataclass(frozen=True, slots=True)
class Rule:
    """``literals`` are lower case; the value is the group ``value``, or the whole match."""

    name: str
    literals: tuple[str, ...]
    pattern: re.Pattern[str]
    type: str


def _rule(body: dict[str, Any]) -> Rule:
    pattern = body["pattern"].replace("<UUID>", UUID)
    bounded = pattern if pattern.startswith("(?s)") else rf"(?<![A-Za-z0-9]){pattern}(?![A-Za-z0-9])"
    flags = re.I if body.get("ignore_case") else 0
    literals = tuple(body["literals"].lower().split())
    return Rule(body["name"], literals, re.compile(bounded, flags), body.get("type", "CREDENTIAL"))


PREFIXED = tuple(map(_rule, FORMATS["prefixed"]))
# Formats without a prefix: name, pattern of the provider's name, pattern of the value.
CONTEXT: tuple[tuple[str, str, str], ...] = tuple(
    (rule["name"], rule["provider"], rule["value"].replace("<UUID>", UUID)) for rule in FORMATS["after_provider"]
)
# What stands before an identifier rather than a secret: "req_...", "sha256-...".
IDENTIFIER_TAGS = frozenset(FORMATS["identifier_tags"].split())
