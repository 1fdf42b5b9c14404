"""A drop too small to show what is usual, such as one row that a reviewer corrected, is screened with other drops.

Statistics say nothing about a handful of rows alone. Among the rows admitted before they do: a row that carries a
pattern which many others share, or which earlier small drops have brought in one by one, stands out there. Findings
are kept for what they say about the drop's own rows; those of the other drops were decided when it was admitted.
"""

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np

from assets.record import Record
from assets.screened.report.finding import Finding, ScreenResult

Records = Callable[[], Iterable[Record]]
MOST_POOLED = 5_000  # rows: enough to know what is usual, few enough to do it for one row


def pooled(rows: int, own: Records, others: Records, screening: Callable[[Records], ScreenResult]) -> ScreenResult:
    """What ``screening`` says of the first ``rows`` rows, the drop's ``own``, when it reads them and the others."""
    chosen = _sample(list(others()))
    result = screening(lambda: itertools.chain(own(), chosen))
    findings, questions = (_own(each, rows) for each in (result.findings, result.questions))
    return replace(result, findings=findings, questions=questions, scores=result.scores[:rows])


def _own(findings: Iterable[Finding], rows: int) -> tuple[Finding, ...]:
    """The findings that say something of the first ``rows`` rows, and what they say of those."""
    kept = []
    for finding in findings:
        if here := tuple(row for row in finding.rows if row < rows):
            also = {kind: tuple(row for row in of if row < rows) for kind, of in finding.also.items()}
            kept.append(replace(finding, rows=here, also={kind: of for kind, of in also.items() if of}))
    return tuple(kept)


def _sample(rows: Sequence[Record]) -> Sequence[Record]:
    """The same rows whenever the others are the same, in their order."""
    if len(rows) <= MOST_POOLED:
        return rows
    chosen = np.random.default_rng(0).choice(len(rows), MOST_POOLED, replace=False)
    return [rows[place] for place in sorted(chosen.tolist())]
