# ruff: noqa: E501 - a pattern broken over lines is harder to read than a long one
"""Whether a value is a secret: not a reference to one, not an example, not code; random, or what people choose.

>>> is_reference("${{ secrets.DB_PASSWORD }}"), is_reference("os.environ['TOKEN']"), is_reference("Walnut88!")
(True, True, False)
>>> is_password("Walnut88!"), is_password("required"), is_random("q8SbG7lmHg97Kd02mx9W")
(True, False, True)
"""

import math
import re
from collections import Counter

# Where a secret is kept, in place of the secret: variables, templates, vaults, files, parameters of SQL, masks.
REFERENCE = re.compile(
    r"^[\"'(\[]*(?:\$|%[\w(]|\{\{|\{%|\{[a-z_]\w*\}|<[^>]+>?|#\{|!\w|@\w+\(|:[A-Za-z_]+$|\?|&|\*{2,}|[.xX•…-]{3,}|ENC\[|arn:|op://|vault:|(?:file|https?)://|(?:/[\w.-]+){2,}|\.{1,2}/|\\\w)|"
    r"\$\{|\{\{|%\(\w+\)s|<[a-z][\w -]*>|process\.env|os\.environ|getenv|ENV\[|secretsmanager|keyvault|\*{3,}|\.{3}|…|"
    r"^(?:var|local|data|module|env|vault|secrets?|config|settings|params?|self|this|args|opts|options|request|req|props|ctx|process|os|app|form|user|credentials)(?:\.|\[|->|::)[\w.\[\]\"'>-]+|"
    r"^[A-Za-z_][\w.]*(?:\(|\[[\"'\w])|^[\w-]+/[\w/-]+#\w+$",
    re.I,
)
# What stands in documentation.
EXAMPLE = re.compile(
    r"example|sample|dummy|placeholder|change[_-]?(?:me|it|this)|your[_-]?|my[_-]?(?:secret|token|key|password|api)|insert|redacted|replace|xxxx|1234567890|0123456789|"
    r"abcdefghij|deadbeef|foobar|lorem|todo|fixme|not[_-]?a[_-]?(?:real|secret)|test[_-]?(?:key|token|secret)|fake|"
    r"^(?:null|none|nil|true|false|undefined|string|str|integer|int|boolean|bool|optional|required|default|empty|unknown|function|return|await|self|bytes|text|varchar\S*|object|any|password|passwd|pass|pw|secret|token|key)\b[^\w]*$",
    re.I,
)
# A name in code or a path of words: what handles a secret, not the secret.
IDENTIFIER = re.compile(
    r"_?[a-z]+(?:[._/:-][a-z]+)+|[a-z]+(?:[A-Z][a-z]+)+|[A-Z][a-z]+(?:[A-Z][a-z]+)+|[A-Z]+(?:_[A-Z]+)+|[a-z]+"
)
PATH = re.compile(r"[a-z]*\d{0,3}(?:[/:.-][a-z_]*\d{0,3})+")
CODE = re.compile(
    r"[\w.]*\([^)]*\)?[;,]?$|[\w.]+\(|\W+$|[\"'(]*(?:password|passwd|pwd|token|secret|key|value|self|this)[)\]:;,]*$",
    re.I,
)
UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.I)
DATE_OR_NUMBER = re.compile(
    r"\d{1,3}(?:[.,]\d{3})*(?:[.,]\d+)?%?|\d{1,4}[-/.:]\d{1,2}(?:[-/.:]\d{1,4})?(?:[T ]?[\d:.Z]+)?|v?\d+(?:\.\d+)+\S*|\d+(?:px|ms|s|m|h|d|kb|mb|gb|days?|hours?|minutes?)",
    re.I,
)
HEXADECIMAL = re.compile(r"[0-9a-f]+|[0-9A-F]+")
RUN = re.compile(r"[A-Za-z0-9]+")


def entropy(value: str) -> float:
    """Shannon entropy, bits a character."""
    return -sum(n / len(value) * math.log2(n / len(value)) for n in Counter(value).values()) if value else 0.0


def is_reference(value: str) -> bool:
    """Whether the value says where a secret is, or calls what yields it."""
    return REFERENCE.search(value) is not None


def is_example(value: str) -> bool:
    """Whether the value is a filler of documentation, or one part again and again."""
    body = re.sub(r"[^A-Za-z0-9]", "", value)
    drawn = body[4:] if len(body) >= 12 else body  # behind a prefix
    return EXAMPLE.search(value) is not None or len(set(drawn)) < min(4, len(drawn))


def is_mixed(value: str) -> bool:
    return any(map(str.isdigit, value)) and any(map(str.isalpha, value))


def is_password(value: str) -> bool:
    """Whether the value of a password's name is one: anything that is no word, name in code, number or date."""
    if len(value) < 4 or is_reference(value) or is_example(value) or CODE.match(value):
        return False
    if IDENTIFIER.fullmatch(value) or DATE_OR_NUMBER.fullmatch(value):
        return False
    letters, digits = sum(map(str.isalpha, value)), sum(map(str.isdigit, value))
    signs = len(value) - letters - digits
    return bool(
        (digits and letters) or (signs and (letters + digits) >= 5 and value[-1] not in ".:,)") or (_scrambled(value))
    )


def is_random(value: str, *, strict: bool = False) -> bool:
    """Whether the value of a key's or token's name was drawn by a machine. ``strict``: nothing else says so."""
    if is_reference(value) or is_example(value) or CODE.match(value) or IDENTIFIER.fullmatch(value):
        return False
    if PATH.fullmatch(value):
        return False
    if UUID.fullmatch(value):
        return not strict
    if len(value) < 10 or not (is_mixed(value) or _scrambled(value)) or value.startswith(("http", "/")):
        return False
    spread = entropy(value)
    return spread >= (3.4 if strict or len(value) >= 20 else 3.0) or (not strict and spread >= 2.8)


def is_token(value: str) -> bool:
    """Whether a long value shows by itself that a machine drew it: digits and letters of both cases, or long hex."""
    body = max(RUN.findall(value) or [""], key=len)
    if is_reference(value) or is_example(value) or len(body) < 16:
        return False
    if HEXADECIMAL.fullmatch(body):
        return len(body) >= 32 and is_mixed(body) and entropy(body) > 3.0
    return any(map(str.isdigit, body)) and _scrambled(body) and entropy(body) > 3.5


def _scrambled(value: str) -> bool:
    """Whether the case of letters changes without sense: "qMlHgaK"."""
    return (
        len(
            re.findall(
                r"[a-z][A-Z]{2}|[a-z][A-Z][a-z](?=[A-Z])|[A-Z]{2}[a-z]{1,2}[A-Z]|[a-z]\d+[A-Z]|\d[a-zA-Z]\d|[A-Z]\d[a-z]",
                value,
            )
        )
        >= 1
    )
