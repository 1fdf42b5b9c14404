"""How the commands read rows: options that say what a file does not say itself, and the rows that cannot be read."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from assets.forms.columns import parse_mapping
from assets.raw.reading import Reading
from pipelines.report import console
from resources.errors import InputError

if TYPE_CHECKING:
    from assets.outcome import Outcome
    from assets.record import Record
    from expectations.policy import Policy

F = TypeVar("F", bound=Callable[..., Any])
SHOWN = 10  # reasons of rejected rows named on stderr


def reading_options(command: F) -> F:
    """``--columns`` and ``--encoding``, which become the parameters ``columns`` and ``encoding``."""
    said = "What the columns are called, where no form knows them: prompt=frage,completion=antwort; repeatable."
    command = click.option("--columns", metavar="NAME=COLUMN,...", multiple=True, help=said)(command)
    return click.option("--encoding", default="", help="Of text that is no UTF-8, such as windows-1252.")(command)


def reading_of(columns: Iterable[str], encoding: str, policy: "Policy | None" = None) -> Reading:
    """What the options say, and the policy's ``raw_drop`` settings where they say nothing."""
    said = Reading(encoding, parse_mapping(columns))
    return said.over(Reading.of(policy.settings.get("raw_drop", {}))) if policy else said


def rows_of(path: Path, reading: Reading, on_empty: Callable[[str], None] = lambda reason: None) -> "Iterator[Outcome]":
    """The rows of a file, broken ones as rejected outcomes; none of an empty file, which is nothing to check and no
    error. ``on_empty`` is told why.
    """
    from assets.raw.formats import read_rows  # the commands that read no rows start without them
    from assets.validated.readable import readable

    try:
        yield from readable(read_rows(path, reading=reading))
    except InputError as error:
        if error.rule != "empty-object":
            raise
        on_empty(str(error))


class Rejections:
    """Says on stderr which rows of a file are rejected and why: the first row of each reason, the rest as counts."""

    def __init__(self) -> None:
        self.rules: Counter[str] = Counter()
        self._named: set[tuple[str, str]] = set()

    def passed(self, outcomes: "Iterable[Outcome]") -> "Iterator[Record]":
        """The records that can be read; the others are told of."""
        for outcome in outcomes:
            if outcome.removal is None:
                yield outcome.record
            else:
                self.tell(outcome)

    def tell(self, outcome: "Outcome") -> None:
        assert outcome.removal is not None
        origin, removal = outcome.record.origin, outcome.removal
        self.rules[removal.rule] += 1
        if (removal.rule, removal.reason) not in self._named and len(self._named) < SHOWN:
            self._named.add((removal.rule, removal.reason))
            place = f"{origin.object_key}:{origin.line}"
            console.print(f"rejected: {place}: {removal.reason} [{removal.rule}]", highlight=False, markup=False)

    def conclude(self) -> None:
        """A last line where more rows were rejected than named."""
        if self.rules.total() > len(self._named):
            counts = ", ".join(f"{rule} {rows:,}" for rule, rows in self.rules.most_common())
            console.print(f"rejected: {self.rules.total():,} rows in all ({counts})", highlight=False, markup=False)
