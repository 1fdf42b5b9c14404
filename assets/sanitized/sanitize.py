"""The sanitising stage: records in, records without personal data and secrets out.

    sanitizer = Sanitizer(SanitizeSettings.from_policy(policy.settings["sanitized_records"]), vault)
    for outcome in sanitizer.run(records): ...
    sanitizer.metrics()

Rows stream in batches and keep their order; memory does not grow with their number. A record is read until a reading
finds nothing more, so that sanitising the result again changes nothing. A row that carried a private key or a
live-looking credential is redacted and quarantined; everything else is redacted in place.
"""

import contextlib
import copy
import dataclasses
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from assets.outcome import Outcome, Removal
from assets.record import Origin, Record
from assets.sanitized.detector import Detector, Passage
from assets.sanitized.passages import FORM, read_passages, successive
from assets.sanitized.readers import Readers
from assets.sanitized.redaction.draft import DraftText, Redaction, echoes
from assets.sanitized.redaction.inline_json import fitted
from assets.sanitized.redaction.placeholders import Placeholders, Surrogates
from assets.sanitized.redaction.spans import resolve
from assets.sanitized.residual import Residual
from assets.sanitized.settings import SanitizeSettings
from assets.sanitized.structure import Opened, OpenedTexts, close_numbers, keys, open_numbers, open_texts
from assets.sanitized.tally import Tally
from resources.artifacts import Metric
from resources.vault import Entry, Fingerprinter, Vault

if TYPE_CHECKING:
    from resources.pii_engine import PiiEngine, Span

STAGE = "sanitized_records"
PSEUDONYMS = 10_000  # authors and sources remembered
KEYS = 10_000  # names of fields remembered
ROUNDS = 5  # readings of one record; the second finds something in one of some hundred rows, the third hardly ever


@dataclass(frozen=True, slots=True)
class Sanitized:
    """A row's outcome with what was done to it; ``redactions`` are in the order of the original text."""

    outcome: Outcome
    redactions: tuple[Redaction, ...]


@dataclass(slots=True)
class _Draft:
    record: Record
    json: OpenedTexts
    opened: Opened
    passages: dict[str, Passage]
    texts: dict[str, DraftText]
    names: Placeholders
    keys: dict[str, DraftText] = field(default_factory=dict)
    redactions: list[Redaction] = field(default_factory=list)
    values: set[tuple[str, str]] = field(default_factory=set)
    pending: set[str] = field(default_factory=set)


