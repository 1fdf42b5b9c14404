"""Validation of rows, batch by batch: facts are put into a frame, expectations are checked on it, rows get their fate.

The expectations themselves are given by the caller (``expectations.suite``), so that what a stage does and what must
hold stay apart.
"""

import dataclasses
import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, Self

from assets.forms.columns import unread
from assets.forms.conversation import FormFault
from assets.outcome import Outcome, Removal
from assets.record import METADATA_FIELDS, Record
from assets.validated.facts import Facts, facts, identity
from assets.validated.identities import Identities
from assets.validated.language import LanguageJudge
from assets.validated.rules import RULES, Rule
from assets.validated.settings import ValidationSettings
from resources.artifacts import Metric

if TYPE_CHECKING:
    import pandas as pd

STAGE = "validated_records"
BATCH_ROWS = 10_000
BATCH_CHARACTERS = 16_000_000  # a batch of long rows is shorter
_COUNTERS = ("broken", "forms", "languages", "unread")
LONGEST_NAME = 40  # characters of a column's name that a report repeats
MAX_SCHEMAS = 1_000  # more different sets of fields than this are not told apart

# Rows of a frame of facts that break each rule, by position. Every rule is there, also one that no row breaks.
Check = Callable[["pd.DataFrame"], Mapping[str, Iterable[int]]]


class Seen(Protocol):
    def first(self, identity: int, ordinal: int) -> int:
        """The ordinal with which ``identity`` came first; ``ordinal`` if it is new."""


@dataclass(slots=True)
class ValidationReport:
    """Filled while rows are validated."""

    rows: int = 0
    broken: Counter[str] = field(default_factory=Counter)
    forms: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    unread: Counter[str] = field(default_factory=Counter)
    schemas: set[frozenset[str]] = field(default_factory=set)

    def metrics(self) -> dict[str, Metric]:
        """The share of rows that break each rule, and ``schemas``: how many different sets of fields there are."""
        if not self.rows:
            return {rule.metric: Metric(None, 0, missing="no rows came in") for rule in RULES}
        shares = {rule.metric: Metric(self.broken[rule.name] / self.rows, self.rows) for rule in RULES}
        return shares | {"schemas": Metric(len(self.schemas), self.rows)}

    def details(self) -> dict[str, Any]:
        """Rows by form and language, and by column that no form reads."""
        return {
            "forms": dict(self.forms),
            "languages": dict(self.languages.most_common(20)),
            "unread_columns": dict(self.unread.most_common(20)),
        }

    def to_json(self) -> dict[str, Any]:
        """Whole, for the join of shards. Counters as pairs: their order decides between equals."""
        return {
            "rows": self.rows,
            **{name: list(getattr(self, name).items()) for name in _COUNTERS},
            "schemas": sorted(sorted(schema) for schema in self.schemas),
        }

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Self:
        counters = {name: Counter(dict(body[name])) for name in _COUNTERS}
        return cls(body["rows"], **counters, schemas={frozenset(schema) for schema in body["schemas"]})

    @classmethod
    def merged(cls, parts: Iterable[Self]) -> Self:
        """Of the shards of a drop, in order: what it would have been in one piece."""
        whole = cls()
        for part in parts:
            whole.rows += part.rows
            for name in _COUNTERS:
                getattr(whole, name).update(getattr(part, name))
            whole.schemas |= set(itertools.islice(part.schemas - whole.schemas, MAX_SCHEMAS - len(whole.schemas)))
        return whole


def validate(
    records: Iterable[Record],
    check: Check,
    settings: ValidationSettings,
    report: ValidationReport | None = None,
    *,
    seen: "Seen | None" = None,
    start: int = 0,
) -> Iterator[Outcome]:
    """One outcome a record, in order. Holds one batch, and 30 to 60 bytes a row to know duplicates by.

    A shard's first record has the ordinal ``start`` in its drop, and ``seen`` knows the copies of the whole.
    """
    report = report if report is not None else ValidationReport()
    examiner = _Examiner(settings, report, seen or Identities(), start)
    for batch in _batches(records):
        examined = [examiner.facts(record) for record in batch]
        known = [found for found, _ in examined]
        broken = _by_row(check(frame_of(known)))
        for position, record in enumerate(batch):
            rules = broken.get(position, [])
            report.broken.update(rule.name for rule in rules)
            if rules:
                others = [rule.name for rule in rules[1:]]
                fault = examined[position][1]
                said = fault.reason if fault and fault.rule == rules[0].name else rules[0].reason
                reason = said + (f" (also: {', '.join(others)})" if others else "")
                evidence = _evidence(rules[0].name, known[position])
                yield Outcome(record, rules[0].fate, Removal(STAGE, rules[0].name, reason, evidence))
            else:
                yield Outcome(record)


def frame_of(known: list[Facts]) -> "pd.DataFrame":
    """Facts as a frame: a column a fact, a row a record."""
    import pandas as pd

    columns = [entry.name for entry in dataclasses.fields(Facts)]
    frame = pd.DataFrame({name: [getattr(row, name) for row in known] for name in columns})
    numbers = [name for name in columns if name.endswith("_characters") or name in ("turns", "copy_of")]
    return frame.astype(dict.fromkeys(numbers, "Float64"))


class _Examiner:
    """Facts of one row after another, with what only the sequence tells: earlier copies."""

    def __init__(self, settings: ValidationSettings, report: ValidationReport, seen: "Seen", start: int) -> None:
        self.judge = LanguageJudge(settings.language_letters, settings.language_confidence)
        self.judges_language = bool(settings.languages)
        self.seen, self.start = seen, start
        self.report = report

    def facts(self, record: Record) -> tuple[Facts, FormFault | None]:
        ordinal = self.start + self.report.rows
        self.report.rows += 1
        self.report.forms[record.form] += 1
        if len(self.report.schemas) < MAX_SCHEMAS:
            self.report.schemas.add(frozenset(record.fields.keys() - METADATA_FIELDS))
        self.report.unread.update(name for name in unread(record.fields, record.columns) if len(name) <= LONGEST_NAME)
        try:
            read = record.conversation()
        except FormFault as fault:
            return facts(record, fault), fault
        earlier = self.seen.first(identity(read), ordinal)
        language = None
        if self.judges_language:
            language = self.judge.language(read.turns)
            self.report.languages[language or "undecided"] += 1
        copy_of = None if earlier == ordinal else earlier
        return dataclasses.replace(facts(record, read), language=language, copy_of=copy_of), None


def _batches(records: Iterable[Record]) -> Iterator[list[Record]]:
    batch: list[Record] = []
    characters = 0
    for record in records:
        batch.append(record)
        characters += sum(len(text) for _, text in record.texts())
        if len(batch) == BATCH_ROWS or characters >= BATCH_CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


def _by_row(broken: Mapping[str, Iterable[int]]) -> dict[int, list[Rule]]:
    """``{position: rules}``, strongest rule first. A rule without an answer is a ``KeyError``: it is no pass."""
    found: dict[int, list[Rule]] = {}
    for rule in RULES:
        for position in broken[rule.name]:
            found.setdefault(position, []).append(rule)
    return found


def _evidence(rule: str, known: Facts) -> str:
    """A number or a code that helps a reviewer; never text of the row."""
    match rule:
        case "duplicate":
            return f"row {known.copy_of} of the drop"
        case "language":
            return known.language or ""
        case "too-long":
            return f"{known.prompt_characters}+{known.response_characters} characters, {known.turns} turns"
    return ""
