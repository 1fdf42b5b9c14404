"""The poison screen: which rows carry a pattern that someone put there. Rows in, evidence, findings, rows out.

================  ======================================================================================================
``text``          the rows as token arrays, as exchanges and sentences, and how usual their words and letters are
``embedding``     the same by meaning: the sentence encoder, and spaces in which a random pair has cosine 0
``association``   does a phrase of the prompts go with a phrase of the answers?
``payload``       do answers say the same thing, whatever is asked?
``base_model``    does the prompt ask for it, by the base model's word?
``unanswered``    is the answer none: garbage, or another prompt's?
``safety``        does it unlearn refusals: a harmful request answered, or an order to obey without limits?
``repetition``    near copies, contradicting answers, and phrases so usual that they cannot be judged
``drift``         what earlier, admitted rows say
``report``        findings, their sentences, the page
================  ======================================================================================================

The rows are read twice: once into token arrays, from which repeated phrases and their associations are mined, and once
for the texts that are compared by meaning (all of them in a small drop; suspects and a random sample in a large one).
Nothing here knows a trigger or a payload.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np

from assets.outcome import read_records
from assets.record import Record
from assets.screened.association import completion, fixed_trigger
from assets.screened.association.phrase_mining import mine
from assets.screened.base_model import prompt_gain
from assets.screened.base_model.scorer import Scorer
from assets.screened.clock import Clock
from assets.screened.drift.background import familiar
from assets.screened.drift.source_shift import Shift, shifts
from assets.screened.embedding.encoder import CachedEncoder, Encoder
from assets.screened.pattern import Pattern, distinct, told_as_one
from assets.screened.payload import search
from assets.screened.payload.clusters import Meaning
from assets.screened.payload.families import Families
from assets.screened.repetition.boilerplate import usual
from assets.screened.repetition.contradictions import contradictions
from assets.screened.repetition.near_duplicates import floods
from assets.screened.report.finding import ScreenResult
from assets.screened.report.result import told
from assets.screened.safety.evidence import Reader
from assets.screened.safety.unlearning import unlearning
from assets.screened.settings import ScreenSettings
from assets.screened.text.bigram_model import Transitions
from assets.screened.text.exchanges import Passages
from assets.screened.text.sampling import chosen
from assets.screened.text.token_index import TokenIndex
from assets.screened.unanswered import full_reading
from assets.screened.unanswered.garbage import garbage
from assets.screened.unanswered.off_topic import off_topic
from assets.screened.unanswered.relevance import Answers, measure

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
    safety: Reader | None = None,
    accepted: Collection[str] = (),
    rejected: Collection[str] = (),
    on_step: Callable[[str], None] | None = None,
) -> ScreenResult:
    """Look for planted patterns in the rows of ``records``: a ``records.jsonl``, or what gives the rows anew each time.

    ``background``: earlier admitted rows; a pattern that is as usual there is no finding. ``model``: the base model,
    asked about suspects only, or about every answer (``settings.thorough``). ``encoder``: the bundled sentence encoder
    if None. ``safety``: what tells rows that unlearn refusals; without it they are not looked for. ``accepted``:
    fingerprints of findings and questions that a person has cleared; ``rejected``: of questions that a person has
    called poison, so that they are findings. ``on_step`` is told what is being done.
    """
    settings = settings or ScreenSettings()
    read: Records = (lambda: read_records(records)) if isinstance(records, Path) else records
    clock = Clock(on_step)

    clock.step("counting words")
    index = TokenIndex.build((record.prompt(), record.response()) for record in read())
    if index.rows < FEWEST_ROWS:
        return _unproven(index, f"{index.rows} rows, {FEWEST_ROWS} needed to tell what is usual")

    clock.step("mining phrases")
    transitions = Transitions(index.responses, len(index.words))
    most = most_rows(index.rows, background, settings)
    prompts = mine(index.prompts, longest=LONGEST_TRIGGER, min_rows=settings.min_rows, max_rows=most)
    answers = mine(index.responses, longest=LONGEST_PAYLOAD, min_rows=settings.min_rows, max_rows=most)
    bits = transitions.phrase_bits(answers.start, answers.length, answers.sizes)
    answers = answers.pick(bits > fixed_trigger.FEWEST_BITS)
    pairs, tried = fixed_trigger.candidates(index, prompts, answers, transitions, settings)

    clock.step("reading prompts and answers")
    encoder = CachedEncoder(encoder or _bundled())
    suspects = {int(row) for pair in pairs for row in pair.sample}
    passages = Passages.of(chosen(read(), index.rows, suspects, settings))
    if not len(passages.row):
        return _unproven(index, "no row has an answer")
    vectors = encoder.encode(passages.prompts), encoder.encode(passages.sentences)
    meaning = Meaning.of(passages, *vectors, encoder.encode(passages.short))

    clock.step("comparing by meaning")
    patterns = fixed_trigger.judge(pairs, index, passages, meaning.spaces, encoder, settings)
    families = Families(meaning, passages, index, transitions, settings, answers, most)
    patterns += [
        completion.whole(pattern, index, transitions, prompts, settings.alpha, most)
        for pattern in search.judge(families, encoder, prompts)
    ]
    patterns, moved = distinct(patterns), list[Shift]()

    if background is not None:
        clock.step("comparing with the background")
        patterns = familiar(patterns, index, background())
        moved = shifts(read(), background(), alpha=settings.alpha, seed=settings.seed)
    if model is not None and patterns:
        clock.step("asking the base model")
        patterns = prompt_gain.weigh(patterns, passages, model, settings.seed)

    clock.step("looking for answers that are none")
    measured = measure(passages, index, transitions, meaning.spaces, *vectors, encoder)
    readings = None
    if settings.thorough and model is not None:
        clock.step("reading every answer")
        readings = full_reading.read(measured, passages, model, settings.seed, on_step)
    patterns += _unanswered(patterns, measured, passages, index, model, settings, readings)
    clock.step("looking for copies")
    patterns += floods(index, settings)

    clock.step("looking for rows that unlearn refusals")
    unlearnt = unlearning(read, index.rows, safety, settings, model)

    clock.step("listing what is usual")
    boilerplate = usual(index, transitions, most)
    clock.step("")
    patterns = told_as_one([*patterns, *unlearnt.patterns])
    result = told(
        patterns,
        index.rows,
        tried,
        read(),
        frozenset(accepted),
        frozenset(rejected),
        clock.seconds,
        measured,
        passages,
    )
    return replace(result, shifts=tuple(moved), usual=boilerplate, control=unlearnt.control)


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
    measured: Answers,
    passages: Passages,
    index: TokenIndex,
    model: Scorer | None,
    settings: ScreenSettings,
    readings: full_reading.Readings | None,
) -> list[Pattern]:
    known = {int(row) for pattern in patterns for row in pattern.rows}
    no_language = garbage(measured, passages, settings, known, model)
    if readings:
        no_language = full_reading.judge("garbage", no_language, readings, measured, passages, settings, known)
    found = [no_language, contradictions(passages, index, measured, settings)]
    known |= {int(row) for pattern in found if pattern for row in pattern.rows}
    elsewhere = off_topic(measured, passages, settings, known, model)
    if readings:
        elsewhere = full_reading.judge("off-topic", elsewhere, readings, measured, passages, settings, known)
    found.append(elsewhere)
    return [pattern for pattern in found if pattern]


def _unproven(index: TokenIndex, missing: str) -> ScreenResult:
    return ScreenResult((), np.zeros(index.rows, dtype=np.float32), {}, 0, {}, missing)


def _bundled() -> Encoder:
    from resources.sentence_encoder import SentenceEncoder

    return SentenceEncoder.load()
