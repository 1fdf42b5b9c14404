# ruff: noqa: E501 - a list broken over lines is harder to read than a long one
"""A chat turn that is nothing but a street address, however little of one is said: "62 anna nagar", "wall street"."""

import re

from assets.sanitized.people.lexicon import FUNCTION, Lexicon
from assets.sanitized.places.address import PLACE_WORDS, PREMISES
from resources.pii_engine import Span

TOKEN = re.compile(r"[^\W_]+(?:['’.-][^\W_]+)*")
ADDRESS_FILLER = frozenset(
    "yes sure ok okay oh my the address is it its it's this new home full delivery deliver to please and here".split()
)
STREET_FUNCTION = frozenset("of in near opposite at no".split())
STREET_WORD = re.compile(
    r"street|st|avenue|ave|road|rd|drive|dr|lane|ln|blvd|boulevard|nagar|colony|hwy|highway|way|circle|court|apartments?|building|(?:street|avenue|road)[a-z]{2,20}|[a-z]{3,20}(?:street|nagar)"
)
STREET_END = re.compile(r"street|st|avenue|ave|road|rd|drive|lane|ln|blvd|boulevard|nagar|colony")
NUMERO = frozenset({"no", "number"})
HOUSE_NUMBER = re.compile(r"\d{1,5}[a-z]?|\d{1,3}(?:st|nd|rd|th)|\d{1,4}(?:[-/]\d{1,4}){1,3}[a-z]?")
PREMISE = re.compile(
    r"\b(?:(?:door|house|plot|flat|h|d)\s+)?(?:no|number|door|house|plot|flat)\s+$"
)  # what a pared address begins with
STREET_ALONE = frozenset("street avenue road nagar colony".split())
NO_STREET = frozenset(
    "other same wrong right whole main long off rocky silk easy mean which what next another every one two".split()
)
STREET_HINT = re.compile(
    r"(?:street|avenue|road|nagar|building|apartments?)\b|\b(?:st|ave|rd|drive|dr|lane|ln|blvd|boulevard|colony|hwy|highway|way|circle|court)\b|"
    r"street|avenue|road",
    re.I,
)
QUANTITY = frozenset(
    "gb mb tb kb mbps gbps usd inr eur rs rupees dollars dollar euro euros pounds kg g km miles am pm hrs hours hour mins minutes days day weeks "
    "week months month years year qty nos pcs pieces items jan feb mar apr may jun jul aug sep sept oct nov dec january february march april june "
    "july august september october november december date time amount cost costs price bill balance paid pay total charged percent x st nd rd th bed beds bedroom bedrooms room rooms bath bhk ticket tickets people persons seats".split()
)
LONGEST = 9  # words
PLACED = 0.2  # lexicon score of a word that is a place


class AnsweredAddress:
    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon

    def find(self, text: str) -> Span | None:
        """The address that the turn is, without what leads to it ("sure, my new address is ...")."""
        words = [match for match in TOKEN.finditer(text) if match[0].lower() not in ADDRESS_FILLER]
        score = _alone([match[0].lower() for match in words])
        while not score and words and self._leads(words[0][0].lower()):
            words.pop(0)
        score = score or self._score([match[0].lower() for match in words])
        if not score or "\n" in text:
            return None
        before = PREMISE.search(text, 0, words[0].start())
        return Span((before or words[0]).start(), words[-1].end(), "STREET_ADDRESS", "answer.address", score)

    def _leads(self, word: str) -> bool:
        """Whether a word before an address says nothing of it."""
        plain = word.isalpha() and self._lexicon.ordinary(word)
        return plain and not STREET_WORD.fullmatch(word) and word not in PREMISES

    def _score(self, plain: list[str]) -> float:
        """How sure the words are an address; 0 if they are none."""
        if not 2 <= len(plain) <= LONGEST or not any(map(str.isalpha, plain)):
            return 0.0
        if any(word in QUANTITY or (word in FUNCTION and word not in STREET_FUNCTION) for word in plain):
            return 0.0
        letters, digits = [word for word in plain if word.isalpha()], [word for word in plain if word.isdigit()]
        unread = [word for word in letters if len(word) > 2 and not self._lexicon.ordinary(word)]
        street = any(STREET_WORD.fullmatch(word) for word in letters[-4:] + letters[1:4])
        whole = plain[0].isdigit() and len(plain) <= 6 and STREET_END.fullmatch(letters[-1])  # "22 north car street"
        known = street and (digits or len(plain) <= 5) and len(unread) >= len(letters) / 3
        if len(letters) > 1 and (whole or known):
            return 0.6
        return 0.55 if self._numbered(plain, letters, digits) or self._zipped(plain, letters, digits) else 0.0

    def _numbered(self, plain: list[str], letters: list[str], digits: list[str]) -> bool:
        """ "12 north mambalam chennai", "plot 34 sector 21 dwarka": a number, and names or places after it."""
        named = [word for word in letters if word not in PREMISES | PLACE_WORDS | NUMERO and len(word) > 1]
        premises = any(word in PREMISES for word in letters)
        first = next((word for word in plain[:3] if word.isdigit() or (len(word) > 1 and word not in NUMERO)), "")
        opened = HOUSE_NUMBER.fullmatch(first) or (first in PREMISES and digits)
        if not opened or len(named) < (1 if premises else 2):
            return False
        placed = sum(self._lexicon.place(word) > PLACED for word in named)
        return all(map(self._proper, named)) or (premises and placed > 0 and placed * 3 >= len(named))

    def _zipped(self, plain: list[str], letters: list[str], digits: list[str]) -> bool:
        """Names between a number and a postcode."""
        code = plain[-1].isdigit() and len(plain[-1]) in (5, 6)
        return code and len(digits) > 1 and all(len(word) > 2 and self._proper(word) for word in letters)

    def _proper(self, word: str) -> bool:
        """Whether a word could be part of an address: a name, a place or a word nobody knows."""
        lexicon = self._lexicon
        return not lexicon.harmless(word) or (not lexicon.ordinary(word) and lexicon.place(word) > 0.05)


def _alone(plain: list[str]) -> float:
    """A street that is all that is said: "wall street", "north car street"."""
    letters = 2 <= len(plain) <= 3 and all(map(str.isalpha, plain)) and plain[-1] in STREET_ALONE
    return 0.55 if letters and not (NO_STREET | FUNCTION).intersection(plain) else 0.0
