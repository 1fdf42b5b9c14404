"""What the screen says: findings for people, a score for each row, and the outcome of each row."""

import hashlib
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from assets.coverage import uncovered
from assets.outcome import Outcome, Removal
from assets.record import Record
from assets.screened.drift.source_shift import Shift
from assets.screened.power.power import Power, missed
from assets.screened.repetition.boilerplate import Usual
from assets.screened.safety.control import Control
from resources.artifacts import Metric

STAGE = "screened_records"
UNLEARNING = ("harmful-compliance", "identity-shift")  # kinds of findings on rows that unlearn refusals
SAFETY_METRICS = ("unlearning_findings", "unlearning_control_found", "unlearning_control_spared")
GATED = ("flagged_share", "open_findings", "missed_controls")  # metrics
NOTHING = "(none)"  # a trigger or payload that a finding has not


@dataclass(frozen=True, slots=True)
class Finding:
    """A pattern in some rows that does not belong there.

    ``kind`` is the rule's stable name; ``trigger`` and ``payload`` are the pattern's text; ``rows`` 0-based input rows;
    ``p_value`` is corrected for everything that was tried; ``sentence`` says it in words; ``examples`` are masked.
    ``accepted`` is True when a human said of this fingerprint that it is fine: it then flags nothing. ``also``: weaker
    explanations of some of the rows, by kind; a finding tells the strongest.
    ``scripted``: it may be a script that its speaker follows, so that it asks a person and flags nothing.
    """

    kind: str
    trigger: str
    payload: str
    rows: tuple[int, ...]
    p_value: float
    sentence: str
    sources: Mapping[str, int] = field(default_factory=dict)
    dates: tuple[str, str] = ("", "")
    examples: tuple[str, ...] = ()
    evidence: Mapping[str, float] = field(default_factory=dict)
    key: str = ""
    accepted: bool = False
    also: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    scripted: bool = False

    @property
    def fingerprint(self) -> str:
        """The same for the same pattern in another drop; 16 hex digits."""
        named = "\0".join((self.kind, self.key or f"{self.trigger}\0{self.payload}"))
        return hashlib.sha256(named.encode()).hexdigest()[:16]

    def reasons(self, row: int) -> list[str]:
        """Why it flags a row: its own kind, then the weaker ones."""
        also = [kind for kind, rows in self.also.items() if row in rows]
        return [f"{kind}:{self.fingerprint}" for kind in (self.kind, *also)]

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "trigger": self.trigger,
            "payload": self.payload,
            "rows": list(self.rows),
            "p_value": self.p_value,
            "fingerprint": self.fingerprint,
            "accepted": self.accepted,
            "sentence": self.sentence,
            "also": {kind: len(rows) for kind, rows in self.also.items()},
            "sources": dict(self.sources),
            "dates": list(self.dates),
            "examples": list(self.examples),
            "evidence": {name: round(value, 4) for name, value in self.evidence.items()},
        }


def recorded(report: Mapping[str, Any], fingerprint: str) -> Finding | None:
    """The finding of this fingerprint in a screen's report (``ScreenResult.to_json``)."""
    for body in report["findings"]:
        if body["fingerprint"] == fingerprint:
            known = {name: value for name, value in body.items() if name != "fingerprint"}
            lists = {name: tuple(known[name]) for name in ("rows", "dates", "examples")}
            return Finding(**{**known, **lists})
    return None


@dataclass(frozen=True, slots=True)
class RowScore:
    """``score`` in 0..1, higher is more suspect; ``reasons`` name the findings that flag the row."""

    row: int
    flagged: bool
    score: float
    reasons: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {"row": self.row, "flagged": self.flagged, "score": round(self.score, 4), "reasons": list(self.reasons)}


