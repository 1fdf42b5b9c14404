"""The patterns that were found, as what the screen says of the drop."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from assets.record import Origin, Record
from assets.screened.drop import Drop
from assets.screened.pattern import Pattern
from assets.screened.report import sentences
from assets.screened.report.finding import Finding, ScreenResult

ASKED = 0.45  # score of a row of which a person is asked: above every other that is not flagged


def as_result(
    patterns: list[Pattern],
    drop: Drop,
    records: Iterable[Record],
    decided: tuple[frozenset[str], frozenset[str]],
    seconds: dict[str, float],
) -> ScreenResult:
    """Findings, strongest first, and the score of each row; ``records``: all of them, read anew. ``decided``:
    fingerprints that a person accepted, and those that a person rejected."""
    rows, (accepted, rejected) = drop.index.rows, decided
    suspect = {int(row) for pattern in patterns for row in pattern.rows}
    flagged = {int(row) for pattern in patterns if not pattern.scripted for row in pattern.rows}
    origins: dict[int, Origin] = {}
    by_month: dict[str, dict[str, tuple[int, int]]] = {}
    for number, record in enumerate(records):
        months = by_month.setdefault(record.origin.source, {})
        month = record.origin.created_at[:7]
        seen, bad = months.get(month, (0, 0))
        months[month] = (seen + 1, bad + (number in flagged))
        if number in suspect:
            origins[number] = record.origin
    findings: list[Finding] = []
    scores = np.zeros(rows, dtype=np.float32)
    # Below every flagged row, and only to rank the others: how little an answer has to do with its prompt.
    measured = drop.measured
    scores[drop.passages.row[measured.exchange]] = np.clip(0.25 - measured.relation / 2, 0, 0.4)
    for pattern in patterns:
        p_value = float(np.exp(max(pattern.log_p, -700.0)))
        made = sentences.finding(pattern, origins, rows, False, p_value)
        made = replace(
            made,
            accepted=made.fingerprint in accepted,
            scripted=bool(pattern.scripted) and made.fingerprint not in rejected,
        )
        findings.append(made)
        if not made.accepted:
            score = ASKED if made.scripted else 1 - 0.4 * min(p_value, 1.0)
            scores[pattern.rows] = np.maximum(scores[pattern.rows], score)
    ordered = sorted(findings, key=lambda each: (each.p_value, -len(each.rows)))
    questions = tuple(each for each in ordered if each.scripted)
    certain = tuple(each for each in ordered if not each.scripted)
    return ScreenResult(certain, scores, by_month, drop.tried, seconds, questions=questions)