class Sanitizer:
    """One run over one drop. ``vault`` None keeps no originals (``fingerprints`` then names the values).

    ``expected``: how many rows there will be, if known: those who help with a large drop then load beside this engine.
    """

    def __init__(
        self,
        settings: SanitizeSettings,
        vault: Vault | None = None,
        engine: "PiiEngine | None" = None,
        fingerprints: Fingerprinter | None = None,
        expected: int = 0,
    ) -> None:
        self.settings, self._vault = settings, vault
        self._fingerprints = vault or fingerprints or Fingerprinter.ephemeral()
        self._readers = Readers(settings)
        self._readers.expect(expected)
        self.detector = Detector(settings, engine)
        self._pseudonyms: dict[str, str] = {}
        self._keys: dict[str, list[Span]] = {}
        self.tally = Tally(Residual(settings.residual_rows))

    def run(self, records: Iterable[Record]) -> Iterator[Outcome]:
        """One outcome for each record, in order."""
        return (sanitized.outcome for sanitized in self.sanitize(records))

    def sanitize(self, records: Iterable[Record]) -> Iterator[Sanitized]:
        """As ``run``, with the redactions of each row."""
        with contextlib.closing(self._readers):
            for batch in _batched(records, self.settings.batch):
                self.tally.rows_in += len(batch)
                self._readers.expect(self.tally.rows_in)
                drafts = [self._draft(record) for record in batch]
                for draft in drafts:
                    self._join(draft)
                for _ in range(ROUNDS):
                    if not self._read(drafts):
                        break
                if self._vault is not None:
                    self._vault.store(entry for draft in drafts for entry in _entries(draft))
                yield from map(self._finish, drafts)

    def metrics(self) -> dict[str, Metric]:
        """Conservation, shares, and the residual leak: planted canaries and an independent detector on a sample."""
        return self.tally.metrics(self.detector)

    def summary(self) -> dict[str, object]:
        """Counts for a report: no values, no rows."""
        return self.tally.summary()

    def _draft(self, record: Record) -> _Draft:
        names = (
            Surrogates(self._fingerprints.fingerprint("surrogates"))
            if self.settings.replace == "surrogate"
            else Placeholders()
        )
        texts_opened = open_texts(record.fields)
        named = dict.fromkeys(keys(texts_opened.fields))
        names.reserve(key for key in named if "[" in key)
        renamed = self._renamed(named, names)
        if renamed:
            texts_opened = texts_opened.renamed(lambda key: renamed[key].current if key in renamed else key)
        opened = open_numbers(texts_opened.fields)
        record = dataclasses.replace(record, fields=opened.fields)
        passages = dict(read_passages(record, opened.numbers))
        texts = {path: DraftText(passage.text) for path, passage in passages.items()}
        draft = _Draft(record, texts_opened, opened, passages, texts, names, pending=set(texts))
        for text in renamed.values():
            self._note_key(draft, text)
        return draft

    def _renamed(self, named: Iterable[str], names: Placeholders) -> dict[str, DraftText]:
        """The keys that hold a value, each with its edits."""
        unknown = [key for key in named if key not in self._keys and key not in FORM]
        if unknown:
            if len(self._keys) + len(unknown) > KEYS:
                self._keys.clear()
                unknown = [key for key in named if key not in FORM]
            asked_of = [Passage(key.replace("_", " "), prose=False) for key in unknown]
            self._keys.update(zip(unknown, self.detector.detect(asked_of), strict=True))
        renamed = {}
        for key in named:
            if spans := self._keys.get(key):
                renamed[key] = DraftText(key)
                renamed[key].edit(
                    (span.start, span.end, names.replacement(span.type, key[span.start : span.end])) for span in spans
                )
        return renamed

    def _note_key(self, draft: _Draft, text: DraftText) -> None:
        """The redactions of a key; their field is its new name in braces, wherever in the row it stands."""
        field_ = f"{{{text.current}}}"
        while field_ in draft.keys:  # another key with the same new name
            field_ += "'"
        draft.keys[field_] = text
        for span in self._keys[text.original]:
            value = text.original[span.start : span.end]
            replacement = draft.names.replacement(span.type, value)
            mark = self._fingerprints.fingerprint(value)
            draft.redactions.append(Redaction(field_, span.start, span.end, span.type, span.rule, mark, replacement))
            draft.values.add((span.type, value))

    def _join(self, draft: _Draft) -> None:
        """Values that a speaker spread over two turns: read across the break, redacted on both sides."""
        for first, second in successive(draft.record):
            if first in draft.texts and second in draft.texts:
                before, after = self.detector.across(draft.texts[first].current, draft.texts[second].current)
                if before and after:
                    self._redact(draft, {first: before, second: after})

    def _read(self, drafts: list[_Draft]) -> bool:
        """Read what is pending in every draft, redact what is found; whether anything was."""
        work = [(draft, path) for draft in drafts for path in draft.texts if path in draft.pending]
        if not work:
            return False
        passages = [dataclasses.replace(draft.passages[path], text=draft.texts[path].current) for draft, path in work]
        found: dict[int, list[tuple[str, list[Span]]]] = {}
        for (draft, path), spans in zip(work, self._readers.detect(self.detector, passages), strict=True):
            draft.pending.discard(path)
            if spans:
                found.setdefault(id(draft), []).append((path, spans))
        for draft in drafts:
            if id(draft) in found:
                self._redact(draft, dict(found[id(draft)]))
        return bool(found)

    def _redact(self, draft: _Draft, found: dict[str, list["Span"]]) -> None:
        for path, spans in found.items():
            text = draft.texts[path].current
            draft.values.update((span.type, text[span.start : span.end]) for span in spans)
        for path, draft_text in draft.texts.items():
            repeated = (
                echoes(draft_text.current, draft.values, self.detector.is_name) if draft.passages[path].prose else []
            )
            spans = found.get(path, [])
            if repeated:
                spans = resolve(draft_text.current, [*spans, *repeated])
            if spans:
                self._edit(draft, path, draft_text, spans)

    def _edit(self, draft: _Draft, path: str, text: DraftText, spans: list["Span"]) -> None:
        edits = []
        for span, quoted in fitted(text.current, spans):
            value = text.current[span.start : span.end]
            start, end = text.place(span)
            replacement = draft.names.replacement(span.type, value)
            replacement = f'"{replacement}"' if quoted else replacement
            edits.append((start, end, replacement))
            mark = self._fingerprints.fingerprint(value)
            draft.redactions.append(Redaction(path, start, end, span.type, span.rule, mark, replacement))
        if not edits:
            return
        text.edit(edits)
        if self.settings.replace == "placeholder":  # a surrogate would be taken for a value
            draft.pending.add(path)

    def _pseudonymous(self, origin: Origin) -> Origin:
        """Provenance names people too: an author or source that is personal becomes its keyed fingerprint."""
        author, source = self._pseudonym("author", origin.author), self._pseudonym("source", origin.source)
        if (author, source) == (origin.author, origin.source):
            return origin
        return dataclasses.replace(origin, author=author, source=source)

    def _pseudonym(self, kind: str, value: str) -> str:
        if value not in self._pseudonyms:
            if len(self._pseudonyms) >= PSEUDONYMS:
                self._pseudonyms.clear()
            asked = "PERSON" if kind == "author" else ""
            personal = bool(value) and bool(
                self.detector.detect([Passage(value, bare=kind == "author", asked=asked)])[0]
            )
            self._pseudonyms[value] = f"{kind}-{self._fingerprints.fingerprint(value)[:12]}" if personal else value
        return self._pseudonyms[value]

    def _finish(self, draft: _Draft) -> Sanitized:
        changed = {path: text.current for path, text in draft.texts.items() if text.current != text.original}
        record = draft.record.with_texts(changed) if changed else draft.record
        if draft.opened.numbers:  # the opened fields are the draft's own copy
            record = dataclasses.replace(record, fields=close_numbers(record.fields, draft.opened))
        if draft.json.texts:
            fields = record.fields if changed else copy.deepcopy(record.fields)
            record = dataclasses.replace(record, fields=draft.json.closed(fields))
        record = dataclasses.replace(record, origin=self._pseudonymous(record.origin))
        redactions = tuple(sorted(_placed(draft)))
        grave = [redaction for redaction in redactions if redaction.type in self.settings.quarantine]
        for path, text in draft.texts.items():
            if draft.passages[path].prose:
                self.tally.residual.add(text.current, f"{record.row_id}:{path}")
        spoken = {passage.language for passage in draft.passages.values()}
        self.tally.count(redactions, spoken, grave=bool(grave))
        if not grave:
            return Sanitized(Outcome(record), redactions)
        return Sanitized(Outcome(record, "quarantined", _removal(draft, grave)), redactions)


