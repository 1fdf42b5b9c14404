"""The poison screen: which rows carry a pattern that someone put there.

The rows are read twice: once into token arrays, from which repeated phrases and their associations are mined, and once
for the texts that are compared by meaning (all of them in a small drop; suspects and a random sample in a large one).
Nothing here knows a trigger or a payload.
"""

import time
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np

from assets.outcome import read_records
from assets.record import Origin, Record
from assets.screened import evidence, kin, payloads, repeats, thorough, triggers, unanswered, wording
from assets.screened.background import familiar
from assets.screened.drift import Shift, shifts
from assets.screened.families import Families
from assets.screened.finding import Finding, ScreenResult
from assets.screened.garbage import garbage
from assets.screened.meaning import Meaning
from assets.screened.passages import Passages
from assets.screened.pattern import Encoder, Pattern, Remembering, Scorer
from assets.screened.phrases import mine
from assets.screened.settings import ScreenSettings
from assets.screened.style import usual
from assets.screened.surprise import Transitions
from assets.screened.token_index import TokenIndex

Records = Callable[[], Iterable[Record]]
LONGEST_TRIGGER, LONGEST_PAYLOAD = 4, 6  # tokens mined; what is found is then lengthened as far as the rows agree
FEWEST_ROWS = 50
MOST_SHARE = 0.5  # of the drop itself, whatever came before: more than half of the rows cannot stand out from the rest


def screen(
    records: Path | Records,
    *,
    background: Records | None = None,
    settings: ScreenSettings | None = None,
    model: Scorer | None = None,
    encoder: Encoder | None = None,
    accepted: Collection[str] = (),
    on_step: Callable[[str], None] | None = None,
) -> ScreenResult:
    """Look for planted patterns in the rows of ``records``: a ``records.jsonl``, or what gives the rows anew each time.

    ``background``: earlier admitted rows; a pattern that is as usual there is no finding. ``model``: the base model,
    asked about suspects only, or about every answer (``settings.thorough``). ``encoder``: the bundled sentence encoder
    if None. ``accepted``: fingerprints of findings that a human has cleared. ``on_step`` is told what is being done.
    """
    settings = settings or ScreenSettings()
    read: Records = (lambda: read_records(records)) if isinstance(records, Path) else records
    clock = _Clock(on_step)
    clock.step("counting words")
    index = TokenIndex.build((record.prompt(), record.response()) for record in read())
    if index.rows < FEWEST_ROWS:
        missing = f"{index.rows} rows, {FEWEST_ROWS} needed to tell what is usual"
        return ScreenResult((), np.zeros(index.rows, dtype=np.float32), {}, 0, {}, missing)
    clock.step("mining phrases")
    transitions = Transitions(index.responses, len(index.words))
    most = most_rows(index.rows, background, settings)
    prompts = mine(index.prompts, longest=LONGEST_TRIGGER, min_rows=settings.min_rows, max_rows=most)
    answers = mine(index.responses, longest=LONGEST_PAYLOAD, min_rows=settings.min_rows, max_rows=most)
    answers = answers.pick(transitions.phrase_bits(answers.start, answers.length, answers.sizes) > triggers.FEWEST_BITS)
    found, tried = triggers.candidates(index, prompts, answers, transitions, settings)
    clock.step("reading prompts and answers")
    encoder = Remembering(encoder or _bundled())
    passages = Passages.of(_chosen(read(), index.rows, found, settings))
    vectors = encoder.encode(passages.prompts), encoder.encode(passages.sentences)
    meaning = Meaning.of(passages, *vectors)
    clock.step("comparing by meaning")
    patterns = triggers.judge(found, index, passages, meaning.spaces, encoder, settings)
    families = Families(meaning, passages, index, transitions, settings, answers, most)
    patterns += [
        kin.whole(pattern, index, transitions, prompts, settings.alpha, most)
        for pattern in payloads.judge(families, encoder, prompts)
    ]
    patterns, moved = _distinct(patterns), list[Shift]()
    if background is not None:
        clock.step("comparing with the background")
        patterns = familiar(patterns, index, background())
        moved = shifts(read(), background(), alpha=settings.alpha, seed=settings.seed)
    if model is not None and patterns:
        clock.step("asking the base model")
        patterns = evidence.weigh(patterns, passages, model, settings.seed)
    clock.step("looking for answers that are none")
    measured = unanswered.measure(passages, index, transitions, meaning.spaces, *vectors, encoder)
    readings = None
    if settings.thorough and model is not None:
        clock.step("reading every answer")
        readings = thorough.read(measured, passages, model, settings.seed, on_step)
    patterns += _unanswered(patterns, measured, passages, index, model, settings, readings)
    clock.step("looking for copies")
    patterns += repeats.floods(index, settings)
    clock.step("listing what is usual")
    told = usual(index, transitions, most)
    clock.step("")
    result = _result(patterns, index.rows, tried, read(), frozenset(accepted), clock.seconds, measured, passages)
    return replace(result, shifts=tuple(moved), usual=told)


