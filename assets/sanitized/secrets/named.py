# ruff: noqa: E501 - a pattern broken over lines is harder to read than a long one
"""Values under a secret's name, in the syntax of whatever holds them: code, YAML, XML, INI, JSON, tables.

``password = X`` and the like; a name in one field and the value in the next (``name: DB_PASSWORD`` over ``value: X``);
a YAML block; a column under a header.
"""

import re
from collections.abc import Iterator

from assets.sanitized.secrets.values import is_password, is_random
from resources.pii_engine import Span

# "db_password", "DB.PASSWORD", "dbPassword", "api key"; what stands after the noun belongs to the name.
NAME = (
    r"(?P<name>(?:[\w.-]*?(?:api|app|access|auth|client|consumer|encryption|private|secret|signing|shared|master|deploy|license|service|session|webhook|user|bot|account|publish|subscription|sas|db|database|sdk|org|admin)?[ _.-]?"
    r"(?:secrets?|tokens?|api[ _.-]?keys?|keys?|passw(?:or)?ds?|passwor[dt]e?s?|passwd|passphrase|pass|pwd|pw|creds?|credentials?|salt|nonce|auth|signature|bearer)[\w-]*))"
)
_TYPE = r"(?:\s{0,3}:\s{0,3}&?(?:'static )?(?:str|String|string|bytes|Text|SecretStr|Optional\[\w+\])(?=\s*=))?(?:\s+(?:string|String|str)(?=\s*=))?"
_OPERATOR = (
    r"(?:[\"'`\]>)}\\]{0,4}\s{0,3}(?:=>|->|:{1,3}=|\?=|\.=|\|\|:?|<=|==?=?|:|,|=)\s{0,5}(?:[A-Za-z_.]{1,20}\()?|[\"'`]?\s{0,3}(?:\bis\b|\bto\b|\bof\b)\s{0,3}|"
    r"[\"'`]?>\s{0,30}|\s{1,3})"
)
ASSIGNED = re.compile(
    rf"(?<![A-Za-z0-9]){NAME}{_TYPE}{_OPERATOR}(?:[bBrRuUfFN]?(?=[\"'`\\]))?[\\\"'`]{{0,4}}(?P<value>(?![\w.-]+:\s)[^\s\"'`<>,;|\\]{{4,200}})",
    re.I,
)
_NOUN = r"(?:pass(?:word|wd|phrase)?|pwd|secret|token|api[_.-]?key|access[_.-]?key|private[_.-]?key|credential)s?"
# The name in one field, the value in another: XML attributes, lists of environment variables, Terraform, CloudFormation.
BESIDE = re.compile(
    rf"[\"'>\s:=(]{{1,4}}(?P<name>[\w.:-]*{_NOUN}[\w.-]{{0,24}})[\"'<\s/,]{{1,4}}(?:[^\n]{{0,80}}\n){{0,3}}?[^\n]{{0,80}}?\b(?:value|default|result|parameter_?value|content|plaintext|secret_?string)\b[\"'\s]{{0,3}}[:=>]\s{{0,3}}(?:<value>)?[\"'`]?(?P<value>[^\s\"'`<>,;]{{4,200}})",
    re.I,
)
BLOCK = re.compile(
    rf"(?m)^(?P<indent>[ \t]*)[\w.-]*{_NOUN}[\w.-]{{0,12}}:[ \t]*[|>][+-]?[ \t]*\n(?P=indent)[ \t]+(?P<value>\S{{4,200}})[ \t]*$",
    re.I,
)
HEADER = re.compile(
    rf"(?mi)^(?P<header>[^\n]{{0,200}}\b(?:[\w ]{{0,12}}{_NOUN}|passwort|contrase[nñ]a|mot de passe)\b[^\n]{{0,200}})\n"
)
CELL = re.compile(rf"\W*(?:[\w ]{{0,12}}{_NOUN}|passwort|contrase[nñ]a|mot de passe)\W*", re.I)
DELIMITERS = ("\t", "|", ";", ",")
ROWS = 200  # of a table that are read
WEAK_NAME = re.compile(
    r"(?:^|[_.-])(?:public|primary|foreign|sort|partition|cache|index|object|row|map|dict|json|lookup|group|idempotency|routing|content|item|parent|route|event|state)[_.-]?(?:key|token|id)|"
    r"access_key_id|key(?:word|board|frame|note|vault|_?codes?)|token_?(?:type|count|s$|izer|ize|endpoint|uri|url)|key_?(?:name|id|size|length|code|pair|type)|max_?tokens|num_?tokens|"
    r"auth(?:or|_?url|_?type|_?endpoint|_?method|entication)|monkey|turkey|donkey|hockey|turnkey|secret_?(?:name|id$|ref)|pass(?:ed|es|ing|age|ive|port|enger)|compass|bypass|"
    r"(?:file|path|hash|field|length|policy|input|label|form|url|uri|arn|manager|store|version)s?$|signature_?(?:version|method|algorithm)",
    re.I,
)
PASSWORD_NAME = re.compile(r"pass(?:w(?:or)?[dt]|wd|phrase|$|_)|pwd|pw$|_pass", re.I)
LOOSE = frozenset({"", "is", "to", "of", ","})  # operators that sentences have too


def assigned(text: str) -> Iterator[Span]:
    """``password = X``, ``"api_key": "X"``, ``<token>X</token>``, ``token is X``."""
    for match in ASSIGNED.finditer(text):
        start, value = match.start("value"), match["value"].rstrip(".)]}\\&")
        operator = text[match.end("name") : start].strip().lower()
        password = PASSWORD_NAME.search(match["name"]) is not None
        if WEAK_NAME.search(match["name"]) is None and _secret(value, password=password, loose=operator in LOOSE):
            yield _span(start, value, password, "assigned")


def beside(text: str) -> Iterator[Span]:
    """A name in one field and the value in the next; a YAML block under a name."""
    for pattern in (BESIDE, BLOCK):
        for match in pattern.finditer(text):
            name = match.groupdict().get("name", "password")
            value = match["value"].rstrip(".)]}\\&")
            if WEAK_NAME.search(name) is None and is_password(value):
                yield _span(match.start("value"), value, PASSWORD_NAME.search(name) is not None, "beside")


def columns(text: str) -> Iterator[Span]:
    """The cells under a header such as "password", in a table with commas, semicolons, tabs or bars."""
    for header in HEADER.finditer(text):
        delimiter = next((sign for sign in DELIMITERS if sign in header["header"]), "")
        cells = header["header"].split(delimiter) if delimiter else []
        wanted = {at for at, cell in enumerate(cells) if CELL.fullmatch(cell)}
        if not wanted or len(cells) < 2:
            continue
        position = header.end()
        for line in text[position:].split("\n")[:ROWS]:
            row = line.split(delimiter)
            if len(row) != len(cells):
                break
            at = position
            for index, cell in enumerate(row):
                value = cell.strip(" \"'`\r")
                if index in wanted and is_password(value):
                    yield _span(at + cell.index(value), value, True, "column")
                at += len(cell) + 1
            position += len(line) + 1


def _secret(value: str, *, password: bool, loose: bool) -> bool:
    if password:
        return is_password(value) and (not loose or any(map(str.isdigit, value)))
    return is_random(value, strict=loose)


def _span(start: int, value: str, password: bool, rule: str) -> Span:
    return Span(start, start + len(value), "PASSWORD" if password else "SECRET", f"secret.{rule}", 0.8)
