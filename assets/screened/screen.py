"""The poison screen: which rows carry a pattern that someone put there."""

import time
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from assets.outcome import read_records
from assets.record import Record
from assets.screened import payloads, triggers
from assets.screened.finding import Finding, ScreenResult
from assets.screened.meaning import Meaning
from assets.screened.passages import Passages
from assets.screened.pattern import Encoder, Pattern
from assets.screened.phrases import mine
from assets.screened.settings import ScreenSettings
from assets.screened.surprise import Transitions
from assets.screened.token_index import TokenIndex

if TYPE_CHECKING:
    from resources.language_model import LanguageModel

Records = Callable[[], Iterable[Record]]


def screen(
    records: Path | Records,
    *,
    background: Records | None = None,
    settings: ScreenSettings | None = None,
    model: "LanguageModel | None" = None,
    encoder: Encoder | None = None,
    accepted: Collection[str] = (),
    on_step: Callable[[str], None] | None = None,
) -> ScreenResult:
    """Screen rows, read twice."""
    settings = settings or ScreenSettings()
    if encoder is None:
        from resources.sentence_encoder import SentenceEncoder

        encoder = SentenceEncoder.load()
    read: Records = (lambda: read_records(records)) if isinstance(records, Path) else records
    started = time.monotonic()
    index = TokenIndex.build((record.prompt(), record.response()) for record in read())
    transitions = Transitions(index.responses, len(index.words))
    most = max(settings.min_rows, int(settings.max_share * index.rows))
    t_sets = mine(index.prompts, longest=4, min_rows=settings.min_rows, max_rows=most)
    p_sets = mine(index.responses, longest=6, min_rows=settings.min_rows, max_rows=most)
    p_sets = p_sets.pick(transitions.phrase_bits(p_sets.start, p_sets.length, p_sets.sizes) > 8)
    found, tried = triggers.candidates(index, t_sets, p_sets, transitions, settings)
    passages = Passages.of(enumerate(read()))
    meaning = Meaning.of(passages, encoder.encode(passages.prompts), encoder.encode(passages.sentences))
    patterns = triggers.judge(found, index, passages, meaning.spaces, encoder, settings)
    kin = list(payloads.families(meaning, passages, index, transitions, settings))
    patterns += payloads.judge(kin, passages, meaning.spaces, encoder, settings, index, t_sets)
    scores = np.zeros(index.rows, dtype=np.float32)
    findings = []
    for pattern in patterns:
        scores[pattern.rows] = 1
        findings.append(Finding(pattern.kind, pattern.trigger, pattern.payload, tuple(map(int, pattern.rows)), float(np.exp(max(pattern.log_p, -700))), "", evidence=pattern.evidence))
    return ScreenResult(tuple(findings), scores, {}, tried, {"all": time.monotonic() - started})
