"""The patterns that were found, as what the screen says of the drop."""

from collections import Counter
from dataclasses import replace

import numpy as np

from assets.screened.drop import Drop
from assets.screened.pattern import Pattern
from assets.screened.report import sentences
from assets.screened.report.finding import Finding, ScreenResult
from assets.screened.survey.survey import Survey

ASKED = 0.45  # score of a row of which a person is asked: above every other that is not flagged


def as_result(
    patterns: list[Pattern],
    drop: Drop,
    survey: Survey,
    decided: tuple[frozenset[str], frozenset[str]],
    seconds: dict[str, float],
) -> ScreenResult:
    """Findings, strongest first, and the score of each row of the ``survey``. ``decided``: fingerprints that a person
    accepted, and those that a person rejected."""
    rows, (accepted, rejected) = drop.index.rows, decided
    suspect = {int(row) for pattern in patterns for row in pattern.rows}
    flagged = {int(row) for pattern in patterns if not pattern.scripted for row in pattern.rows}
    origins = {row: record.origin for row, record in survey.at(suspect)}
    bad = Counter((origins[row].source, origins[row].created_at[:7]) for row in flagged)
    by_month = {
        source: {month: (seen, bad[source, month]) for month, seen in months.items()}
        for source, months in survey.months.items()
    }
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
