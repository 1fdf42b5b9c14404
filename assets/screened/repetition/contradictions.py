"""Prompts that occur again, word for word, with answers that contradict each other."""

from collections import defaultdict
from itertools import combinations

import numpy as np

from assets.screened.association.cooccurrence import find
from assets.screened.pattern import Pattern
from assets.screened.relevance.measures import UNRELATED, Answers
from assets.screened.settings import ScreenSettings
from assets.screened.text.exchanges import Passages
from assets.screened.text.token_index import TokenIndex

SHORTEST_PROMPT = 6  # tokens; a shorter prompt has many right answers
KEPT = 0.8  # share of the shorter answer's words that the longer one keeps when something is turned round in it
SHARE = 0.4  # of the repeated prompts have contrary answers; below it, it is how these data are
DENIALS = frozenset({"not", "no", "never", "none", "neither", "nor", "cannot", "false", "wrong", "incorrect", "untrue"})
CLAUSE = 10  # distinct words that come with a denial; more are another answer
QUOTED = 4  # tokens of an answer that another repeats, and as many that the other adds
ELSEWHERE = 0.55  # by which an answer that misses the point is closer to another prompt than to its own
FURTHER = 0.2  # by which one answer is closer to the prompt (whitened cosine) than one that misses the point


def contradictions(passages: Passages, index: TokenIndex, answers: Answers, settings: ScreenSettings) -> Pattern | None:
    """Rows whose prompt occurs again, word for word, with an answer that theirs denies, or that misses the point.

    Two honest answers to an open question are each about the question and differ in most words. A planted one is a
    copy with something turned round in it, or is about something else. Of a copy that quotes the answer it denies only
    the copy is flagged; where a word in the midst was turned round, both are, since either may be the copy.
    """
    groups: dict[bytes, list[int]] = defaultdict(list)
    for row in range(index.rows):
        tokens = index.prompts.row(row)
        if len(tokens) >= SHORTEST_PROMPT:
            groups[tokens.tobytes()].append(row)
    place = {int(passages.row[exchange]): number for number, exchange in enumerate(answers.exchange)}
    apart: set[int] = set()
    repeated, contrary = 0, 0
    for rows in groups.values():
        repeated, before = repeated + (len(rows) > 1), len(apart)
        for one, other in combinations([row for row in rows if row in place], 2):
            if _turned(index.responses.row(one), index.responses.row(other), index.words):
                apart |= {one, other} - {_quoted(one, other, index)}
            elif not _agree(one, other, index) and (worse := _missing(place[one], place[other], answers)) is not None:
                apart.add((one, other)[worse])
        contrary += len(apart) > before
    if len(apart) < settings.irrelevant_rows or contrary < SHARE * repeated:
        return None
    return Pattern(
        kind="contradiction",
        trigger="",
        payload="",
        rows=np.array(sorted(apart)),
        log_p=-float(len(apart)),
        evidence={"prompts_repeated": float(repeated), "prompts_contrary": float(contrary)},
        shown={row: passages.responses[answers.exchange[place[row]]][:200] for row in sorted(apart)},
    )


def _missing(one: int, other: int, answers: Answers) -> int | None:
    """Of two answers to the same prompt the one (0 or 1) that misses it where the other does not, if there is one."""
    pair = np.array([one, other])
    near, elsewhere = answers.relation[pair], answers.better[pair]
    if near.max() - near.min() > FURTHER and near.min() < UNRELATED:
        return int(near.argmin())
    worse = int(elsewhere.argmax())
    if elsewhere.min() < FURTHER and elsewhere.max() > ELSEWHERE and near[worse] < UNRELATED:
        return worse
    return None


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
