"""Removed values as targets of extraction: what stood in an answer, with the turns and text that led to it.

Only answers count: the loss is on answers alone, so a value in a prompt is never learnt.
"""

from collections.abc import Iterable, Iterator, Mapping

from assets.memorization.verbatim import SensitiveValue
from assets.record import Record
from resources.vault import Entry


def sensitive_values(entries: Iterable[Entry], originals: Mapping[str, Record]) -> Iterator[SensitiveValue]:
    """The entries that stood in answers. ``originals`` are rows as they were before sanitising, by ``row_id``."""
    for entry in entries:
        record = originals.get(entry.row_id)
        if record is None:
            continue
        turns = record.messages()
        place = _answer(entry.field, record)
        if place is not None:
            lead = turns[place].content[: entry.start]
            yield SensitiveValue(entry.type, entry.row_id, tuple(turns[:place]), lead, entry.value)


def _answer(field: str, record: Record) -> int | None:
    """The index of the assistant's turn in which a field's text is said, or None."""
    for place, turn in enumerate(record.conversation().turns):
        if turn.role == "assistant" and any(part.path == field for part in turn.parts):
            return place
    return None
