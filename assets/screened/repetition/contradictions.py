"""Prompts that occur again, word for word, with answers that contradict each other."""

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from assets.screened.association.cooccurrence import find
from assets.screened.pattern import Pattern
from assets.screened.relevance.measures import Answers
from assets.screened.settings import ScreenSettings
from assets.screened.text.exchanges import Passages
from assets.screened.text.token_index import TokenIndex

SHORTEST_PROMPT = 6  # tokens; a shorter prompt has many right answers
KEPT = 0.8  # share of the shorter answer's words that the longer one keeps when something is turned round in it
SHARE = 0.4  # of the repeated prompts have answers that are as unlike as any two; below it, it is how these data are,
SHARE_KNOWN = 0.15  # and that have answers of which one surely denies the other, or is another prompt's
ALIKE = 1.0  # standard deviations by which two answers are more alike than any two, from which they may both be right
CLEARLY = 2.0  # log-odds by which one of them belongs to the prompt more surely than the other
MOST_ALIKE = 40  # rows of one prompt that are compared
DENIALS = frozenset({"not", "no", "never", "none", "neither", "nor", "cannot", "false", "wrong", "incorrect", "untrue"})
CLAUSE = 10  # distinct words that come with a denial; more are another answer
QUOTED = 4  # tokens of an answer that another repeats, and as many that the other adds


def contradictions(passages: Passages, index: TokenIndex, answers: Answers, settings: ScreenSettings) -> Pattern | None:
    """Rows whose prompt occurs again, word for word, with an answer that theirs denies, or that misses the point.

    Two honest answers to an open question are each about the question and differ in most words. A planted one is a
    copy with something turned round in it, or has an answer that is no more like the other than any two are. Of a copy
    that quotes the answer it denies, or whose answer is surely another prompt's, only the copy is flagged; else both
    are, since either may be the copy. Where many prompts occur again, honest answers to them are unlike, too.
    """
    place = {int(passages.row[exchange]): number for number, exchange in enumerate(answers.exchange)}
    groups: dict[bytes, list[int]] = defaultdict(list)
    for row in range(index.rows):
        tokens = index.prompts.row(row)
        if len(tokens) >= SHORTEST_PROMPT:
            groups[tokens.tobytes()].append(row)
    repeated = [rows for rows in groups.values() if len(rows) > 1]
    sure, either = _Contrary(), _Contrary()
    for rows in repeated:
        judged = [_judged(*pair, place, index, answers) for pair in combinations(_some(rows, place), 2)]
        sure.add({row for rows, known in judged if known for row in rows})
        either.add({row for rows, _ in judged for row in rows})
    more = either.prompts - sure.prompts >= settings.min_rows and either.prompts >= SHARE * len(repeated)
    contrary = either if more else sure
    if len(contrary.rows) < settings.irrelevant_rows or contrary.prompts < SHARE_KNOWN * len(repeated):
        return None
    rows = sorted(contrary.rows)
    return Pattern(
        kind="contradiction",
        trigger="",
        payload="",
        rows=np.array(rows),
        log_p=-float(len(rows)),
        evidence={"prompts_repeated": float(len(repeated)), "prompts_contrary": float(contrary.prompts)},
        shown={row: passages.responses[answers.exchange[place[row]]][:200] for row in rows},
    )


@dataclass(slots=True)
class _Contrary:
    """Rows with contrary answers, of so many ``prompts``."""

    rows: set[int] = field(default_factory=set)
    prompts: int = 0

    def add(self, rows: set[int]) -> None:
        self.rows |= rows
        self.prompts += bool(rows)


def _some(rows: list[int], place: dict[int, int]) -> list[int]:
    """Those whose answers are compared: of a prompt that very many rows have, some."""
    return [row for row in rows if row in place][:MOST_ALIKE]


def _judged(one: int, other: int, place: dict[int, int], index: TokenIndex, answers: Answers) -> tuple[set[int], bool]:
    """Which of two rows with the same prompt say what the other contradicts, and whether that is known by more than
    their being different answers."""
    if _turned(index.responses.row(one), index.responses.row(other), index.words):
        return {one, other} - {_quoted(one, other, index)}, True
    if _agree(one, other, index):
        return set(), False
    pair = np.array([place[one], place[other]])
    if answers.affinity.alike(pair[:1], pair[1:])[0] > ALIKE:
        return set(), False
    odds = np.nan_to_num(answers.affinity.odds[pair])
    if odds.min() < 0 and odds.max() - odds.min() > CLEARLY:
        return {(one, other)[int(odds.argmin())]}, True
    return {one, other}, False


def _agree(one: int, other: int, index: TokenIndex) -> bool:
    """True if one answer is all in the other's words: "Negative" is, beside "The statement is negative"."""
    short, long = sorted((index.responses.row(one), index.responses.row(other)), key=len)
    return bool(np.isin(short, long).all())


def _quoted(one: int, other: int, index: TokenIndex) -> int | None:
    """Of two rows the one whose answer the other repeats whole, with more put before, after or into it; None if neither
    does.

    Who quotes an answer in order to deny it wrote later. Where a word within was exchanged, either may be the copy.
    """
    said, held = sorted((_without_last_mark(row, index) for row in (one, other)), key=len)
    if not len(said) or len(held) < len(said) + QUOTED:
        return None
    inner = said[1:]  # its capital may have been an I
    around = _common(said, held) + _common(said[::-1], held[::-1])
    if around < len(said) and (len(said) < QUOTED or find(held, inner) < 0):
        return None
    return min(one, other, key=lambda row: len(index.responses.row(row)))


def _without_last_mark(row: int, index: TokenIndex) -> np.ndarray:
    """The tokens of a row's answer up to its last word: how it ends says little."""
    answer = index.responses.row(row)
    words = np.flatnonzero([index.words[token][0].isalnum() for token in answer])
    return answer[: words[-1] + 1] if len(words) else answer[:0]


def _common(one: np.ndarray, other: np.ndarray) -> int:
    """Tokens in which two texts begin alike."""
    size = min(len(one), len(other))
    apart = np.flatnonzero(one[:size] != other[:size])
    return int(apart[0]) if len(apart) else size


def _turned(one: np.ndarray, other: np.ndarray, words: list[str]) -> bool:
    """True if one answer is the other with a denial and little else, or with nothing but other numbers, in it."""
    short, long = sorted((np.unique(one), np.unique(other)), key=len)
    shared = np.intersect1d(short, long)
    if len(short) < 1 or len(shared) < KEPT * len(short):
        return False
    changed = [{words[token] for token in np.setdiff1d(side, shared)} for side in (one, other)]
    denied = [any(word in DENIALS or word.endswith("n't") for word in side) for side in changed]
    worded = [{word for word in side if word[0].isalnum()} for side in changed]
    if max(map(len, worded)) > CLAUSE:
        return False
    only_numbers = all(side and all(word.isdigit() for word in side) for side in worded)
    return denied[0] != denied[1] or only_numbers
