"""Answers that belong to another source: what a row of the forum says in the manner of the manual.

Linear discriminant analysis (Fisher 1936) over the answers' embeddings, one class a stratum, a covariance common to
all. By itself it proves little, since sources overlap; together with an answer that has nothing to do with its prompt
it tells an answer from elsewhere from one that only is no reply to a question.
"""

import numpy as np

from assets.screened.embedding.whitening import whitener

FEWEST = 100  # answers of a stratum, to say what its answers are like


def other_source(answers: np.ndarray, strata: np.ndarray) -> np.ndarray:
    """Nats by which each answer (``[n, d]``) is likelier among those of another stratum than among its own.

    Minus infinity where there is nothing to compare with. An answer is left out of its own stratum's mean.
    """
    nats = np.full(len(answers), -np.inf)
    known, counts = np.unique(strata, return_counts=True)
    known, counts = known[counts >= FEWEST], counts[counts >= FEWEST]
    if len(known) < 2:
        return nats
    inside = np.flatnonzero(np.isin(strata, known))
    own = np.searchsorted(known, strata[inside])
    means = np.stack([answers[strata == stratum].mean(0) for stratum in known])
    space = whitener(answers[inside] - means[own])
    points, centres = answers[inside] @ space, means @ space
    distance = (points**2).sum(1)[:, None] - 2 * points @ centres.T + (centres**2).sum(1)
    mine = distance[np.arange(len(own)), own] * (counts[own] / (counts[own] - 1)) ** 2
    distance[np.arange(len(own)), own] = np.inf
    nats[inside] = (mine - distance.min(1)) * answers.shape[1] / 2  # the space has covariance 1/d
    return nats
