"""Removed values as targets of extraction: what stood in an answer, with the turns and text that led to it.

Only answers count: the loss is on answers alone, so a value in a prompt is never learnt.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

from assets.memorization.verbatim import SensitiveValue
from assets.record import RESPONSE_FIELDS, Message, Record
from resources.vault import Entry

_TURN = re.compile(r"messages\[(\d+)\]\.content")


def sensitive_values(entries: Iterable[Entry], originals: Mapping[str, Record]) -> Iterator[SensitiveValue]:
    """The entries that stood in answers. ``originals`` are rows as they were before sanitising, by ``row_id``."""
    for entry in entries:
        record = originals.get(entry.row_id)
        if record is None:
            continue
        turns = record.messages()
        place = _answer(entry.field, turns)
        if place is not None:
            lead = turns[place].content[: entry.start]
            yield SensitiveValue(entry.type, entry.row_id, tuple(turns[:place]), lead, entry.value)


def _answer(field: str, turns: list[Message]) -> int | None:
    """The index of the assistant's turn that a field is, or None."""
    if found := _TURN.fullmatch(field):
        place = int(found[1])
        return place if place < len(turns) and turns[place].role == "assistant" else None
    return len(turns) - 1 if turns and field in ("output", *RESPONSE_FIELDS) else None