def most_rows(rows: int, background: Records | None, settings: ScreenSettings) -> int:
    """The most rows that a pattern can be in and still be an insertion: in more, it is the data's own style.

    A style is in the rows admitted before, too, so that the share is of both together: what is in half of a small drop
    and nowhere in a large background was put there. A large drop is judged by itself. The background is read only as
    far as it can matter.
    """
    most, enough = int(MOST_SHARE * rows), int(rows * (MOST_SHARE / settings.max_share - 1)) + 1
    known = sum(1 for _ in islice(background(), enough)) if background and rows <= settings.embed_rows else 0
    return max(settings.min_rows, min(int(settings.max_share * (rows + known)), most))


def _unanswered(
    patterns: list[Pattern],
    measured: unanswered.Answers,
    passages: Passages,
    index: TokenIndex,
    model: Scorer | None,
    settings: ScreenSettings,
    readings: thorough.Readings | None,
) -> list[Pattern]:
    known = {int(row) for pattern in patterns for row in pattern.rows}
    no_language = garbage(measured, passages, settings, known, model)
    if readings:
        no_language = thorough.judge("garbage", no_language, readings, measured, passages, settings, known)
    found = [no_language, repeats.contradictions(passages, index, measured, settings)]
    known |= {int(row) for pattern in found if pattern for row in pattern.rows}
    elsewhere = unanswered.off_topic(measured, passages, settings, known, model)
    if readings:
        elsewhere = thorough.judge("off-topic", elsewhere, readings, measured, passages, settings, known)
    found.append(elsewhere)
    return [pattern for pattern in found if pattern]


def _chosen(
    records: Iterable[Record], rows: int, found: list[triggers.Candidate], settings: ScreenSettings
) -> Iterator[tuple[int, Record]]:
    """The rows to be compared by meaning, numbered: all, or suspects and a random sample."""
    if rows <= settings.embed_rows:
        yield from enumerate(records)
        return
    sample = np.random.default_rng(settings.seed).choice(rows, settings.sample_rows, replace=False)
    wanted = set(sample.tolist()) | {int(row) for candidate in found for row in candidate.sample}
    for number, record in enumerate(records):
        if number in wanted:
            yield number, record


def _distinct(patterns: list[Pattern]) -> list[Pattern]:
    """One pattern for each set of rows: of two that share most of the smaller's, the one with more to say stays."""
    kept: list[Pattern] = []
    for pattern in sorted(patterns, key=lambda each: (not each.trigger, each.log_p)):
        rows = set(pattern.rows.tolist())
        place = next((n for n, other in enumerate(kept) if _overlap(rows, set(other.rows.tolist())) > 0.5), None)
        if place is None:
            kept.append(pattern)
        else:
            merged = np.union1d(kept[place].rows, pattern.rows)
            kept[place] = replace(kept[place], rows=merged, shown={**pattern.shown, **kept[place].shown})
    return kept


def _overlap(one: set[int], other: set[int]) -> float:
    return len(one & other) / max(min(len(one), len(other)), 1)


def _result(
    patterns: list[Pattern],
    rows: int,
    tried: int,
    records: Iterable[Record],
    accepted: frozenset[str],
    seconds: dict[str, float],
    measured: unanswered.Answers,
    passages: Passages,
) -> ScreenResult:
    flagged = {int(row) for pattern in patterns for row in pattern.rows}
    origins: dict[int, Origin] = {}
    heat: dict[str, dict[str, tuple[int, int]]] = {}
    for number, record in enumerate(records):
        months = heat.setdefault(record.origin.source, {})
        month = record.origin.created_at[:7]
        seen, bad = months.get(month, (0, 0))
        months[month] = (seen + 1, bad + (number in flagged))
        if number in flagged:
            origins[number] = record.origin
    findings: list[Finding] = []
    scores = np.zeros(rows, dtype=np.float32)
    # Below every flagged row, and only to rank the others: how little an answer has to do with its prompt.
    scores[passages.row[measured.exchange]] = np.clip(0.25 - measured.relation / 2, 0, 0.4)
    for pattern in patterns:
        p_value = float(np.exp(max(pattern.log_p, -700.0)))
        made = wording.finding(pattern, origins, rows, False, p_value)
        made = replace(made, accepted=made.fingerprint in accepted)
        findings.append(made)
        if not made.accepted:
            scores[pattern.rows] = np.maximum(scores[pattern.rows], 1 - 0.4 * min(p_value, 1.0))
    ordered = tuple(sorted(findings, key=lambda each: (each.p_value, -len(each.rows))))
    return ScreenResult(ordered, scores, heat, tried, seconds)


def _bundled() -> Encoder:
    from resources.sentence_encoder import SentenceEncoder

    return SentenceEncoder.load()


class _Clock:
    """Times the steps and tells someone of each."""

    def __init__(self, on_step: Callable[[str], None] | None) -> None:
        self.tell, self.current, self.began = on_step, "", time.monotonic()
        self.seconds: dict[str, float] = {}

    def step(self, name: str) -> None:
        now = time.monotonic()
        if self.current:
            self.seconds[self.current] = now - self.began
        self.current, self.began = name, now
        if name and self.tell:
            self.tell(name)
