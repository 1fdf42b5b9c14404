# ruff: noqa: E501 - a pattern broken over lines is harder to read than a long one
"""What carries a person's name and is none: companies, and the countries and cities that are given names too.

>>> [(a, b) for a, b in namesakes("Flights to Jordan by Johnson & Johnson")]
[(21, 38), (11, 17)]
"""

import re
from collections.abc import Iterator
from pathlib import Path

from assets.sanitized.people.lexicon import PLACE_NAMES, SEEDS
from assets.sanitized.rule_file import read_rules

_CAPITAL = r"[A-Z][\w'’-]+"
# "Marks & Spencer", "Ben & Jerry's"; a couple is two given names without a possessive.
JOINED = re.compile(rf"(?<![\w'’-])(?P<first>{_CAPITAL})(?:, {_CAPITAL})? & (?P<second>{_CAPITAL})(?! [A-Z])")
FIRM = re.compile(
    rf"(?<![\w'’-]){_CAPITAL}(?: {_CAPITAL}){{0,3}},? (?:Inc|Ltd|LLC|LLP|PLC|plc|Corp|GmbH|AG|SA|NV|Pty|Co|Group|Holdings|Bank|Airlines|Airport|University|Hospital|Stadium|Hotel|Museum|Foundation|Institute)\b"
)
_JOURNEY = r"(?:flights?|fly|flies|flying|flew|travel\w*|trips?|tours?|visas?|trains?|bus(?:es)?|drive|drove|tickets?|hotels?|depart\w*|leav\w+|left|road|way|journey|cruise|route|holiday|vacation|moved|born|lives?|lived|living)"
PLACED = re.compile(
    rf"(?:\b[Ii]n|\b(?i:{_JOURNEY})\b[\w ,]{{0,30}}?\b(?:to|from|through|via|for|of|and|near)) (?P<place>[A-Z]\w+)(?:\s+(?:to|and|or|from)\s+(?P<other>[A-Z]\w+))?(?! [A-Z]|['’]s)"
)
AFTER_CAPITAL = re.compile(r"\b[A-Z][\w'’-]* $")
COMPANIES = re.compile(
    rf"(?<![\w'’-])(?:{'|'.join(map(re.escape, read_rules(Path(__file__).parent / 'companies.yaml')))})(?![\w-])"
)
PLACE = re.compile(rf"\b(?:{'|'.join(place.title() for place in sorted(PLACE_NAMES))})\b")
GIVEN = frozenset(SEEDS["given"])


def namesakes(text: str) -> Iterator[tuple[int, int]]:
    """The stretches of ``text`` in which a name is no person's."""
    if "&" in text:
        for match in JOINED.finditer(text):
            couple = {match["first"].lower(), match["second"].lower()} <= GIVEN
            if AFTER_CAPITAL.search(text[max(0, match.start() - 24) : match.start()]):
                continue  # "Mary Jones & Tom"
            if not couple or text[match.end("second") - 2 : match.end("second")] in ("'s", "’s"):
                yield match.span()
    for match in COMPANIES.finditer(text):
        yield match.span()
    for match in FIRM.finditer(text):
        yield match.span()
    for match in PLACED.finditer(text) if PLACE.search(text) else ():
        for group in ("place", "other"):
            if (match[group] or "").lower() in PLACE_NAMES:
                yield match.span(group)
