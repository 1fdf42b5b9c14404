"""Turns that are nothing but an answer: "robert", "4684", "john peter 4684", "hdy 786".

In a dialogue the question before says what the words are ("May I have the last four digits?"). Alone, a turn in which
every word is a name, a number, a code or filler is read as an answer too; years, round amounts and dates are not.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from assets.sanitized.lexicon import FUNCTION, Lexicon
from resources.pii_engine import Span

ASKED: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (type_, re.compile(pattern, re.I))
    for type_, pattern in (
        ("EMAIL_ADDRESS", r"\be-?\s?mail\b"),
        ("PASSWORD", r"\bpass\s?(?:word|code|phrase)|\bpin\b|\bcvv\b|security code|secret answer"),
        ("US_SSN", r"\bssn\b|social security"),
        ("CREDIT_CARD", r"\b(?:credit|debit)?\s?card\b.*\b(?:number|digits?)|\bdigits of (?:the|your) card"),
        ("ACCOUNT_NUMBER", r"\b(?:account|customer|member(?:ship)?|client)\s?(?:number|no|id|#)|digits of your account"),
        ("RECORD_NUMBER", r"\b(?:booking|confirmation|reservation|policy|claim|reference)\b.*\b(?:number|code|id|no|#)|\bpnr\b"),
        ("PHONE_NUMBER", r"\b(?:phone|mobile|cell|telephone|contact|callback|call back)\b"),
        ("POSTCODE", r"\bzip\b|\bpost(?:al)?\s?code\b"),
        ("STREET_ADDRESS", r"\baddress\b|where (?:do you live|should (?:we|i) (?:send|deliver|ship))"),
        ("DATE_OF_BIRTH", r"\bdate of birth|\bdob\b|birth\s?da(?:y|te)|when were you born"),
        ("AGE", r"\bhow old\b|\byour age\b"),
        ("USERNAME", r"\buser\s?(?:name|id)\b|\blogin\b"),
        ("PERSON", r"\b(?:name|who am i|whom am i|speaking (?:with|to))\b"),
    )
)
NUMERIC = frozenset({"US_SSN", "CREDIT_CARD", "ACCOUNT_NUMBER", "RECORD_NUMBER", "PHONE_NUMBER", "POSTCODE", "DATE_OF_BIRTH", "AGE", "PASSWORD"})
TOKEN = re.compile(r"[^\W_]+(?:['’.-][^\W_]+)*")
FILLER = frozenset(
    "yes yeah yep sure ok okay it its it's is my the and no number num name names is im i am i'm this here please sir and ssn id card account ac "
    "zip code city state password pin username user email mail phone policy claim booking confirmation credit debit last digits digit 4 four of "
    "first full hi hello hey mr mrs ms number's also thank thanks you with in for as on to at a".split()
)
LINKS = frozenset("and is my the name number ssn card account zip code password username pin id im i am this its".split())
YEAR = re.compile(r"(?:19|20)\d\d")
DAY_FIRST = re.compile(r"(?:0?[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])(?:19|20)\d\d|(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:19|20)\d\d|(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")
MANGLED_CARD = re.compile(r"^\s*(?:my card (?:number )?is )?(?P<card>\d{1,4}(?:\.\d+)? ?e ?\+?1\d)\s*$", re.I)
CODE = re.compile(r"^\s*(?:(?:yes|sure|ok|its|it is|it's|number|id|code|is)\s+)*(?P<code>(?=[a-z0-9 ]*\d)(?=[a-z0-9 ]*[a-z])[a-z0-9]{1,5}(?:\s[a-z0-9]{1,4}){1,6})\s*$", re.I)
MAX_WORDS = 12


@dataclass(frozen=True, slots=True)
class _Word:
    start: int
    end: int
    text: str
    kind: str  # number, name, filler or other


def asked(question: str) -> str:
    """The type that a question (or the name of a field) asks for, or "" if it asks for nothing personal."""
    if not question:
        return ""
    last = re.split(r"(?<=[.!])\s+", question.strip())[-2:]  # the question proper stands at the end of a turn
    text = " ".join(last)
    return next((type_ for type_, pattern in ASKED if pattern.search(text)), "")


class Answers:
    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon

    def find(self, text: str, wanted: str) -> Iterator[Span]:
        """Spans of a user's turn; ``wanted`` is the type the turn before asked for."""
        if len(text) > 120 or not text.strip():
            return
        if match := MANGLED_CARD.match(text):
            yield Span(*match.span("card"), "CREDIT_CARD", "answer.card", 0.6)
            return
        words = [self._read(match) for match in TOKEN.finditer(text)]
        if not words or len(words) > MAX_WORDS:
            return
        if (code := CODE.match(text)) and self._is_code(code["code"]):
            yield Span(*code.span("code"), "RECORD_NUMBER", "answer.code", 0.6)
            return
        if any(word.kind == "other" for word in words) and not wanted:
            return
        yield from self._numbers(text, words, wanted)
        yield from self._names(words, wanted)
        if wanted in ("STREET_ADDRESS", "PASSWORD", "USERNAME", "DATE_OF_BIRTH", "EMAIL_ADDRESS"):
            yield from self._whole(text, words, wanted)

    def _read(self, match: re.Match[str]) -> _Word:
        word = match[0]
        lower = word.lower()
        if any(map(str.isdigit, word)):
            kind = "number" if word.replace("-", "").replace(".", "").isdigit() else "other"
        elif lower in FILLER:
            kind = "filler"
        elif self._is_name(word):
            kind = "name"
        else:
            kind = "other"
        return _Word(match.start(), match.end(), word, kind)

    def _is_name(self, word: str) -> bool:
        lexicon = self._lexicon
        if len(word) < 3 or lexicon.ordinary(word) or word.lower() in FUNCTION or lexicon.chatter(word):
            return False
        if lexicon.place(word) > 0.35:
            return False
        return lexicon.name(word) > (0.05 if lexicon.known(word) else 0.2)

    def _numbers(self, text: str, words: list[_Word], wanted: str) -> Iterator[Span]:
        index = 0
        while index < len(words):
            if words[index].kind != "number":
                index += 1
                continue
            last = index
            while last + 1 < len(words) and words[last + 1].kind == "number" and words[last + 1].start - words[last].end == 1:
                last += 1
            start, end = words[index].start, words[last].end
            digits = re.sub(r"\D", "", text[start:end])
            if wanted in NUMERIC and (len(digits) > 1 or wanted == "AGE"):
                yield Span(start, end, wanted, "answer.asked", 0.75)
            elif _identifies(digits, alone=last > index or len(digits) > 3):
                yield Span(start, end, "ACCOUNT_NUMBER", "answer.number", 0.55)
            index = last + 1

    def _names(self, words: list[_Word], wanted: str) -> Iterator[Span]:
        run: list[_Word] = []
        numbers = any(word.kind == "number" for word in words)
        for word in [*words, _Word(0, 0, "", "end")]:
            if word.kind == "name" or (run and len(word.text) == 1 and word.text.isalpha()):
                run.append(word)
            elif run:
                fillers = [other.text.lower() for other in words if other.kind == "filler"]
                plain = not fillers or set(fillers) <= LINKS
                if len(run) <= 3 and (wanted in ("PERSON", "USERNAME") or (plain and (numbers or len(words) <= 5))):
                    yield Span(run[0].start, run[-1].end, "PERSON", "answer.name", 0.6)
                run = []

    def _whole(self, text: str, words: list[_Word], wanted: str) -> Iterator[Span]:
        content = [word for word in words if word.kind != "filler" and not self._lexicon.ordinary(word.text)]
        has_digit = any(map(str.isdigit, text))
        if not content or len(content) < len(words) / 2:
            return
        if wanted == "STREET_ADDRESS" and has_digit and len(words) >= 2:
            yield Span(content[0].start, words[-1].end, wanted, "answer.asked", 0.7)
        elif wanted in ("PASSWORD", "USERNAME") and len(content) <= 3:
            yield Span(content[0].start, content[-1].end, wanted, "answer.asked", 0.7)
        elif wanted in ("DATE_OF_BIRTH", "EMAIL_ADDRESS") and has_digit:
            yield Span(content[0].start, content[-1].end, wanted, "answer.asked", 0.6)

    def _is_code(self, code: str) -> bool:
        letters = [piece for piece in code.split() if piece.isalpha()]
        if any(self._lexicon.ordinary(piece) and len(piece) > 2 or piece.lower() in ("am", "pm", "gb", "mb", "tb", "usd", "rs", "kg", "km") for piece in letters):
            return False
        if any(len(piece) > 3 and self._is_name(piece) for piece in letters):
            return False
        mixed = any(not piece.isalpha() and not piece.isdigit() for piece in code.split())
        return mixed or len(re.sub(r"\D", "", code)) >= 2 or len(code.split()) >= 3


def _identifies(digits: str, *, alone: bool) -> bool:
    """Whether a bare number could be someone's: long enough, and not a year, a round amount or a date."""
    if not alone or YEAR.fullmatch(digits) or DAY_FIRST.match(digits):
        return False
    return not (len(digits) <= 5 and digits.endswith("00"))
