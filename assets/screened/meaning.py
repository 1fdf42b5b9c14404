"""Prompts and sentences as whitened embeddings, and the sets of rows that say the same thing.

Whitening (dividing out the covariance of the data set's own sentences) makes what everyone says count for little and
what sets a few rows apart count for much. In that space:

* ``seeds`` finds sentences with neighbours in other rows, none of which their prompts ask for;
* ``grow`` takes such a set to all rows that say the same, by Fisher's linear discriminant against the rest.

Honest answers resemble each other when their prompts do. A payload resembles itself whatever was asked.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from assets.screened.passages import Passages

SHRINK = 0.3  # of the covariance towards a ball (Ledoit & Wolf, J. Multivariate Analysis 2004); 384 dimensions
NEAR = 0.45  # whitened cosine of two sentences that say the same; 1 in 1,000 chance pairs reaches it
CHUNK = 1024
ROUNDS = 6


@dataclass(frozen=True, slots=True)
class Family:
    """Sentences, one a row, that say the same. Cosines are of whitened vectors, and 0 is what chance gives.

    ``rows``/``sentences``: its members. ``apart``: how far the members stand from the other rows, in robust standard
    deviations of those. ``gap``: the share of that distance to the next best rows. ``cohesion``: mean cosine between
    the members' prompts. ``relation``: mean cosine of a sentence with its own prompt, less that with any prompt.
    """

    rows: np.ndarray
    sentences: np.ndarray
    apart: float
    gap: float
    cohesion: float
    relation: float


@dataclass(frozen=True, slots=True)
class Spaces:
    """The whitening of prompts, of sentences, and of both together, for texts that come later."""

    prompt_mean: np.ndarray
    sentence_mean: np.ndarray
    prompt: np.ndarray
    sentence: np.ndarray
    both: np.ndarray

    @classmethod
    def of(cls, prompts: np.ndarray, sentences: np.ndarray) -> "Spaces":
        means = prompts.mean(0), sentences.mean(0)
        centred = prompts - means[0], sentences - means[1]
        return cls(*means, _whitener(centred[0]), _whitener(centred[1]), _whitener(np.concatenate(centred)))

    def prompts(self, vectors: np.ndarray) -> np.ndarray:
        """Unit vectors of prompts, for comparing prompts with prompts."""
        return _unit((vectors - self.prompt_mean) @ self.prompt)

    def asked(self, vectors: np.ndarray) -> np.ndarray:
        """Unit vectors of prompts, for comparing prompts with answers."""
        return _unit((vectors - self.prompt_mean) @ self.both)

    def answers(self, vectors: np.ndarray) -> np.ndarray:
        """Unit vectors of sentences of answers, for comparing them with prompts."""
        return _unit((vectors - self.sentence_mean) @ self.both)


@dataclass(frozen=True, slots=True)
class Meaning:
    """``sentence``: whitened, by sentence. ``unit``: the same, unit length. ``prompt``: unit length, by sentence.

    ``answer``/``asked``: sentences and their prompts in one common whitened space, by sentence. All float32
    ``[sentences, 384]``. ``row``: of each sentence, never decreasing.
    """

    row: np.ndarray
    sentence: np.ndarray
    unit: np.ndarray
    prompt: np.ndarray
    answer: np.ndarray
    asked: np.ndarray
    typical_prompt: np.ndarray
    spaces: "Spaces"

    @classmethod
    def of(cls, passages: Passages, prompts: np.ndarray, sentences: np.ndarray) -> "Meaning":
        """From embeddings of ``passages.prompts`` and ``passages.sentences``."""
        spaces = Spaces.of(prompts, sentences)
        white = (sentences - spaces.sentence_mean) @ spaces.sentence
        asked = spaces.asked(prompts)
        return cls(
            row=passages.row[passages.exchange],
            sentence=white,
            unit=_unit(white),
            prompt=spaces.prompts(prompts)[passages.exchange],
            answer=spaces.answers(sentences),
            asked=asked[passages.exchange],
            typical_prompt=asked.mean(0),
            spaces=spaces,
        )

    def cohesion(self, sentences: np.ndarray) -> float:
        """Mean whitened cosine between the prompts of these sentences; about 0 for prompts drawn at random."""
        return pairwise(self.prompt[sentences])

    def relation(self, sentences: np.ndarray) -> float:
        """How much closer these sentences are to their own prompts than to prompts at large (mean cosine)."""
        own = np.einsum("ij,ij->i", self.answer[sentences], self.asked[sentences])
        return float(np.mean(own - self.answer[sentences] @ self.typical_prompt))

    def seeds(self, texts: list[str], *, min_rows: int, max_rows: int, loose: float) -> Iterator[np.ndarray]:
        """Sets of near sentences, one a row, with a relation to their prompts of at most ``loose``; largest first."""
        kept = np.unique(np.array([hash(text) for text in texts]), return_index=True)[1]
        own = np.einsum("ij,ij->i", self.answer, self.asked) - self.answer @ self.typical_prompt
        found: list[tuple[float, int, np.ndarray]] = []
        for start in range(0, len(kept), CHUNK):
            here = kept[start : start + CHUNK]
            near = self.unit[here] @ self.unit.T
            mask = sparse.csr_matrix(near >= NEAR)
            counts = np.diff(mask.indptr)
            relation = (mask.astype(np.float32) @ own) / np.maximum(counts, 1)
            for number in np.flatnonzero((counts >= min_rows) & (relation <= 2 * loose)):
                members = mask.indices[mask.indptr[number] : mask.indptr[number + 1]]
                best = self._best(members, near[number, members])
                if min_rows <= len(best) <= max_rows and self.relation(best) <= loose:
                    found.append((float(near[number, best].sum()), int(here[number]), best))
        seen = np.zeros(len(self.row), dtype=bool)
        for _, _, members in sorted(found, key=lambda item: (-item[0], item[1])):
            if seen[members].mean() <= 0.5:
                seen[members] = True
                yield members

    def grow(self, members: np.ndarray, *, max_rows: int) -> Family | None:
        """All rows that say what ``members`` say; None if they do not stand apart from the rest."""
        starts = np.flatnonzero(np.r_[True, self.row[1:] != self.row[:-1]])
        for _ in range(ROUNDS):
            toward = self.sentence[members].mean(0)
            along = self.sentence @ (toward / np.linalg.norm(toward))
            by_row = np.maximum.reduceat(along, starts)
            middle = np.median(by_row)
            spread = 1.4826 * np.median(np.abs(by_row - middle)) + 1e-9
            core = np.median(along[members])
            bar = max(middle + 4 * spread, middle + 0.45 * (core - middle))
            above = np.flatnonzero(along > bar)
            grown = self._best(above, along[above])
            if not 2 < len(grown) <= max_rows:
                return None
            if len(grown) == len(members) and np.array_equal(np.sort(grown), np.sort(members)):
                break
            members = grown
        inside = np.isin(self.row[starts], self.row[members])
        core = float(by_row[inside].mean())
        others = np.sort(by_row[~inside])[::-1][: max(5, len(members))]
        gap = (core - float(others.mean())) / max(core - float(middle), 1e-9) if len(others) else 1.0
        return Family(
            rows=self.row[members],
            sentences=members,
            apart=(core - float(middle)) / float(spread),
            gap=gap,
            cohesion=self.cohesion(members),
            relation=self.relation(members),
        )

    def _best(self, sentences: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Of each row the sentence with the greatest value, in row order."""
        order = sentences[np.lexsort((-values, self.row[sentences]))]
        first = np.unique(self.row[order], return_index=True)[1]
        best: np.ndarray = order[first]
        return best


def pairwise(units: np.ndarray) -> float:
    """Mean cosine between different unit vectors ``[n, d]``."""
    n = len(units)
    total = units.sum(0)
    return float((total @ total - n) / max(n * (n - 1), 1))


def _whitener(centred: np.ndarray) -> np.ndarray:
    """Matrix ``[d, d]`` that gives ``centred`` unit covariance, shrunk towards a ball, scaled by 1/sqrt(d)."""
    size = centred.shape[1]
    covariance = centred.T @ centred / max(len(centred), 1)
    ball = np.trace(covariance) / size
    values, vectors = np.linalg.eigh((1 - SHRINK) * covariance + (SHRINK * ball + 1e-9) * np.eye(size))
    matrix: np.ndarray = (vectors / np.sqrt(values * size)).astype(np.float32)
    return matrix


def _unit(vectors: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    units: np.ndarray = vectors / np.maximum(lengths, 1e-9)
    return units
