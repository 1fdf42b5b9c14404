# ruff: noqa: E501 - a pattern broken over lines is harder to read than a long one
"""Values that a label announces: "account number is 4523", "ssn 8873", "password: hunter2", "booking ref z 1 s 8".

The label decides the type, so that a short or odd value counts too. Values may be spelled in pieces, as people
dictate them.
"""

import functools
import itertools
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from assets.sanitized.people.lexicon import FUNCTION, Lexicon
from assets.sanitized.rule_file import read_rules
from assets.sanitized.secrets.values import is_example, is_reference
from resources.pii_engine import Entity, Span, SpanRecognizer

_NUMBER = r"(?:\s*(?:numbers?|num|nos?|nr|id|ids|code|ref(?:erence)?|details?|digits?|#|№)\b\.?|\s*#)"
_LINK = (
    r"(?:\s*(?:\([^)\n]{0,20}\))?\s*(?:[:=#-]|->)\s*|\s+(?:is|was|are|as|it's|its|it is|will be|ends? (?:in|with)|ending (?:in|with)|of|"
    r"on file is|for my account is|should be|to|:|=|-)(?=\s))*\s*[\"'“`]?\s*"
)
LABELS: tuple[tuple[str, str, bool, str], ...] = tuple(
    (rule["type"], rule["label"], rule["numbered"], rule["value"])
    for rule in read_rules(Path(__file__).parent / "labels.yaml")
)
LABELLED = re.compile(
    r"(?<![\w-])(?:"
    + "|".join(f"(?P<t{index}>{label})" for index, (_, label, _, _) in enumerate(LABELS))
    + rf")(?![^\W\d_]){_NUMBER}{{0,3}}(?P<link>{_LINK})(?=\S)",
    re.I,
)
LABELLED_ALONE = re.compile("|".join(f"(?P<t{index}>{label})" for index, (_, label, _, _) in enumerate(LABELS)), re.I)
YEAR_OR_ROUND = re.compile(r"19\d\d|20[0-3]\d|\d+000")
LABEL = re.compile(r"\b(?:" + "|".join(label for _, label, _, _ in LABELS) + r")", re.I)

NUMBER_WORD = re.compile(r"(?:numbers?|num|nos?|nr|id|ids|code|ref|reference|digits?|#)\b|#", re.I)
TOKEN = re.compile(r"[^\W_]+(?:[-/.][^\W_]+)*")
SECRET_VALUE = re.compile(r"[^\s\"'“”`,;]{3,64}")
COUNTED = re.compile(
    r"[a-z]{2,16}(?: [a-z]{1,8})? \d{2,10}(?: [a-z]\b)?(?=\s*(?:$|[.,;!?]|and\b))"
)  # a word and a number, as people dictate a password
# "4478 is my account number", "on 4478 account": the label stands after the value.
LABEL_AFTER = re.compile(
    r"(?<![\w.,$€£#:/-])(?P<value>\d{4,20}|\d{2,6}(?:[ -]\d{2,6}){1,5})\s+(?:(?:is|was)\s+(?:my|the|our|his|her)\s+(?P<full>[^.?!\n]{2,40})|(?P<noun>account|acct|ssn|card|policy|booking|passport)\b(?:\s+(?:number|no|account|card))?)",
    re.I,
)
LINKING = frozenset(":=#->\"'“`(")
IN_CODE = re.compile(r"^[_.@:)\]=&]|[=>]$|\($")
NOUNS = {
    "account": "ACCOUNT_NUMBER", "acct": "ACCOUNT_NUMBER", "ssn": "US_SSN", "card": "CREDIT_CARD", "policy": "RECORD_NUMBER",
    "booking": "RECORD_NUMBER", "passport": "PASSPORT",
}  # fmt: skip
NOT_VALUES = frozenset(
    "reset resets change changed changing forgot forgotten lost wrong correct incorrect invalid valid expired protected required needed strength "
    "manager policy hint field prompt recovery is are was and or the a to for of in on with not please help security issue issues problem problems "
    "again sent send set new old current again again-and verification verify verified update updated login account email page link screen "
    "protection generator hash hashing encrypted encryption based free less authentication must should can could would will cannot".split()
)


@functools.lru_cache(maxsize=20_000)
def is_label(word: str) -> bool:
    """Whether a word announces a value, and so is none."""
    return LABEL.fullmatch(word) is not None


