"""Looking more than once: how many items each look has, and what every look may spend of the error.

A suite begins with a third of its items. Where the interval then lies across the limit more are asked, up to all there
are. Each look is a chance to err, so the error of 5 % is spent over them: alpha(t) = 2 - 2 Phi(z / sqrt(t)) when the
share t of the items has been asked, the spending function like O'Brien and Fleming's of Lan and DeMets 1983 (Biometrika
70, 659-663): little early, most at the end. The interval of look k misses the truth with a chance of at most
alpha(t_k) - alpha(t_k-1), so that all of them hold together with 95 % by Bonferroni's inequality, whatever the joint
distribution; knowing it (repeated confidence intervals, Jennison and Turnbull 1989, JRSS B 51, 305-361) would make them
a little shorter. A verdict at any look is therefore as honest as one look at all items.

>>> look_sizes(104, 32), look_sizes(30, 32)
([35, 70, 104], [30])
>>> [round(error, 4) for error in errors(look_sizes(104, 32))]
[0.0007, 0.0162, 0.0331]
"""

import math
from collections.abc import Sequence

from scipy.stats import norm

ALPHA = 0.05
LOOKS = 3


def look_sizes(n: int, first: int, looks: int = LOOKS) -> list[int]:
    """Items asked by each look, the last all ``n``; the first asks at least ``first``, or all where there are fewer."""
    sizes = [max(first, math.ceil(n * look / looks)) for look in range(1, looks + 1)]
    return [size for place, size in enumerate(sizes) if size < n and size not in sizes[:place]] + [n]


def errors(sizes: Sequence[int], alpha: float = ALPHA) -> list[float]:
    """The two-sided error of each look's interval; together ``alpha``."""
    spent = [spending(size / sizes[-1], alpha) for size in sizes]
    return [after - before for before, after in zip([0.0, *spent], spent, strict=False)]


def spending(share: float, alpha: float) -> float:
    """How much of ``alpha`` may be spent when this share of the items has been asked."""
    return float(2 * norm.sf(norm.isf(alpha / 2) / math.sqrt(share)))
