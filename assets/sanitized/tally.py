"""What a sanitising run counts, and the sample it is measured on; tallies of shards add up to the drop's."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from assets.sanitized.detector import Detector
from assets.sanitized.language import LANGUAGES
from assets.sanitized.redaction.draft import Redaction
from assets.sanitized.residual import Residual
from resources.artifacts import Metric

_COUNTERS = ("types", "rules", "languages")
_NUMBERS = ("rows_in", "passed", "quarantined", "touched")


@dataclass(slots=True)
class Tally:
    residual: Residual
    types: Counter[str] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    rows_in: int = 0
    passed: int = 0
    quarantined: int = 0
    touched: int = 0

    def count(self, redactions: Sequence[Redaction], languages: Iterable[str], *, grave: bool) -> None:
        """A finished row, with the languages of its texts."""
        self.languages.update(languages)
        self.types.update(redaction.type for redaction in redactions)
        self.rules.update(redaction.rule for redaction in redactions)
        self.touched += bool(redactions)
        self.quarantined += grave
        self.passed += not grave

    def metrics(self, detector: Detector) -> dict[str, Metric]:
        """Conservation, shares, and the residual leak: planted canaries and an independent detector on a sample."""
        rows = self.rows_in
        return {
            **self.residual.metrics(detector),
            "unaccounted_rows": Metric(rows - self.passed - self.quarantined, n=rows),
            "quarantined_share": Metric(self.quarantined / rows, n=rows) if rows else Metric(None, missing="no rows"),
            "redacted_share": Metric(self.touched / rows, n=rows) if rows else Metric(None, missing="no rows"),
            "unread_language_rows": self.unread(),
        }

    def unread(self) -> Metric:
        """Rows in a language without rules of its own, which are read like English."""
        from assets.coverage import uncovered

        unread = sum(n for language, n in self.languages.items() if language not in ("en", *LANGUAGES))
        return Metric(unread, n=self.rows_in, missing=uncovered("sanitiser", self.languages))

    def summary(self) -> dict[str, object]:
        """Counts for a report: no values, no rows."""
        return {
            "rows": self.rows_in,
            "rows_redacted": self.touched,
            "quarantined": self.quarantined,
            "types": dict(self.types.most_common()),
            "rules": dict(self.rules.most_common()),
            "languages": dict(self.languages.most_common()),
        }

    def to_json(self) -> dict[str, Any]:
        """Whole, for the join of shards; the sampled texts are sanitised ones."""
        numbers = {name: getattr(self, name) for name in _NUMBERS}
        return {
            **numbers,
            **{name: list(getattr(self, name).items()) for name in _COUNTERS},
            "sample": self.residual.to_json(),
        }

    @classmethod
    def merged(cls, parts: Iterable[Mapping[str, Any]], residual: Residual) -> Self:
        """Of the shards of a drop, in order, each as ``to_json`` gives it."""
        whole = cls(residual)
        for part in parts:
            for name in _NUMBERS:
                setattr(whole, name, getattr(whole, name) + part[name])
            for name in _COUNTERS:
                getattr(whole, name).update(dict(part[name]))
            whole.residual.take(part["sample"])
        return whole