class LabelledRecognizer(SpanRecognizer):
    types = tuple(dict.fromkeys(type_ for type_, *_ in LABELS))
    # Only passwords and user names can do without a digit.
    trigger = re.compile(r"\d|pa\w{0,3}w|pass|pw|pin\b|secret|user|login|screen|handle|skype|telegram|discord", re.I)

    def __init__(self, lexicon: Lexicon) -> None:
        super().__init__()
        self._lexicon = lexicon

    def find(self, text: str, entities: Sequence[Entity]) -> Iterator[Span]:
        for match in LABELLED.finditer(text):
            type_, _, needs_number, kind = LABELS[_index(match)]
            explicit = NUMBER_WORD.search(match[0]) is not None or re.search(r"[:=#]", match["link"]) is not None
            linked = bool(match["link"].strip(" \t\"'“`"))
            found = self._value(text, match.end(), kind, linked=linked)
            if found is None:
                continue
            start, end = found
            if needs_number and not explicit and sum(map(str.isdigit, text[start:end])) < 4:
                continue
            yield Span(start, end, type_, f"labelled.{type_.lower()}", 0.8)
        for after in LABEL_AFTER.finditer(text):
            named = LABEL.match(after["full"]) if after["full"] else None
            label = LABELLED_ALONE.match(named[0]) if named else None
            type_ = NOUNS.get((after["noun"] or "").lower()) or (LABELS[_index(label)][0] if label else "")
            if type_ and not YEAR_OR_ROUND.fullmatch(after["value"]):
                yield Span(*after.span("value"), type_, "labelled.after", 0.7)

    def _value(self, text: str, start: int, kind: str, *, linked: bool) -> tuple[int, int] | None:
        if kind == "secret":
            return self._secret(text, start, linked=linked)
        if kind == "word":
            match = TOKEN.match(text, start)
            if match is None or not linked or self._lexicon.ordinary(match[0]) or match[0].lower() in NOT_VALUES:
                return None
            return match.span()
        return self._pieces(text, start)

    def _pieces(self, text: str, start: int) -> tuple[int, int] | None:
        """A value in one piece or several short ones; it must hold a digit, and letters at its end belong to a code."""
        pieces: list[re.Match[str]] = []
        end = start
        for token in TOKEN.finditer(text, start):
            gap, word = text[end : token.start()], token[0]
            if gap.strip(" -./") or "\n" in gap or len(gap) > 3 or len(pieces) == 10:
                break
            numeric = any(map(str.isdigit, word))
            if re.fullmatch(r"\d+\.\d+", word):
                break
            dictated = len(word) == 1 and any(len(piece[0]) == 1 and piece[0].isdigit() for piece in pieces)
            if is_label(word) or (
                not numeric
                and not dictated
                and (len(word) > 5 or self._lexicon.ordinary(word))
                and not (word.isupper() and len(word) < 5)
            ):
                break
            if pieces and not numeric and sum(map(str.isdigit, text[start:end])) >= 4 and pieces[-1][0].isdigit():
                break
            pieces.append(token)
            end = token.end()
        mixed = sum(1 for one, two in itertools.pairwise(pieces) if one[0].isdigit() != two[0].isdigit()) >= 2
        while pieces and not any(map(str.isdigit, pieces[-1][0])) and not (mixed and len(pieces[-1][0]) <= 2):
            pieces.pop()
        digits = sum(sum(map(str.isdigit, piece[0])) for piece in pieces)
        return (start, pieces[-1].end()) if digits >= 2 else None

    def _secret(self, text: str, start: int, *, linked: bool) -> tuple[int, int] | None:
        """A password: the next word, or the short pieces of one, unless it is plainly about passwords in general."""
        match = SECRET_VALUE.match(text, start)
        if match is None:
            return None
        value = match[0].rstrip(".!?)")
        bare = value.lower().strip("\"'")
        odd = any(map(str.isdigit, value)) or not value.isalpha()
        if bare in NOT_VALUES or is_reference(value) or is_example(value) or _in_code(text[start - 1], value):
            return None
        if not odd and (counted := COUNTED.match(text, start)) and text.islower() and bare not in FUNCTION:
            return start, counted.end()  # "hcl 123", "jamjugger 65"
        if not (linked or odd):
            return None
        if not odd and (
            self._lexicon.ordinary(value)
            or (
                text[start + len(value) : start + len(value) + 1].isspace()
                and self._lexicon.known(value)
                and len(text) > start + len(value) + 12
            )
        ):
            return None
        pieces = self._pieces(text, start)
        end = start + len(value)
        if pieces and pieces[1] > end and text[start : pieces[1]].islower():
            end = pieces[1]
        elif (more := re.compile(r"(?: [a-z]{0,8}\d+){1,3}\b").match(text, end)) and text.islower():
            end = more.end()
        return start, end


def _in_code(before: str, value: str) -> bool:
    """Whether the label was a part of a longer name ("password_hash") or the value is one, or markup."""
    part = not (before.isspace() or before in LINKING or value[0].isdigit())
    return part or IN_CODE.search(value) is not None


def _index(match: re.Match[str]) -> int:
    """Which label matched."""
    return next(index for index in range(len(LABELS)) if match[f"t{index}"] is not None)
