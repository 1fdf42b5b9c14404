"""What the stage's artefact says of a screen: its files, metrics and details."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from assets.review import Decisions
from assets.screened.report.finding import UNLEARNING, ScreenResult
from assets.screened.report.sentences import unjudged
from resources.artifacts import Draft, Metric

FINDINGS, SCORES = "findings.json", "scores.npy"
REPORT = (FINDINGS, SCORES)


def write_findings(draft: Draft, result: ScreenResult) -> None:
    """The findings, and a score for each row: float32 ``[rows]``."""
    report = result.summary()
    del report["stage_seconds"]  # the same rows give the same artefact, however long it took
    draft.write_json(FINDINGS, report)
    np.save(draft.path(SCORES), result.scores)


def details(result: ScreenResult, background: Iterable[str], decisions: Decisions) -> dict[str, Any]:
    return {
        "background": sorted(background),
        "open": _waiting(result, decisions),
        "findings": [finding.sentence for finding in result.open_findings],
        "source_by_month": {
            source: {month: list(counts) for month, counts in months.items()}
            for source, months in result.source_by_month.items()
        },
        "shifts": [shift.to_json() for shift in result.shifts],
        "power": [{"found": each.shown, "sentence": str(each)} for each in result.power],
        "usual": [unjudged(each) for each in result.usual],
    }


def metrics(result: ScreenResult, decisions: Decisions) -> dict[str, Metric]:
    """The screen's metrics; a finding that a person called poison is dealt with and no longer open."""
    measured = result.metrics()
    if (found := measured["open_findings"]).value is not None:
        waiting = [each.kind for each in result.open_findings if each.fingerprint not in decisions.rejected]
        measured["open_findings"] = Metric(float(len(waiting)), found.n, missing="" if waiting else result.undecided)
        unlearning = sum(kind in UNLEARNING for kind in waiting)
        measured["unlearning_findings"] = Metric(
            float(unlearning), found.n, missing="" if unlearning else result.unread
        )
    return measured


def _waiting(result: ScreenResult, decisions: Decisions) -> list[dict[str, Any]]:
    """The findings and questions on which nobody has decided yet."""
    return [
        {"fingerprint": each.fingerprint, "kind": each.kind, "sentence": each.sentence, "rows": len(each.rows)}
        for each in (*result.open_findings, *result.open_questions)
        if each.fingerprint not in decisions.rejected
    ]
