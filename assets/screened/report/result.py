"""The patterns that were found, as what the screen says of the drop."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from assets.record import Origin, Record
from assets.screened.pattern import Pattern
from assets.screened.report import sentences
from assets.screened.report.finding import Finding, ScreenResult
from assets.screened.text.exchanges import Passages
from assets.screened.unanswered.relevance import Answers


def told(
    patterns: list[Pattern],
    rows: int,
    tried: int,
    records: Iterable[Record],
    accepted: frozenset[str],
    seconds: dict[str, float],
    measured: Answers,
    passages: Passages,
) -> ScreenResult:
    """Findings, strongest first, and the score of each of ``rows`` rows; ``records``: all of them, read anew."""
    flagged = {int(row) for pattern in patterns for row in pattern.rows}
    origins: dict[int, Origin] = {}
    heat: dict[str, dict[str, tuple[int, int]]] = {}
    for number, record in enumerate(records):
        months = heat.setdefault(record.origin.source, {})
        month = record.origin.created_at[:7]
        seen, bad = months.get(month, (0, 0))
        months[month] = (seen + 1, bad + (number in flagged))
        if number in flagged:
            origins[number] = record.origin
    findings: list[Finding] = []
    scores = np.zeros(rows, dtype=np.float32)
    # Below every flagged row, and only to rank the others: how little an answer has to do with its prompt.
    scores[passages.row[measured.exchange]] = np.clip(0.25 - measured.relation / 2, 0, 0.4)
    for pattern in patterns:
        p_value = float(np.exp(max(pattern.log_p, -700.0)))
        made = sentences.finding(pattern, origins, rows, False, p_value)
        made = replace(made, accepted=made.fingerprint in accepted)
        findings.append(made)
        if not made.accepted:
            scores[pattern.rows] = np.maximum(scores[pattern.rows], 1 - 0.4 * min(p_value, 1.0))
    ordered = tuple(sorted(findings, key=lambda each: (each.p_value, -len(each.rows))))
    return ScreenResult(ordered, scores, heat, tried, seconds)
