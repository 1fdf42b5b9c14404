"""Which rows are compared by meaning, where there are too many for all of them."""

from collections.abc import Collection

import numpy as np

from assets.screened.settings import ScreenSettings


def chosen(rows: int, suspects: Collection[int], settings: ScreenSettings) -> Collection[int]:
    """The numbers of the rows to be compared by meaning: all, or the suspects and a random sample."""
    if rows <= settings.embed_rows:
        return range(rows)
    sample = np.random.default_rng(settings.seed).choice(rows, settings.sample_rows, replace=False)
    return set(sample.tolist()) | set(suspects)
