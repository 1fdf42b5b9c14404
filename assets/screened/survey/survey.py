"""What the rules need of every row of a drop, in one reading of it.

Nothing here judges: rows are turned into tokens, counted and read by the safety classifier. So a survey of parts of a
drop, taken anywhere and in any order, is merged into the survey of the whole (``stored``), word for word and row for
row. Only the judge, which has the whole before it, says what is usual and what stands out: an attack of a few rows in
each of many parts is seen in none of them.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from assets.coverage import rows_by_language
from assets.record import Record
from assets.screened.drift.source_shift import Sources
from assets.screened.safety.evidence import Evidence, Reader
from assets.screened.text.sides import sides
from assets.screened.text.token_index import Counting, TokenIndex

CHUNK = 2_000  # rows read at a time

Records = Callable[[], Iterable[Record]]
RowsAt = Callable[[Collection[int]], Iterator[tuple[int, Record]]]  # exact rows with their numbers, in order


@dataclass(frozen=True, slots=True)
class Survey:
    """``functions``: names that are called. ``months``: rows by source and month. ``sources``: some answers of each.

    ``evidence``: what speaks for it that a row unlearns refusals; ``languages``: rows by language; both empty where
    nobody reads for them. ``at``: exact rows, by number.
    """

    index: TokenIndex
    functions: frozenset[str]
    months: Mapping[str, Mapping[str, int]]
    sources: Sources
    evidence: tuple[Evidence, ...]
    languages: Mapping[str, int]
    at: RowsAt

    @classmethod
    def of(cls, read: Records, reader: Reader | None, seed: int) -> "Survey":
        """Of rows that ``read`` gives anew each time: read once here, and again where exact rows are asked for."""
        counting, functions, sources = Counting(), set[str](), Sources(seed)
        months, languages, evidence = dict[str, Counter[str]](), Counter[str](), list[Evidence]()
        records = iter(read())
        while chunk := list(islice(records, CHUNK)):
            if reader is not None:
                evidence += (each.moved(counting.rows) for each in reader.read(chunk))
                languages.update(rows_by_language(chunk))
            for pair in sides(chunk, functions):
                counting.add(*pair)
            for record in chunk:
                months.setdefault(record.origin.source, Counter())[record.origin.created_at[:7]] += 1
                sources.add(record)
        return cls(
            counting.index(), frozenset(functions), months, sources, tuple(evidence), in_order(languages), picking(read)
        )


def in_order(languages: Mapping[str, int]) -> dict[str, int]:
    """Rows by language, in an order that does not depend on which was met first."""
    return dict(sorted(languages.items()))


def picking(read: Records) -> RowsAt:
    """Exact rows of what can only be read from its beginning."""

    def at(wanted: Collection[int]) -> Iterator[tuple[int, Record]]:
        numbered = islice(enumerate(read()), max(wanted, default=-1) + 1)
        return ((number, record) for number, record in numbered if number in wanted)

    return at
