"""The report of ``hallmark sanitize``: what left which row, never what it was."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from assets.outcome import Removal
from assets.sanitized.sanitize import Sanitized

if TYPE_CHECKING:
    from expectations.policy import GateResult


@dataclass(slots=True)
class SanitizeReport:
    """Collects row by row; offsets are characters of the original field text, rows 0-based input rows.

    Unless ``detailed`` only counts are kept, so that memory does not grow with the input.
    """

    detailed: bool = True
    read: int = 0
    redactions: list[dict[str, Any]] = field(default_factory=list)
    quarantined: list[dict[str, Any]] = field(default_factory=list)
    rejected: list[dict[str, Any]] = field(default_factory=list)

    def add(self, row: int, sanitized: Sanitized) -> None:
        self.read += 1
        for redaction in sanitized.redactions if self.detailed else ():
            self.redactions.append(
                {
                    "row": row,
                    "field": redaction.field,
                    "start": redaction.start,
                    "end": redaction.end,
                    "type": redaction.type,
                    "rule": redaction.rule,
                    "fingerprint": redaction.fingerprint,
                }
            )
        if removal := sanitized.outcome.removal:
            self.quarantined.append(
                {
                    "row": row,
                    "reason": removal.reason,
                    "rule": removal.rule,
                    "evidence": removal.evidence,
                    "fingerprint": removal.fingerprint,
                }
            )

    def reject(self, row: int, removal: Removal) -> None:
        """A row that could not be read at all."""
        self.rejected.append({"row": row, "reason": removal.reason, "rule": removal.rule})

    @property
    def rows(self) -> int:
        return self.read + len(self.rejected)

    def line(self, verdict: str, summary: dict[str, Any]) -> str:
        """One line for a person."""
        return (
            f"{verdict}: {self.rows} rows, {summary['rows_redacted']} redacted "
            f"({sum(summary['types'].values())} values), "
            f"{len(self.quarantined)} quarantined, {len(self.rejected)} rejected"
        )

    def content(self, summary: dict[str, Any], gates: Sequence["GateResult"]) -> dict[str, Any]:
        return {
            "counts": summary["types"],
            "quarantined": self.quarantined,
            "rejected": self.rejected,
            "redactions": self.redactions,
            "summary": summary,
            "gates": [gate.model_dump() for gate in gates],
        }
