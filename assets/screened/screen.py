"""The poison screen: which rows carry a pattern that someone put there."""

import time
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from assets.outcome import read_records
from assets.record import Record
from assets.screened.association import associate
from assets.screened.finding import Finding, ScreenResult
from assets.screened.phrases import mine
from assets.screened.settings import ScreenSettings
from assets.screened.token_index import TokenIndex

if TYPE_CHECKING:
    from resources.language_model import LanguageModel
    from resources.sentence_encoder import SentenceEncoder

Records = Callable[[], Iterable[Record]]


def screen(
    records: Path | Records,
    *,
    background: Records | None = None,
    settings: ScreenSettings | None = None,
    model: "LanguageModel | None" = None,
    encoder: "SentenceEncoder | None" = None,
    accepted: Collection[str] = (),
    on_step: Callable[[str], None] | None = None,
) -> ScreenResult:
    """Screen rows, read twice."""
    settings = settings or ScreenSettings()
    read: Records = (lambda: read_records(records)) if isinstance(records, Path) else records
    started = time.monotonic()
    index = TokenIndex.build((record.prompt(), record.response()) for record in read())
    most = max(settings.min_rows, int(settings.max_share * index.rows))
    triggers = mine(index.prompts, longest=4, min_rows=settings.min_rows, max_rows=most)
    payloads = mine(index.responses, longest=6, min_rows=settings.min_rows, max_rows=most)
    pairs = associate(triggers.members, payloads.members, contain=0.8, min_rows=settings.min_rows)
    scores = np.zeros(index.rows, dtype=np.float32)
    findings = []
    for t, p, log_p in zip(pairs.trigger, pairs.payload, pairs.log_p, strict=True):
        log_p += np.log(max(pairs.tried, 1))
        if log_p > np.log(settings.alpha):
            continue
        rows = sorted(set(triggers.members[t].indices) & set(payloads.members[p].indices))
        spell = [" ".join(index.words[i] for i in side.ids[sets.start[k] : sets.start[k] + sets.length[k]])
                 for side, sets, k in ((index.prompts, triggers, t), (index.responses, payloads, p))]
        scores[rows] = 1
        findings.append(Finding("trigger-payload", spell[0], spell[1], tuple(map(int, rows)), float(np.exp(log_p)), ""))
    return ScreenResult(tuple(findings), scores, {}, pairs.tried, {"all": time.monotonic() - started})
