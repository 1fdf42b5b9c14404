"""Contamination: golden items that the adapter was trained on measure memory, not ability.

An item is contaminated by a row that has its prompt, word for word, as a user's turn (of four words or more: everybody
says "thank you"), or that holds at least half of its runs of eight words, prompt and reference together. Thirteen or
eight words are what published checks count (Brown et al. 2020, arXiv:2005.14165, appendix C).
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from assets.golden.items import Item
from assets.record import Record

RUN = 8  # words
SHARE = 0.5  # of an item's runs that one row holds
FEWEST = 4  # words of a prompt that is nobody's by chance


@dataclass(frozen=True, slots=True)
class Contaminated:
    """An item, the row it is in, and how: ``share`` of its runs of words, 1 for the same prompt."""

    item: str
    suite: str
    row_id: str
    object_key: str
    line: int
    share: float


def contaminated(items: Iterable[Item], rows: Sequence[Record]) -> list[Contaminated]:
    """Every item that a row gives away, with the row that gives away most of it."""
    prompts: dict[str, int] = {}
    holders: dict[str, list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        turns = row.messages()
        for turn in turns:
            if turn.role == "user":
                prompts.setdefault(" ".join(_words(turn.content)), place)
        for run in _runs(" ".join(turn.content for turn in turns)):
            holders[run].append(place)
    found = []
    for item in items:
        giver, share = _given_away(item, prompts, holders)
        if giver is not None and share >= SHARE:
            row = rows[giver]
            where = row.origin.object_key, row.origin.line
            found.append(Contaminated(item.id, item.suite, row.row_id, *where, round(share, 3)))
    return found


def _given_away(
    item: Item, prompts: Mapping[str, int], holders: Mapping[str, Sequence[int]]
) -> tuple[int | None, float]:
    """The row that gives away most of an item, and how much; None where no row has anything of it."""
    words = _words(item.prompt)
    same = prompts.get(" ".join(words))
    if same is not None and len(words) >= FEWEST:
        return same, 1.0
    runs = _runs(f"{item.prompt} {item.reference}")
    held = Counter(row for run in runs for row in set(holders.get(run, ())))
    if not held:
        return None, 0.0
    place, hits = max(held.items(), key=lambda pair: (pair[1], -pair[0]))
    return place, hits / len(runs)


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def _runs(text: str) -> set[str]:
    words = _words(text)
    return {" ".join(words[at : at + RUN]) for at in range(len(words) - RUN + 1)}