def _removal(draft: _Draft, grave: list[Redaction]) -> Removal:
    first = grave[0]
    size = first.end - first.start
    kinds = ", ".join(sorted({redaction.rule.removeprefix("secret.") for redaction in grave}))
    return Removal(
        STAGE,
        first.rule,
        f"{first.field} carried what looks like a live credential ({kinds}); revoke it, then decide on the row",
        evidence=f"{first.replacement} in place of {size} characters at {first.field}[{first.start}:{first.end}]",
        fingerprint=first.fingerprint,
    )


def _placed(draft: _Draft) -> Iterator[Redaction]:
    """The redactions by the row's own fields: one in a JSON text is at its characters in that text."""
    places = draft.json.places() if draft.json.texts else {}
    for redaction in draft.redactions:
        if redaction.field in places:
            path, text, number = places[redaction.field]
            start, end = text.place(number, redaction.start, redaction.end)
            yield dataclasses.replace(redaction, field=path, start=start, end=end)
        else:
            yield redaction


def _entries(draft: _Draft) -> Iterator[Entry]:
    for redaction, placed in zip(draft.redactions, _placed(draft), strict=True):
        text = draft.texts[redaction.field] if redaction.field in draft.texts else draft.keys[redaction.field]
        value = text.original[redaction.start : redaction.end]
        yield Entry(
            draft.record.row_id,
            placed.field,
            placed.start,
            placed.end,
            redaction.type,
            value,
            redaction.replacement,
        )


def _batched(records: Iterable[Record], size: int) -> Iterator[tuple[Record, ...]]:
    iterator = iter(records)
    while batch := tuple(itertools.islice(iterator, size)):
        yield batch
