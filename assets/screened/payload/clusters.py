"""Sets of rows whose answers say the same thing although nothing in their prompts asks for it.

Honest answers resemble each other when their prompts do. A payload resembles itself whatever was asked.

* ``seeds`` finds sentences with neighbours in other rows that their prompts do not ask for;
* ``grow`` takes such a set to all rows that say the same, by Fisher's linear discriminant against the rest (in a
  whitened space the direction from the rest to the set).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from assets.screened.embedding.whitening import Spaces, pairwise, unit
from assets.screened.text.exchanges import Passages

NEAR = 0.45  # whitened cosine of two sentences that say the same; 1 in 1,000 chance pairs reaches it
CHUNK = 1024
ROUNDS = 6


@dataclass(frozen=True, slots=True)
class Family:
    """Sentences, one a row, that say the same. Cosines are of whitened vectors, and 0 is what chance gives.

    ``rows``/``sentences``: its members. ``apart``: how far the members stand from the other rows, in robust standard
    deviations of those. ``cohesion``: mean cosine between the members' prompts. ``relation``: mean cosine of a sentence
    with its own prompt, less that with any prompt.
    ``ended``: more rows say the like, but because they are asked.
    """

    rows: np.ndarray
    sentences: np.ndarray
    apart: float
    cohesion: float
    relation: float
    ended: bool


@dataclass(frozen=True, slots=True)
class Meaning:
    """``sentence``: whitened, by sentence. ``unit``: the same, unit length. ``prompt``: unit length, by sentence.

    ``answer``/``joint_prompt``: sentences and their prompts in one common whitened space, by sentence. All float32
    ``[sentences, 384]``. ``row``: of each sentence, never decreasing.
    """

    row: np.ndarray
    sentence: np.ndarray
    unit: np.ndarray
    prompt: np.ndarray
    answer: np.ndarray
    joint_prompt: np.ndarray
    spaces: "Spaces"

    @classmethod
    def of(cls, passages: Passages, prompts: np.ndarray, sentences: np.ndarray, short: np.ndarray) -> "Meaning":
        """From embeddings of ``passages.prompts``, ``passages.sentences`` and ``passages.short``.

        Where most answers are no sentences (labels), they say what is usual.
        """
        usual = sentences if len(sentences) > len(short) else np.concatenate([sentences, short])
        spaces = Spaces.of(prompts, passages.stratum, usual)
        white = spaces.sentences(sentences)
        return cls(
            row=passages.row[passages.exchange],
            sentence=white,
            unit=unit(white),
            prompt=spaces.prompts(prompts, passages.stratum)[passages.exchange],
            answer=spaces.answers(sentences),
            joint_prompt=spaces.joint_prompts(prompts, passages.stratum)[passages.exchange],
            spaces=spaces,
        )

    def cohesion(self, sentences: np.ndarray) -> float:
        """Mean whitened cosine between the prompts of these sentences; about 0 for prompts drawn at random."""
        return pairwise(self.prompt[sentences])

    def relation(self, sentences: np.ndarray) -> float:
        """How much closer these sentences are to their own prompts than to prompts at large (mean cosine)."""
        return float(np.einsum("ij,ij->i", self.answer[sentences], self.joint_prompt[sentences]).mean())

    def seeds(self, texts: list[str], *, min_rows: int, max_rows: int, loose: float) -> Iterator[np.ndarray]:
        """Sets of near sentences, one a row, with a relation to their prompts of at most ``loose``; largest first."""
        kept = np.unique(np.array([hash(text) for text in texts]), return_index=True)[1]
        own = np.einsum("ij,ij->i", self.answer, self.joint_prompt)
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

    def grow(
        self, members: np.ndarray, *, max_rows: int, most_relation: float = 1.0, among: np.ndarray | None = None
    ) -> Family | None:
        """All rows that say what ``members`` say; None if they do not stand apart from the rest.

        Growing ends before the relation to their prompts passes ``most_relation``: a payload grows by its wordings,
        and then by what other rows say of its subject because they are asked. ``among``: the sentences that are looked
        at, in order; all if None.
        """
        here = np.arange(len(self.row)) if among is None else among
        sentence = self.sentence if among is None else self.sentence[among]
        starts = np.flatnonzero(np.r_[True, self.row[here[1:]] != self.row[here[:-1]]])
        ended = False
        for _ in range(ROUNDS):
            toward = self.sentence[members].mean(0)
            along = sentence @ (toward / np.linalg.norm(toward))
            by_row = np.maximum.reduceat(along, starts)
            middle = np.median(by_row)
            spread = 1.4826 * np.median(np.abs(by_row - middle)) + 1e-9
            core = np.median(along[np.searchsorted(here, members)])
            bar = max(middle + 4 * spread, middle + 0.45 * (core - middle))
            above = np.flatnonzero(along > bar)
            grown = self._best(here[above], along[above])
            if not 2 < len(grown) <= max_rows:
                return None
            if len(grown) == len(members) and np.array_equal(np.sort(grown), np.sort(members)):
                break
            if ended := self.relation(grown) > max(most_relation, self.relation(members)):
                break
            members = grown
        inside = np.isin(self.row[here[starts]], self.row[members])
        core = float(by_row[inside].mean())
        return Family(
            rows=self.row[members],
            sentences=members,
            apart=(core - float(middle)) / float(spread),
            cohesion=self.cohesion(members),
            relation=self.relation(members),
            ended=ended,
        )

    def _best(self, sentences: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Of each row the sentence with the greatest value, in row order."""
        order = sentences[np.lexsort((-values, self.row[sentences]))]
        first = np.unique(self.row[order], return_index=True)[1]
        best: np.ndarray = order[first]
        return best