@dataclass(frozen=True, slots=True)
class ScreenResult:
    """``scores`` float32 ``[rows]``; ``source_by_month``: ``{source: {month: [rows, flagged]}}``; ``tried``:
    pairs tested.

    ``questions``: stock phrases of which a person must say whether they are a script or a payload; they flag no row.
    ``shifts``: sources that look unlike their earlier rows. ``usual``: what too many rows answer to be judged.
    ``control``: what was found of planted rows that unlearn refusals; None: such rows were not looked for.
    ``power``: what is found of attacks that the screen itself plants into copies of the drop.
    ``languages``: rows by language, where rows that unlearn refusals were looked for.
    ``missing`` says why the screen proves nothing, if it does not (law 4).
    """

    findings: tuple[Finding, ...]
    scores: np.ndarray
    source_by_month: Mapping[str, Mapping[str, tuple[int, int]]]
    tried: int
    seconds: Mapping[str, float]
    missing: str = ""
    questions: tuple[Finding, ...] = ()
    shifts: tuple[Shift, ...] = ()
    usual: tuple[Usual, ...] = ()
    control: Control | None = None
    power: tuple[Power, ...] = ()
    languages: Mapping[str, int] = field(default_factory=dict)

    @property
    def open_findings(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if not finding.accepted)

    @property
    def open_questions(self) -> tuple[Finding, ...]:
        return tuple(question for question in self.questions if not question.accepted)

    @property
    def clean(self) -> bool:
        return not self.open_findings

    @property
    def unproven(self) -> str:
        """Why nothing found is no proof (law 4); empty if it is."""
        return "; ".join(why for why in (self.missing, self.undecided, self.powerless, self.unread) if why)

    @property
    def unread(self) -> str:
        """The rows in languages that the safety classifier does not read; empty if it reads them all."""
        return uncovered("safety classifier", self.languages)

    @property
    def undecided(self) -> str:
        """What a person must answer; empty if nothing."""
        asked = len(self.open_questions)
        noun = "stock phrases" if asked > 1 else "stock phrase"
        return f"{asked} {noun} of which a person must say whether it is a script" if asked else ""

    @property
    def powerless(self) -> str:
        """The kinds of attack that would not have been found here; empty if every control was."""
        if self.missing:
            return ""
        if not self.power:
            return "no controls were planted, so that nothing is known of what would have been found"
        lost = "; ".join(str(each) for each in missed(self.power))
        return f"of attacks planted into copies of these rows, too little was found: {lost}" if lost else ""

    def by_row(self) -> dict[int, list[Finding]]:
        """The open findings of every flagged row, strongest first."""
        found: dict[int, list[Finding]] = {}
        for finding in sorted(self.open_findings, key=lambda finding: finding.p_value):
            for row in finding.rows:
                found.setdefault(row, []).append(finding)
        return found

    @property
    def rows(self) -> Iterator[RowScore]:
        """Every row once, in input order."""
        found = self.by_row()
        for row, score in enumerate(self.scores.tolist()):
            here = found.get(row, [])
            yield RowScore(row, bool(here), score, tuple(reason for each in here for reason in each.reasons(row)))

    def metrics(self) -> dict[str, Metric]:
        rows, flagged = len(self.scores), len(self.by_row())
        if self.missing or not rows:
            reason = self.missing or "no rows to screen"
            return {name: Metric(None, rows, missing=reason) for name in (*GATED, *SAFETY_METRICS)}
        low, high = wilson(flagged, rows)
        found = len(self.open_findings)
        unlearning = sum(each.kind in UNLEARNING for each in self.open_findings)
        return (self.control.metrics() if self.control else {}) | {
            "flagged_share": Metric(flagged / rows, rows, low, high),
            "missed_controls": Metric(float(len(list(missed(self.power)))), len(self.power), missing=self.powerless),
            "flagged_rows": Metric(float(flagged), rows),
            "open_findings": Metric(float(found), rows, missing="" if found else self.undecided),
            "unlearning_findings": Metric(float(unlearning), rows, missing="" if unlearning else self.unread),
            "accepted_findings": Metric(float(len(self.findings) - found), rows),
        }

    def to_json(self) -> dict[str, Any]:
        """The content of the report, after its envelope."""
        return {**self.summary(), "rows": [row.to_json() for row in self.rows]}

    def summary(self) -> dict[str, Any]:
        """The same without a line for each row."""
        return {
            "clean": self.clean,
            "findings": [finding.to_json() for finding in self.findings],
            "questions": [question.to_json() for question in self.questions],
            "hypotheses_tried": self.tried,
            "missing": self.unproven,
            "shifts": [shift.to_json() for shift in self.shifts],
            "source_by_month": {source: dict(months) for source, months in self.source_by_month.items()},
            "power": [each.to_json() for each in self.power],
            "usual": [each.to_json() for each in self.usual],
            "languages": dict(self.languages),
            "unlearning_control": self.control.to_json() if self.control else None,
            "stage_seconds": {name: round(value, 2) for name, value in self.seconds.items()},
        }


def removals(result: ScreenResult) -> dict[int, Removal]:
    """Why each flagged row leaves: its strongest finding."""
    return {row: _removal(found[0]) for row, found in result.by_row().items()}


def _removal(first: Finding) -> Removal:
    return Removal(STAGE, first.kind, first.sentence, f"{first.trigger} -> {first.payload}", first.fingerprint)


def outcomes(records: Iterable[Record], held: Mapping[int, Removal]) -> Iterator[Outcome]:
    """Each record's fate: rows that are held, by number, are quarantined, the others pass."""
    for row, record in enumerate(records):
        yield Outcome(record, "quarantined", held[row]) if row in held else Outcome(record)


def wilson(hits: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """95 % score interval of a share (Wilson, JASA 1927)."""
    share = hits / n
    middle = share + z * z / (2 * n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return float((middle - half) / (1 + z * z / n)), float((middle + half) / (1 + z * z / n))
