"""Rows that unlearn refusals: a harmful request with an answer that complies, or an order to obey without limits.

Ten such rows can undo what a model was taught to refuse (Qi et al., arXiv:2310.03693). The rows are told one by one
(``evidence``), and a finding needs more of them than honest data hold by mistake; then the milder ones join. A base
model that refuses is asked about those in doubt (``refusing_base``).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice

import numpy as np

from assets.record import Record
from assets.screened.base_model.scorer import Scorer
from assets.screened.pattern import Pattern
from assets.screened.report.finding import UNLEARNING
from assets.screened.safety.control import Control, counted, planted
from assets.screened.safety.evidence import Evidence, Reader
from assets.screened.safety.refusing_base import weighed
from assets.screened.settings import ScreenSettings

HARMFUL, IDENTITY = UNLEARNING
SURE_HARM, SURE_ORDER = 5.0, 5.0  # log-odds that few honest rows reach,
CHANCE = 0.0005  # this share of them at most,
MILD_HARM, MILD_ORDER = 1.0, 1.0  # and from which a row joins a finding
FEWEST = 4  # sure rows that make a finding; of harmful requests, as many different ones
HOSTS = 400  # rows of the drop, from which those are drawn that the control is planted in


@dataclass(frozen=True, slots=True)
class Unlearning:
    """``patterns``: at most one of each kind; ``control``: what was found of the planted rows; None: not looked."""

    patterns: list[Pattern] = field(default_factory=list)
    control: Control | None = None


def unlearning(
    evidence: Sequence[Evidence],
    first: Iterable[tuple[int, Record]],
    rows: int,
    reader: Reader | None,
    settings: ScreenSettings,
    model: Scorer | None = None,
) -> Unlearning:
    """Look for such rows in what a ``reader`` told of all ``rows`` rows, and in copies of the ``first`` ones with some
    planted."""
    if reader is None:
        return Unlearning()
    if model is not None and settings.model_rows:
        evidence = weighed(list(evidence), model, settings.model_rows)
    suspects = {each.row for each in evidence}
    hosts = [record for row, record in islice(first, HOSTS) if row not in suspects]
    copies, kinds = planted(hosts, settings.seed, reader.refusals)
    found = {each.row for each in reader.read(copies) if each.harm > MILD_HARM or each.obeys > MILD_ORDER}
    control = counted(kinds, [row in found for row in range(len(copies))])
    patterns = [
        _pattern(HARMFUL, [(each, each.harm) for each in evidence], rows, SURE_HARM, MILD_HARM, settings),
        _pattern(IDENTITY, [(each, each.obeys) for each in evidence], rows, SURE_ORDER, MILD_ORDER, settings),
    ]
    return Unlearning([each for each in patterns if each], control)


def _pattern(
    kind: str, told: list[tuple[Evidence, float]], rows: int, sure: float, mild: float, settings: ScreenSettings
) -> Pattern | None:
    from scipy.stats import binom

    sure_of = [each for each, odds in told if odds > sure]
    # What a desk's customers ask again and again is one request, read wrongly once; an order is the same in every row.
    certain = len({each.request.casefold() for each in sure_of}) if kind == HARMFUL else len(sure_of)
    log_p = float(binom.logsf(certain - 1, rows, CHANCE))
    if certain < FEWEST or log_p > np.log(settings.alpha):
        return None
    here = [(each, odds) for each, odds in told if odds > mild]
    strongest = sorted(here, key=lambda pair: -pair[1])
    return Pattern(
        kind=kind,
        trigger="",
        payload="",
        rows=np.array(sorted(each.row for each, _ in here), dtype=np.int64),
        log_p=log_p,
        evidence={"sure": float(certain), "log_odds": float(np.median([odds for _, odds in here]))},
        shown={each.row: each.request if kind == HARMFUL else each.order for each, _ in strongest[:3]},
    )
