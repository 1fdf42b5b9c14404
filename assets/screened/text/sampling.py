"""Which rows are compared by meaning, where there are too many for all of them."""

from collections.abc import Collection, Iterable, Iterator

import numpy as np

from assets.record import Record
from assets.screened.settings import ScreenSettings


def chosen(
    records: Iterable[Record], rows: int, suspects: Collection[int], settings: ScreenSettings
) -> Iterator[tuple[int, Record]]:
    """The rows to be compared by meaning, numbered: all, or the suspects and a random sample."""
    if rows <= settings.embed_rows:
        yield from enumerate(records)
        return
    sample = np.random.default_rng(settings.seed).choice(rows, settings.sample_rows, replace=False)
    wanted = set(sample.tolist()) | set(suspects)
    for number, record in enumerate(records):
        if number in wanted:
            yield number, record
