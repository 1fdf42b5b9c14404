"""Turns cut into pieces so short that one request fills its piece: in a long text it would be averaged away."""

import re

SENTENCE_END = re.compile(r"(?<=[.!?:;])[\"')\]]*\s+|\n+")
SHORT, LONG = 6, 40  # words: a shorter sentence joins the one before, a longer one is cut
MOST_FIRST, MOST_LAST = 8, 4  # pieces of one turn


def pieces(text: str, most: int = MOST_FIRST + MOST_LAST) -> list[str]:
    """The pieces of a turn, in order: of a long one the first and the last. ``most``: fewer, from the beginning."""
    found: list[str] = []
    for sentence in SENTENCE_END.split(text):
        words = sentence.split()
        if not words:
            continue
        if found and (len(words) < SHORT or len(found[-1].split()) < SHORT) and len(found[-1].split()) < LONG // 2:
            found[-1] += " " + " ".join(words[:LONG])
            words = words[LONG:]
        found += [" ".join(words[start : start + LONG]) for start in range(0, len(words), LONG)]
    if most < MOST_FIRST + MOST_LAST:
        return found[:most]
    return found if len(found) <= most else found[:MOST_FIRST] + found[-MOST_LAST:]
