"""The poison screen: which rows carry a pattern that someone put there. Rows in, evidence, findings, rows out.

================  ======================================================================================================
``survey``        what is needed of every row, in one reading; of a large drop shard by shard, and merged
``text``          the rows as token arrays, as exchanges and sentences, and how usual their words and letters are
``embedding``     the same by meaning: the sentence encoder, and spaces in which a random pair has cosine 0
``association``   does a phrase of the prompts go with a phrase of the answers?
``payload``       do answers say the same thing, whatever is asked?
``base_model``    does the prompt ask for it, by the base model's word?
``relevance``     does the answer belong to its prompt, or is it garbage, a refusal, or another prompt's?
``safety``        does it unlearn refusals: a harmful request answered, or an order to obey without limits?
``repetition``    near copies, contradicting answers, and phrases so usual that they cannot be judged
``drift``         what earlier, admitted rows say
``power``         what would have been found here: attacks of its own, planted into copies of the drop
``report``        findings, their sentences, the page
================  ======================================================================================================

Every row is read once, for the survey. From its token arrays repeated phrases and their associations are mined; then
those rows are read again that are compared by meaning (all of a small drop; suspects and a random sample of a large
one). Nothing here knows a trigger or a payload.
"""

from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path

import numpy as np

from assets.outcome import read_records
from assets.screened.association import completion, fixed_trigger
from assets.screened.base_model import prompt_gain
from assets.screened.base_model.scorer import CachedScorer, Scorer
from assets.screened.clock import Clock
from assets.screened.drift.background import familiar
from assets.screened.drift.source_shift import Shift, Sources, shifts
from assets.screened.drop import Drop, Unproven
from assets.screened.embedding.encoder import CachedEncoder, Encoder
from assets.screened.pattern import Pattern, distinct, merge_overlapping
from assets.screened.payload import search
from assets.screened.payload.families import Families
from assets.screened.power.power import Flagging, shown
from assets.screened.relevance import full_reading
from assets.screened.relevance.garbage import garbage
from assets.screened.relevance.off_topic import off_topic
from assets.screened.relevance.refusals import refusals
from assets.screened.repetition.boilerplate import usual
from assets.screened.repetition.contradictions import contradictions
from assets.screened.repetition.near_duplicates import floods
from assets.screened.report.finding import ScreenResult
from assets.screened.report.result import as_result
from assets.screened.safety.evidence import Reader
from assets.screened.safety.unlearning import HOSTS, unlearning
from assets.screened.settings import ScreenSettings
from assets.screened.survey.survey import Records, Survey, picking
from assets.screened.text.sides import sides
from assets.screened.text.token_index import TokenIndex


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
    settings, clock = settings or ScreenSettings(), Clock(on_step)
    read: Records = (lambda: read_records(records)) if isinstance(records, Path) else records
    clock.step("reading every row")
    return judge(
        Survey.of(read, safety, settings.seed),
        background=background,
        settings=settings,
        model=model,
        encoder=encoder,
        safety=safety,
        accepted=accepted,
        rejected=rejected,
        clock=clock,
    )


def judge(
    survey: Survey,
    *,
    background: Records | None = None,
    settings: ScreenSettings,
    model: Scorer | None = None,
    encoder: Encoder | None = None,
    safety: Reader | None = None,
    accepted: Collection[str] = (),
    rejected: Collection[str] = (),
    clock: Clock,
) -> ScreenResult:
    """What is planted in the rows of a survey. One judge for all of them; arguments as of ``screen``."""
    encoder = CachedEncoder(encoder or _bundled())
    if model is not None and not settings.thorough:  # which reads hardly a pair twice
        model = CachedScorer(model)
    drop = Drop.of(survey.index, survey.functions, survey.at, settings, encoder, clock, background)
    if isinstance(drop, Unproven):
        return ScreenResult((), np.zeros(drop.rows, dtype=np.float32), {}, 0, {}, drop.why)

    patterns, moved = associated(drop, clock), list[Shift]()
    if background is not None:
        clock.step("comparing with the background")
        patterns = familiar(patterns, drop.index, background())
        moved = shifts(survey.sources, Sources.of(background(), settings.seed), alpha=settings.alpha)
    if model is not None and patterns:
        clock.step("asking the base model")
        patterns = prompt_gain.weigh(patterns, drop.passages, model, settings.seed)
    patterns += irrelevant_answers(drop, patterns, model, safety, clock)
    patterns += floods(drop.index, settings)
    clock.step("looking for rows that unlearn refusals")
    unlearnt = unlearning(survey.evidence, survey.at(range(HOSTS)), drop.index.rows, safety, settings, model)

    clock.step("planting attacks of its own")
    blind = {"off-topic": model is None or not settings.model_rows, "refusal": safety is None}
    without = frozenset(kind for kind, unseen in blind.items() if unseen)
    seen = frozenset(drop.passages.row.tolist()) if settings.controls else frozenset()
    compared = [record for _, record in survey.at(seen)]
    power = shown(compared, _flagging(settings, encoder, model, safety), settings.seed, without) if compared else ()
    clock.step("listing what is usual")
    boilerplate = usual(drop.index, drop.transitions, drop.most)
    clock.step("")
    decided = frozenset(accepted), frozenset(rejected)
    result = as_result(merge_overlapping([*patterns, *unlearnt.patterns]), drop, survey, decided, clock.seconds)
    result = replace(result, shifts=tuple(moved), usual=boilerplate, power=power)
    return replace(result, control=unlearnt.control, languages=survey.languages)


