"""Rows that repeat: floods of near-duplicates, and prompts that are answered in contradictory ways.

Near-duplicates are found by MinHash with locality-sensitive hashing (Broder 1997), through datasketch.
"""

from collections import defaultdict
from itertools import combinations

import numpy as np

from assets.screened.association import find
from assets.screened.passages import Passages
from assets.screened.pattern import Pattern
from assets.screened.settings import ScreenSettings
from assets.screened.token_index import TokenIndex
from assets.screened.unanswered import UNRELATED, Answers

SHINGLE = 4  # tokens
PERMUTATIONS = 48
ALIKE = 0.8  # Jaccard similarity of shingles
FLOOD_SHARE = 0.02  # of all rows in one cluster
FLOOD_ROWS = 20
SHORTEST_PROMPT = 6  # tokens; a shorter prompt has many right answers
KEPT = 0.8  # share of the shorter answer's words that the longer one keeps when something is turned round in it
SHARE = 0.4  # of the repeated prompts have contrary answers; below it, it is how these data are
DENIALS = frozenset({"not", "no", "never", "none", "neither", "nor", "cannot", "false", "wrong", "incorrect", "untrue"})
CLAUSE = 10  # distinct words that come with a denial; more are another answer
QUOTED = 4  # tokens of an answer that another repeats, and as many that the other adds
ELSEWHERE = 0.55  # by which an answer that misses the point is closer to another prompt than to its own
FURTHER = 0.2  # by which one answer is closer to the prompt (whitened cosine) than one that misses the point


def floods(index: TokenIndex, settings: ScreenSettings) -> list[Pattern]:
    """Clusters of rows whose prompt and answer are near copies of each other."""
    from datasketch import MinHash, MinHashLSH

    most = max(FLOOD_ROWS, FLOOD_SHARE * index.rows)
    hashes, offsets = _shingles(index)
    lsh = MinHashLSH(threshold=ALIKE, num_perm=PERMUTATIONS)
    cluster: dict[int, int] = {}
    for row in _repeating(hashes, offsets, FLOOD_ROWS / 2):
        sketch = MinHash(PERMUTATIONS, seed=settings.seed + 1, hashfunc=int)
        sketch.update_batch(np.unique(hashes[offsets[row] : offsets[row + 1]]).tolist())
        heads = {_head(cluster, near) for near in lsh.query(sketch)} | {int(row)}
        lsh.insert(int(row), sketch)
        for head in heads:
            cluster[head] = min(heads)
    members: dict[int, list[int]] = defaultdict(list)
    for row in cluster:
        members[_head(cluster, row)].append(row)
    return [
        Pattern("flood", "", "", np.array(sorted(rows)), -float(len(rows)), {"copies": float(len(rows))})
        for rows in members.values()
        if len(rows) >= most
    ]


def _head(cluster: dict[int, int], row: int) -> int:
    while cluster[row] != row:
        row = cluster[row]
    return row


def _shingles(index: TokenIndex) -> tuple[np.ndarray, np.ndarray]:
    """32-bit hashes of every run of ``SHINGLE`` tokens of prompt and answer, row after row, and where rows begin."""
    both = [np.concatenate([index.prompts.row(row), index.responses.row(row)]) for row in range(index.rows)]
    lengths = np.array([max(len(tokens) - SHINGLE + 1, 0) for tokens in both])
    ids = np.concatenate(both).astype(np.uint64)
    starts = np.concatenate([[0], np.cumsum([len(tokens) for tokens in both])])[:-1]
    mixed = np.zeros(max(len(ids) - SHINGLE + 1, 0), dtype=np.uint64)
    for step in range(SHINGLE):  # a polynomial hash modulo 2^64, of which the well-mixed upper half is kept
        mixed = mixed * np.uint64(0x9E3779B97F4A7C15) + ids[step : step + len(mixed)] + np.uint64(1)
    inside = np.concatenate([np.arange(start, start + n) for start, n in zip(starts, lengths, strict=True)])
    return mixed[inside] >> np.uint64(32), np.concatenate([[0], np.cumsum(lengths)])


def _repeating(hashes: np.ndarray, offsets: np.ndarray, often: float) -> np.ndarray:
    """The rows most of whose shingles occur ``often`` times: only they can be part of a flood."""
    _, number, counts = np.unique(hashes, return_inverse=True, return_counts=True)
    total = np.concatenate([[0], np.cumsum(counts[number] >= often)])
    size = np.diff(offsets)
    repeated = total[offsets[1:]] - total[offsets[:-1]]
    rows: np.ndarray = np.flatnonzero((size >= SHINGLE) & (repeated >= 0.5 * size))
    return rows


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
    if len(apart) < settings.unanswered_rows or contrary < SHARE * repeated:
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
