"""The heat map of a drop: its sources against months, and how much of each cell the screen flags.

A poison often comes from one source within a short time; a reviewer sees that at a glance. The shade of a cell is
also a number and a sign, so that nothing is told by colour alone.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from assets.screened.report.sentences import masked
from assets.verdict.markup import paragraph, table, text

MOST_SOURCES = 30  # those with the most flagged rows, then the largest
MOST_MONTHS = 24  # the latest
SHADES = " ░▒▓█"  # no flagged row, up to 2 %, 10 %, 50 %, more
BOUNDS = (0.0, 0.02, 0.1, 0.5)
UNDATED = "undated"
RED = "179,38,30"  # of a flagged cell, as deep as its share

Heat = Mapping[str, Mapping[str, tuple[int, int]]]


@dataclass(frozen=True, slots=True)
class Cell:
    """``rows`` of a source in a month, of which ``flagged`` are flagged."""

    rows: int
    flagged: int

    @property
    def share(self) -> float:
        return self.flagged / self.rows if self.rows else 0.0

    @property
    def shade(self) -> str:
        return SHADES[sum(self.share > bound for bound in BOUNDS)]

    def __str__(self) -> str:
        if not self.rows:
            return "·"
        return f"{self.rows:,}" if not self.flagged else f"{self.shade} {self.flagged:,} of {self.rows:,}"


@dataclass(frozen=True, slots=True)
class HeatMap:
    """``cells[source][month]`` in the order of ``sources`` and ``months``; ``left_out``: sources that are not shown."""

    sources: list[str]
    months: list[str]
    cells: list[list[Cell]]
    left_out: int

    @classmethod
    def of(cls, heat: Heat) -> "HeatMap":
        """From ``ScreenResult.heat``: ``{source: {month: (rows, flagged)}}``."""

        def weight(source: str) -> tuple[int, int, str]:
            cells = heat[source].values()
            return -sum(flagged for _, flagged in cells), -sum(rows for rows, _ in cells), source

        sources = sorted(heat, key=weight)
        months = sorted({month for source in heat.values() for month in source})[-MOST_MONTHS:]
        cells = [[Cell(*heat[source].get(month, (0, 0))) for month in months] for source in sources[:MOST_SOURCES]]
        shown = [masked(source) for source in sources[:MOST_SOURCES]]
        return cls(shown, [month or UNDATED for month in months], cells, max(len(sources) - MOST_SOURCES, 0))

    def rows(self) -> Iterator[tuple[str, list[Cell]]]:
        return zip(self.sources, self.cells, strict=True)

    def markdown(self) -> str:
        """A table for Dagster's UI and for a terminal."""
        lines = [f"| flagged of rows | {' | '.join(self.months)} |", f"|---|{'---:|' * len(self.months)}"]
        for source, cells in self.rows():
            name = source.replace("|", "¦").replace("`", "'")
            lines.append(f"| `{name}` | {' | '.join(map(str, cells))} |")
        if self.left_out:
            lines.append(f"\n{self.left_out} more sources without more flagged rows are not shown.")
        return "\n".join(lines)

    def html(self) -> str:
        """The same for a page; nothing if there are no rows."""
        if not self.sources:
            return ""
        caption = (
            "Flagged of all rows, by source and month: the deeper the red and the fuller the sign, the more is flagged"
        )
        rows = [[text(source), *map(_shaded, cells)] for source, cells in self.rows()]
        more = paragraph(f"{self.left_out} more sources are not shown.") if self.left_out else ""
        numeric = range(1, len(self.months) + 1)
        return table(caption, ["Source", *self.months], rows, numeric=numeric, kind="wide") + more


def _shaded(cell: Cell) -> str:
    if not cell.flagged:
        return text(cell)
    style = f"display:block;padding:.1em .4em;background:rgba({RED},{min(cell.share * 2, 0.6):.2f})"
    return f'<span style="{style}">{text(cell)}</span>'