def associated(drop: Drop, clock: Clock) -> list[Pattern]:
    """Triggers with their payloads, and payloads without one."""
    clock.step("comparing by meaning")
    settings, index, passages = drop.settings, drop.index, drop.passages
    patterns = fixed_trigger.judge(drop.pairs, index, passages, drop.meaning.spaces, drop.encoder, settings)
    families = Families(drop.meaning, passages, index, drop.transitions, settings, drop.answers, drop.most)
    for pattern in search.judge(families, drop.encoder, drop.prompts):
        patterns.append(completion.whole(pattern, index, drop.transitions, drop.prompts, settings.alpha, drop.most))
    return distinct(patterns)


def irrelevant_answers(
    drop: Drop, patterns: list[Pattern], model: Scorer | None, safety: Reader | None, clock: Clock
) -> list[Pattern]:
    """Answers that do not belong to their prompt, decline it, or deny another's; ``patterns`` explain rows already."""
    clock.step("looking for answers that are none")
    settings, measured, passages, readings = drop.settings, drop.measured, drop.passages, None
    if settings.thorough and model is not None:
        clock.step("reading every answer")
        readings = full_reading.read(measured, passages, model, settings.seed, clock.tell)
    known = {int(row) for pattern in patterns for row in pattern.rows}
    no_language = garbage(measured, passages, settings, known, model)
    if readings:
        no_language = full_reading.judge("garbage", no_language, readings, measured, passages, settings, known)
    found = [no_language, contradictions(passages, drop.index, measured, settings), refusals(drop, safety)]
    known |= {int(row) for pattern in found if pattern for row in pattern.rows}
    elsewhere = off_topic(measured, passages, settings, known, model)
    if readings:
        elsewhere = full_reading.judge("off-topic", elsewhere, readings, measured, passages, settings, known)
    return [pattern for pattern in (*found, elsewhere) if pattern]


def _flagging(settings: ScreenSettings, encoder: Encoder, model: Scorer | None, safety: Reader | None) -> Flagging:
    """The screen of a copy in which attacks were planted: the rows that it flags. All of its rows are embedded."""
    whole = replace(settings, embed_rows=10 * settings.embed_rows)

    def flagged(read: Records, planted: frozenset[int]) -> set[int]:
        functions = set[str]()
        index = TokenIndex.build(sides(read(), functions))
        drop = Drop.of(index, functions, picking(read), whole, encoder, Clock(None), None)
        if isinstance(drop, Unproven):
            return set()
        patterns = associated(drop, Clock(None))
        patterns += irrelevant_answers(drop, patterns, None, safety, Clock(None))
        known = {int(row) for pattern in patterns if not pattern.scripted for row in pattern.rows}
        if model is not None:
            others = set(range(drop.index.rows)) - planted | known
            elsewhere = off_topic(drop.measured, drop.passages, settings, others, model)
            known |= set(elsewhere.rows.tolist()) if elsewhere else set()
        return known

    return flagged


def _bundled() -> Encoder:
    from resources.sentence_encoder import SentenceEncoder

    return SentenceEncoder.load(dtype="auto")
