"""Refusals of harmless prompts: what makes a model useless to whoever it should serve.

Worded anew each time, they are no payload that repeats. What they are is known: the encoder shortlists answers with a
sentence near one that declines, and two judges that err differently (the safety classifier, and the trial's judge of
refusals) must both be sure. A refusal of a harmful request is good data; where most refusals are such, the rest are
taken for requests whose harm was not seen.
"""

from dataclasses import replace

import numpy as np

from assets.screened.drop import Drop
from assets.screened.pattern import Pattern
from assets.screened.payload.stock_phrase import described, situation
from assets.screened.safety.classifier import DECLINES, HARM
from assets.screened.safety.evidence import OPENING_PIECES, Reader
from assets.screened.safety.items import read_lines
from assets.screened.safety.pieces import pieces

NEAR = 0.45  # cosine to a known refusal, from which a sentence may be one
MOST_READ = 400  # answers that are judged, nearest first: in more of them the data are about refusing
SURE = 2.0  # log-odds from which an answer declines, if the judge of refusals says so, too
HARMFUL = 1.0  # log-odds from which a request is harmful, so that it is right to decline
SHARE = 0.005  # of the rows decline something harmless, to make a finding,
EXCUSED = 0.5  # and as many as this share of those that decline something harmful
CALLED_UP = 0.75  # area under the curve from which the prompts call a refusal up: many prompts are odd, not all


def refusals(drop: Drop, reader: Reader | None) -> Pattern | None:
    """Rows that decline what is harmless; a question to a person where what is asked tells which are declined.

    Nothing is looked for without a ``reader``, nor where refusing is what the data are about.
    """
    passages = drop.passages
    if reader is None:
        return None
    exchanges = _near_a_refusal(drop)
    declined = exchanges[_declines([passages.responses[e] for e in exchanges], reader)]
    harmful = _harmful([passages.prompts[e] for e in declined], reader)
    excused, found = len(np.unique(passages.row[declined[harmful]])), declined[~harmful]
    found = found[np.unique(passages.row[found], return_index=True)[1]]
    rows, compared = passages.row[found], len(np.unique(passages.row))
    fewest = max(drop.settings.irrelevant_rows, SHARE * compared, EXCUSED * excused)
    if not fewest <= len(rows) <= drop.most:
        return None
    sentences = np.searchsorted(passages.exchange, found[np.isin(found, passages.exchange)])  # of each its first
    stood = situation(sentences, passages, drop.meaning.spaces, drop.encoder, drop.settings.seed)
    shown = {int(row): passages.responses[exchange][:200] for row, exchange in zip(rows, found, strict=True)}
    pattern = Pattern(
        kind="refusal",
        trigger="",
        payload="",
        rows=rows,
        log_p=-float(len(rows)) * np.log(compared / len(rows)),
        evidence={"situation": stood.auc, "situation_deviation": stood.deviation, "excused": float(excused)},
        shown=shown,
    )
    called_up = stood.calls and stood.auc >= CALLED_UP
    scripted = described(sentences, stood, passages) if called_up else ""
    return replace(pattern, payload=shown[int(rows[0])] if scripted else "", scripted=scripted)


def _near_a_refusal(drop: Drop) -> np.ndarray:
    """The exchanges whose answer has a sentence, or is a short reply, that is like a known refusal."""
    passages, examples = drop.passages, drop.encoder.encode(read_lines("declining.txt"))
    without = np.setdiff1d(np.arange(len(passages.responses)), passages.exchange)
    texts = [*passages.sentences, *(passages.responses[exchange] for exchange in without)]
    near = np.zeros(len(passages.responses))
    np.maximum.at(near, np.r_[passages.exchange, without], (drop.encoder.encode(texts) @ examples.T).max(1))
    nearest = np.argsort(-near, kind="stable")[:MOST_READ]
    return np.sort(nearest[near[nearest] >= NEAR])


def _declines(answers: list[str], reader: Reader) -> np.ndarray:
    """Whether both judges are sure that each answer declines, bool ``[answers]``."""
    sure = reader.strongest([pieces(answer, OPENING_PIECES) for answer in answers], DECLINES) > SURE
    said = reader.refusals.refuses([answers[number] for number in np.flatnonzero(sure)])
    sure[np.flatnonzero(sure)] = said
    return sure


def _harmful(prompts: list[str], reader: Reader) -> np.ndarray:
    """Whether each prompt asks for harm, bool ``[prompts]``."""
    harmful: np.ndarray = reader.strongest([pieces(prompt) for prompt in prompts], HARM) > HARMFUL
    return harmful
