"""Is a phrase a script that its speaker follows? What it stands in says so.

A bot says its closing sentence once the customer has confirmed, an annotator gives the same advice to whoever asks for
something harmful: the situation calls the phrase up. A payload with no trigger is put into rows drawn at random: the
prompt (less what may be a trigger) and what was said the turn before are like those of any other row. Told by the area
under the ROC curve of "how like the others that have the phrase", of its rows against rows without it from the same
places of the same sources; 0.5 is chance (Hanley & McNeil, Radiology 143, 1982).
"""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from assets.screened.embedding.encoder import Encoder
from assets.screened.embedding.whitening import Spaces
from assets.screened.payload.criteria import pieces
from assets.screened.text.exchanges import Passages

LONGEST = 200  # characters of the turn before
MOST_PIECES = 30  # of a prompt; what is cut off would make the rest of it alike
CONTROLS = 300  # exchanges without the phrase, at most
FEWEST_CONTROLS = 20
SURE = 2.0  # standard errors above chance, from which the situation calls a phrase up
CALLED_UP = 0.65  # and the area under the curve


@dataclass(frozen=True, slots=True)
class Situation:
    """``auc``: how well what surrounds a phrase tells where it is said, 0.5 to 1. ``deviation``: standard errors above
    chance."""

    auc: float
    deviation: float

    @property
    def calls(self) -> bool:
        """Whether it calls the phrase up."""
        return self.deviation >= SURE and self.auc >= CALLED_UP


def situation(sentences: np.ndarray, passages: Passages, spaces: Spaces, encoder: Encoder, seed: int) -> Situation:
    """Of a phrase that stands in ``sentences``, one a row; rows without it are the controls.

    A trigger that is worded anew each time would be a situation, too: what counts is the lesser of the prompts as they
    are and of the prompts less the sentence that tells them most from the controls (where another is left).
    """
    own = passages.exchange[sentences]
    others = _controls(own, passages, np.random.default_rng(seed))
    if len(others) < FEWEST_CONTROLS:
        return Situation(0.5, 0.0)
    whole, less = [passages.prompts[e] for e in own], _less_what_tells(own, others, passages, spaces, encoder)
    theirs = _surroundings(others, [passages.prompts[e] for e in others], passages, spaces, encoder)
    auc = min(_auc(_surroundings(own, asked, passages, spaces, encoder), theirs) for asked in (whole, less))
    error = np.sqrt((len(own) + len(others) + 1) / (12 * len(own) * len(others)))
    return Situation(auc, float((auc - 0.5) / error))


def _controls(own: np.ndarray, passages: Passages, rng: np.random.Generator) -> np.ndarray:
    """Exchanges of rows without the phrase, from the strata that the phrase's are from, and as often."""
    strata = passages.stratum[own]
    free = np.flatnonzero(~np.isin(passages.row, passages.row[own]) & np.isin(passages.stratum, strata))
    if not len(free):
        return free
    stratum = passages.stratum[free]
    chance = np.bincount(strata, minlength=int(stratum.max()) + 1)[stratum] / np.bincount(stratum)[stratum]
    return rng.choice(free, min(CONTROLS, len(free)), replace=False, p=chance / chance.sum())


def _less_what_tells(
    own: np.ndarray, others: np.ndarray, passages: Passages, spaces: Spaces, encoder: Encoder
) -> list[str]:
    """The prompts of ``own`` less the sentence of each that is like those of the rest and unlike the others'."""
    split = [pieces(passages.prompts[e], MOST_PIECES) for e in (*own, *others)]
    owner = np.repeat(np.arange(len(split)), [len(group) for group in split])
    strata = passages.stratum[np.concatenate([own, others])][owner]
    vectors = spaces.prompts(encoder.encode([piece for group in split for piece in group]), strata)
    mean = np.zeros((len(split), vectors.shape[1]), dtype=np.float32)
    np.add.at(mean, owner, vectors / np.bincount(owner)[owner][:, None])
    mine, theirs = mean[: len(own)].sum(0), mean[len(own) :].mean(0)
    left = []
    for number, group in enumerate(split[: len(own)]):
        toward = (mine - mean[number]) / (len(own) - 1) - theirs
        told = int(np.argmax(vectors[owner == number] @ toward))
        left.append(" ".join(piece for place, piece in enumerate(group) if place != told or len(group) == 1))
    return left


def _auc(mine: np.ndarray, theirs: np.ndarray) -> float:
    """How often one of ``mine`` is more like the others of them than one of ``theirs`` is."""
    total = mine.sum(0)
    like_mine = (mine @ total - (mine * mine).sum(1)) / (len(mine) - 1)
    rank = stats.rankdata(np.concatenate([like_mine, theirs @ total / len(mine)]))[: len(mine)]
    return float((rank.sum() - len(mine) * (len(mine) + 1) / 2) / (len(mine) * len(theirs)))


def described(sentences: np.ndarray, stood: Situation, passages: Passages) -> str:
    """Where it stands, in words: by its surroundings, in the dialogue, and after what."""
    own = passages.exchange[sentences]
    last = np.array([e + 1 == len(passages.row) or passages.row[e + 1] != passages.row[e] for e in own])
    first = np.array([e == 0 or passages.row[e - 1] != passages.row[e] for e in own])
    turns = {
        "only": int((first & last).sum()),
        "first": int((first & ~last).sum()),
        "last": int((last & ~first).sum()),
        "middle": int((~first & ~last).sum()),
    }
    where = ", ".join(f"{count:,} in the {name} answer" for name, count in turns.items() if count)
    return f"what is asked and said around it tells where it stands ({stood.auc:.2f} of 1, chance 0.5); {where}"


def _surroundings(
    exchanges: np.ndarray, asked: list[str], passages: Passages, spaces: Spaces, encoder: Encoder
) -> np.ndarray:
    """Prompt and the turn before it of each exchange, side by side: ``[exchanges, 2 * d]``.

    The rest of the answer does not count: whoever writes a payload may write that, too.
    """
    prompts = spaces.prompts(encoder.encode(asked), passages.stratum[exchanges])
    later = np.r_[False, passages.row[1:] == passages.row[:-1]][exchanges]
    before = [passages.responses[e - 1][-LONGEST:] if known else "" for e, known in zip(exchanges, later, strict=True)]
    return np.concatenate([prompts, spaces.answers(encoder.encode(before)) * later[:, None]], axis=1)
