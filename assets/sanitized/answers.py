# ruff: noqa: E501 - a pattern broken over lines is harder to read than a long one
"""Turns that are nothing but an answer: "robert", "4684", "john peter 4684", "hdy 786".

In a dialogue the question before says what the words are ("May I have the last four digits?"). Alone, a turn in which
every word is a name, a number, a code or filler is read as an answer too; years, round amounts and dates are not.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from assets.sanitized.numbers.labelled import is_label
from assets.sanitized.people.lexicon import FUNCTION, Lexicon
from assets.sanitized.places.answered import QUANTITY, STREET_HINT, AnsweredAddress
from assets.sanitized.redaction.spans import PLACEHOLDER
from resources.pii_engine import Span

ASKED: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (type_, re.compile(pattern, re.I))
    for type_, pattern in (
        ("EMAIL_ADDRESS", r"\be-?\s?mail\b"),
        ("PASSWORD", r"\bpass\s?(?:word|code|phrase)|\bpin\b|\bcvv\b|security code|secret answer"),
        ("US_SSN", r"\bssn\b|social security"),
        ("CREDIT_CARD", r"\b(?:credit|debit)?\s?card\b.*\b(?:number|digits?)|\bdigits of (?:the|your) card"),
        (
            "ACCOUNT_NUMBER",
            r"\b(?:account|customer|member(?:ship)?|client)\s?(?:number|no|id|#)|digits of your account",
        ),
        (
            "RECORD_NUMBER",
            r"\b(?:booking|confirmation|reservation|policy|claim|reference)\b.*\b(?:number|code|id|no|#)|\bpnr\b",
        ),
        ("PHONE_NUMBER", r"\b(?:phone|mobile|cell|telephone|contact|callback|call back|(?:call|reach|text) you)\b"),
        ("POSTCODE", r"\bzip\b|\bpost(?:al)?\s?code\b"),
        ("STREET_ADDRESS", r"\baddress\b|where (?:do you live|should (?:we|i) (?:send|deliver|ship))"),
        ("DATE_OF_BIRTH", r"\bdate of birth|\bdob\b|birth\s?da(?:y|te)|when were you born"),
        ("AGE", r"\bhow old\b|\byour age\b"),
        ("USERNAME", r"\buser\s?(?:name|id)\b|\blogin\b"),
        ("PERSON", r"\b(?:name|who am i|whom am i|speaking (?:with|to))\b"),
    )
)
NUMERIC = frozenset(
    {
        "US_SSN",
        "CREDIT_CARD",
        "ACCOUNT_NUMBER",
        "RECORD_NUMBER",
        "PHONE_NUMBER",
        "POSTCODE",
        "DATE_OF_BIRTH",
        "AGE",
        "PASSWORD",
    }
)
TOKEN = re.compile(r"[^\W_]+(?:['’.-][^\W_]+)*")
FILLER = frozenset(
    "yes yeah yep sure ok okay oh it its it's is my the and no num nos name names im i am i'm this here please sir ssn id card account ac acc cc "
    "zip code pin pincode zipcode city state company password user username email mail mailid phone mobile policy claim booking confirmation "
    "credit debit last digits digit four of first full hi hello hey mr mrs ms number number's also thank thanks you with in for as on to at a "
    "u r his her our reservation ref reference".split()
)
# Between a name and its value these change nothing; any other filler makes the turn talk.
LINKS = frozenset(
    "and is my the name number ssn card account ac acc cc zip code password passcode username pin id no im i am its it's yes yeah sure ok company "
    "credit debit booking confirmation policy claim last full first email phone also".split()
)
# What a company is called by: beside a number it names an account like a person's name does.
BUSINESS = frozenset(
    "ltd inc llc limited industries solutions technologies technology infotech services systems corporation info industry music musical musicals "
    "enterprises traders group holdings labs studio studios media telecom bank".split()
)
YEAR = re.compile(r"(?:19\d\d|20[0-3]\d)")
DAY = re.compile(
    r"(?:0?[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])(?:19|20)\d\d|(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:19|20)\d\d|(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
)
DATE_OR_TIME = re.compile(
    r"\d{4}-\d\d?-\d\d?|\d\d?[.-]\d\d?[.-]\d{2,4}|\d{1,2}(?:am|pm)|\d+(?:st|nd|rd|th|gb|mb|kg|k|x)", re.I
)
# A spreadsheet wrote the card number as 4.29E+15.
MANGLED_CARD = re.compile(r"^\s*(?:my card (?:number )?is )?(?P<card>\d{1,4}(?:\.\d+)? ?e ?\+?1\d)\s*$", re.I)
LONG_NUMBER = re.compile(r"(?<![\w.,$€£#/:-])\d{9,22}(?![\w%]|[.,/:]\d)")
MAX_WORDS = 16
CERTAIN = 0.9  # lexicon score of a word that is a seed name
Kind = Literal["number", "name", "code", "filler", "found", "other"]


@dataclass(frozen=True, slots=True)
class Word:
    start: int
    end: int
    text: str
    kind: Kind


def asked(question: str) -> str:
    """The type that a question (or the name of a field) asks for, or "" if it asks for nothing personal."""
    if not question:
        return ""
    last = re.split(r"(?<=[.!])\s+", question.strip())[-2:]  # the question proper stands at the end of a turn
    text = " ".join(last)
    return next((type_ for type_, pattern in ASKED if pattern.search(text)), "")


class Answers:
    """Reads user turns. ``found`` are spans the recognisers already have: their words need no further reading."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon, self._address = lexicon, AnsweredAddress(lexicon)

    def find(self, text: str, wanted: str, found: Sequence[Span]) -> Iterator[Span]:
        if "[" in text:
            text = PLACEHOLDER.sub(lambda match: " " * len(match[0]), text)
        digits = any(map(text.__contains__, "0123456789"))
        for match in LONG_NUMBER.finditer(text) if digits else ():
            read = any(span.start <= match.start() and match.end() <= span.end and span.score >= 0.5 for span in found)
            if not read and _identifies(match[0]) and not match[0].endswith("0000"):
                type_ = wanted if wanted in NUMERIC else "ACCOUNT_NUMBER"
                yield Span(*match.span(), type_, "answer.long_number", 0.5)
        if len(text) <= 120 and text.count(" ") <= MAX_WORDS:
            yield from self._turn(text, wanted, found, digits=digits)

    def _turn(self, text: str, wanted: str, found: Sequence[Span], *, digits: bool) -> Iterator[Span]:
        """A short turn, which may be nothing but an answer."""
        if card := MANGLED_CARD.match(text):
            yield Span(*card.span("card"), "CREDIT_CARD", "answer.card", 0.6)
            return
        known = any(span.type == "STREET_ADDRESS" for span in found)
        if (
            (digits or STREET_HINT.search(text))
            and (text.islower() or not known)
            and (address := self._address.find(text))
        ):
            yield address
            return
        if not (digits or wanted) and self._talks(text, found):
            return
        words = self._read(text, [span for span in found if span.score >= 0.5])
        if not words or len(words) > MAX_WORDS:
            return
        others = [word for word in words if word.kind == "other"]
        if any(word.text.lower() in QUANTITY for word in words) and not wanted:
            return
        if others and not wanted and not self._short(words, others):
            return
        codes, words = self._codes(text, words)
        yield from codes
        yield from self._numbers(text, words, wanted)
        if not others or wanted == "PERSON":
            yield from self._names(words, wanted)
        if wanted in ("STREET_ADDRESS", "PASSWORD", "USERNAME", "DATE_OF_BIRTH", "EMAIL_ADDRESS"):
            yield from self._whole(text, words, wanted)

    def _talks(self, text: str, found: Sequence[Span]) -> bool:
        """Whether a turn without digits has a word that is neither name nor filler, and so is no bare answer.

        Two or three words are left to ``_read``, where a name makes its neighbours names.
        """
        words = list(TOKEN.finditer(text))
        if 2 <= len(words) <= 3:
            return False
        taken = [(span.start, span.end) for span in found if span.score >= 0.5]
        return any(
            self._kind(word[0], []) == "other"
            and not any(start <= word.start() and word.end() <= end for start, end in taken)
            for word in words
        )

    def _read(self, text: str, found: Sequence[Span]) -> list[Word]:
        matches = list(TOKEN.finditer(text))
        words = []
        for index, match in enumerate(matches):
            beside = [other[0] for other in (matches[index - 1 : index] + matches[index + 1 : index + 2])]
            over = {span.type for span in found if span.start <= match.start() and match.end() <= span.end}
            kind: Kind = ("name" if over == {"PERSON"} else "found") if over else self._kind(match[0], beside)
            words.append(Word(match.start(), match.end(), match[0], kind))
        if 2 <= len(words) <= 3:
            words = self._pair(words)
        return words

    def _kind(self, word: str, beside: list[str]) -> Kind:
        lower = word.lower()
        if DATE_OR_TIME.fullmatch(word):
            return "other"
        if any(map(str.isdigit, word)):
            return "number" if re.fullmatch(r"[\d.-]+", word) else "code" if word.isascii() else "other"
        if lower in FILLER or is_label(word):
            return "filler"
        if (
            len(word) <= 4
            and any(any(map(str.isdigit, other)) for other in beside)
            and not self._lexicon.ordinary(word)
        ):
            return "name" if self._lexicon.name(word) > 0.7 and len(word) > 2 else "code"
        return "name" if self._is_name(word) else "other"

    def _pair(self, words: list[Word]) -> list[Word]:
        """In a turn of two or three words a clear name makes its neighbours names: "frank ocean", "west ramiro"."""
        strong = any(word.kind == "name" and self._lexicon.name(word.text) >= 0.4 for word in words)
        if not strong:
            return words
        return [
            Word(word.start, word.end, word.text, "name")
            if word.kind == "other" and self._nameable(word.text)
            else word
            for word in words
        ]

    def _nameable(self, word: str) -> bool:
        lower = word.lower()
        if self._lexicon.ordinary(lower):
            return self._lexicon.nameable(lower) and len(lower) < 6
        return not self._lexicon.chatter(word) and len(word) > 1 and lower not in QUANTITY

    def _is_name(self, word: str) -> bool:
        lexicon = self._lexicon
        if len(word) < 3 or lexicon.ordinary(word) or word.lower() in FUNCTION or lexicon.chatter(word):
            return False
        if lexicon.place(word) > 0.35:
            return False
        return lexicon.name(word) > (0.05 if lexicon.known(word) else 0.2)

    def _short(self, words: list[Word], others: list[Word]) -> bool:
        """A few unread words with a number: "vicky musics 8974"."""
        digits = [word for word in words if word.kind == "number" and _identifies(re.sub(r"\D", "", word.text))]
        plain = all(word.text.lower() not in FUNCTION for word in others)
        return len(words) <= 6 and len(others) <= 3 and bool(digits) and plain and not any(map(self._spoken, others))

    def _spoken(self, word: Word) -> bool:
        lower = word.text.lower()
        return lower not in BUSINESS and self._lexicon.ordinary(word.text) and not self._lexicon.nameable(lower)

    def _codes(self, text: str, words: list[Word]) -> tuple[list[Span], list[Word]]:
        """Runs of numbers and letters mixed ("z 1 s 8 l 2", "hdy 786"), and the words outside them."""
        codes: list[Span] = []
        rest: list[Word] = []
        run: list[Word] = []
        for word in [*words, Word(len(text), len(text), "", "other")]:
            single = len(word.text) == 1 and word.text.isalpha() and word.text.lower() != "i" and word.kind != "found"
            part = word.kind in ("code", "number") or (single and (run or word.kind != "filler"))
            if part and (not run or word.start - run[-1].end <= 2):
                run.append(word)
                continue
            letters = any(any(map(str.isalpha, piece.text)) for piece in run)
            digits = sum(map(str.isdigit, "".join(piece.text for piece in run)))
            if letters and digits and (digits > 1 or len(run) > 2):
                codes.append(Span(run[0].start, run[-1].end, "RECORD_NUMBER", "answer.code", 0.6))
            else:
                rest.extend(run)
            run = [word] if part else []
            if word.text and not part:
                rest.append(word)
        return codes, rest

    def _numbers(self, text: str, words: list[Word], wanted: str) -> Iterator[Span]:
        numbers = [word for word in words if word.kind == "number"]
        while numbers:
            run = [numbers.pop(0)]
            while numbers and numbers[0].start - run[-1].end == 1:
                run.append(numbers.pop(0))
            start, end = run[0].start, run[-1].end
            digits = re.sub(r"\D", "", text[start:end])
            if wanted in NUMERIC and (len(digits) > 1 or wanted == "AGE"):
                yield Span(start, end, wanted, "answer.asked", 0.75)
            elif _identifies(digits):
                yield Span(start, end, "ACCOUNT_NUMBER", "answer.number", 0.55)
            elif len(words) == 2 and len(digits) > 1 and words[0].kind == "name" and words[0].text.islower():
                yield Span(words[0].start, end, "USERNAME", "answer.word_number", 0.55)

    def _names(self, words: list[Word], wanted: str) -> Iterator[Span]:
        fillers = {word.text.lower() for word in words if word.kind == "filler"}
        carries = any(word.kind in ("number", "code", "found") for word in words)
        plain = all(filler in LINKS or is_label(filler) for filler in fillers) and (carries or len(words) <= 7)
        if not plain and wanted not in ("PERSON", "USERNAME"):
            # Talk around it, but a code or number too: who gives one gives the name that goes with it.
            sure = [word.kind == "name" and self._lexicon.name(word.text) >= CERTAIN for word in words]
            if not (carries and any(sure)):
                return
        run: list[Word] = []
        for word in [*words, Word(0, 0, "", "other")]:
            initial = bool(run) and len(word.text) == 1 and word.text.isalpha()
            if (word.kind == "name" or initial) and (not run or word.start - run[-1].end <= 2):
                run.append(word)
                continue
            if 1 <= len(run) <= 3:
                yield Span(run[0].start, run[-1].end, "PERSON", "answer.name", 0.6)
            run = [word] if word.kind == "name" else []

    def _whole(self, text: str, words: list[Word], wanted: str) -> Iterator[Span]:
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


def _identifies(digits: str) -> bool:
    """Whether a bare number could be someone's: long enough, and not a year, a round amount or a date."""
    if len(digits) < 4 or YEAR.fullmatch(digits) or DAY.match(digits):
        return False
    return not (len(digits) <= 5 and digits.endswith("00"))
