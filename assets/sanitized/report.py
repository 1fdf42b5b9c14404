"""The report of ``hallmark sanitize``: what left which row, never what it was.

Entries are spooled to a temporary file while rows stream by, and from there into the report: memory does not grow with
the number of rows.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from assets.outcome import Outcome
from assets.sanitized.sanitize import Sanitized
from resources.spool import Spool

if TYPE_CHECKING:
    from expectations.policy import GateResult


@dataclass(slots=True)
class SanitizeReport:
    """Collects row by row; offsets are characters of the original field text, rows 0-based input rows.

    Unless ``detailed`` redactions are only counted.
    """

    detailed: bool = True
    read: int = 0
    redactions: Spool = field(default_factory=Spool)
    quarantined: Spool = field(default_factory=Spool)
    rejected: Spool = field(default_factory=Spool)

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

    def reject(self, row: int, outcome: Outcome) -> None:
        """A row that could not be read at all."""
        origin, removal = outcome.record.origin, outcome.removal
        assert removal is not None
        self.rejected.append(
            {
                "row": row,
                "object": origin.object_key,
                "line": origin.line,
                "reason": removal.reason,
                "rule": removal.rule,
            }
        )

    @property
    def rows(self) -> int:
        return self.read + self.rejected.count

    def line(self, verdict: str, summary: dict[str, Any]) -> str:
        """One line for a person."""
        return (
            f"{verdict}: {self.rows} rows, {summary['rows_redacted']} redacted "
            f"({sum(summary['types'].values())} values), "
            f"{self.quarantined.count} quarantined, {self.rejected.count} rejected"
        )

    @staticmethod
    def content(summary: dict[str, Any], gates: Sequence["GateResult"]) -> dict[str, Any]:
        """What of the report is small: counts, summary, gates."""
        return {"counts": summary["types"], "summary": summary, "gates": [gate.model_dump() for gate in gates]}

    def pieces(self, head: dict[str, Any]) -> Iterator[str]:
        """The whole report as JSON text, piece by piece: ``head``, then the lists, an entry a line."""
        yield json.dumps(head, indent=1, ensure_ascii=False).removesuffix("\n}")
        for name, spool in (
            ("quarantined", self.quarantined),
            ("rejected", self.rejected),
            ("redactions", self.redactions),
        ):
            yield f',\n "{name}": ['
            for at, line in enumerate(spool.lines()):
                yield f"{',' if at else ''}\n  {line}"
            yield "\n ]" if spool.count else "]"
        yield "\n}\n"
