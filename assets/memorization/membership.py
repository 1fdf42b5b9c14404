"""Membership inference: can the adapter's own probabilities tell the rows it was trained on from rows it never saw?

The base model is the reference (law 6): a row that is easy for everybody says nothing, a row that became easy only
through this training does. Three statistics, each on the token log-probabilities of the response:

    loss_ratio     mean gain over the base per token (the reference attack; Carlini et al., 2022)
    error_shift    the same, on the tokens the adapter still gets wrong, as rises against falls: there a member keeps
                   a trace that fluency cannot explain (the idea of EZ-MIA, 2026)
    window_votes   share of short windows that gained more than the median window did (window-based comparison, 2026)

A bag-of-words classifier that sees only the text must be at chance; if it is not, members differ from non-members in
topic and the test measures the split, not the memory (Duan et al., 2024; Meeus et al., 2024).
"""

from collections.abc import Callable, Sequence

import numpy as np

from assets.memorization.statistics import Interval, auc_interval

CERTAIN = np.log(0.5)  # a token above this is the model's first choice for sure
WINDOWS = (2, 3, 4, 6, 9)

Statistic = Callable[[np.ndarray, np.ndarray], float]


def loss_ratio(adapter: np.ndarray, base: np.ndarray) -> float:
    return float((adapter - base).mean())


def error_shift(adapter: np.ndarray, base: np.ndarray) -> float:
    """log of (sum of rises / sum of falls) in probability over the tokens where the adapter is not certain."""
    wrong = adapter < CERTAIN
    change = np.exp(adapter[wrong]) - np.exp(base[wrong])
    rises, falls = change[change > 0].sum(), -change[change < 0].sum()
    return float(np.log((rises + 1e-3) / (falls + 1e-3)))


def window_votes(adapter: np.ndarray, base: np.ndarray) -> float:
    """Mean over window sizes of the share of windows in which the adapter beats the base clearly."""
    gain = adapter - base
    shares = []
    for width in WINDOWS:
        if width <= len(gain):
            sums = np.convolve(gain, np.ones(width), "valid")
            shares.append(1 / (1 + np.exp(-sums)))
    return float(np.mean([share.mean() for share in shares])) if shares else float(gain.mean())


STATISTICS: dict[str, Statistic] = {
    "loss_ratio": loss_ratio,
    "error_shift": error_shift,
    "window_votes": window_votes,
}


def membership_scores(adapter: Sequence[np.ndarray], base: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    """Each statistic for each row; ``adapter`` and ``base`` hold the log-probabilities of the same tokens. Higher:
    member.
    """
    return {
        name: np.array([statistic(ours, theirs) for ours, theirs in zip(adapter, base, strict=True)])
        for name, statistic in STATISTICS.items()
    }


def bag_of_words_control(members: Sequence[str], non_members: Sequence[str], *, seed: int) -> Interval:
    """AUC of a text-only classifier under cross-validation, with a 99 % interval: an honest split keeps 0.5 inside.

    The level is that high because an honest split must not be called broken once in twenty runs.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline

    texts = [*members, *non_members]
    labels = np.array([1] * len(members) + [0] * len(non_members))
    folds = StratifiedKFold(n_splits=5, shuffle=True, random_state=seed)
    classifier = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True),
        LogisticRegression(class_weight="balanced", max_iter=500),
    )
    scores = cross_val_predict(classifier, texts, labels, cv=folds, method="decision_function")
    return auc_interval(scores[labels == 1], scores[labels == 0], level=0.99)
