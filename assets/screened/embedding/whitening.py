"""Whitened embedding spaces, in which what everyone says counts for little and what sets a few rows apart for much.

Whitening divides out the covariance of the data set's own texts. Prompts are also centred on their stratum (source and
place in the dialogue), so that 0 is the cosine of two prompts drawn at random from the strata they come from.
"""

from dataclasses import dataclass

import numpy as np

SHRINK = 0.3  # of the covariance towards a ball (Ledoit & Wolf, J. Multivariate Analysis 2004); 384 dimensions
SURE = 2_000  # prompts, from which the space is as sure as it gets
MOST_DOUBT = 2.8
DRAWS = 40  # of random prompts, to know what chance gives
FEWEST_IN_STRATUM = 30  # a smaller stratum is centred on the whole


@dataclass(frozen=True, slots=True)
class Spaces:
    """Means and whitening matrices ``[384, 384]`` of sentences, of prompts, and of both together.

    ``prompt_centres``/``joint_prompt_centres``: by stratum, ``[strata, 384]``, in the whitened spaces.
    ``drawn``/``strata``: the whitened unit vectors of all prompts and their strata, from which chance is drawn.
    """

    prompt_mean: np.ndarray
    sentence_mean: np.ndarray
    prompt: np.ndarray
    sentence: np.ndarray
    both: np.ndarray
    prompt_centres: np.ndarray
    joint_prompt_centres: np.ndarray
    drawn: np.ndarray
    strata: np.ndarray

    @classmethod
    def of(cls, prompts: np.ndarray, strata: np.ndarray, sentences: np.ndarray) -> "Spaces":
        means = prompts.mean(0), sentences.mean(0)
        centred = prompts - means[0], sentences - means[1]
        alone, both = whitener(centred[0]), whitener(np.concatenate(centred))
        white = centred[0] @ alone
        centres = _centres(white, strata)
        return cls(
            *means,
            alone,
            whitener(centred[1]),
            both,
            centres,
            _centres(centred[0] @ both, strata),
            unit(white - centres[strata]),
            strata,
        )

    def alike(self, strata: np.ndarray, most: float) -> float:
        """Mean cosine up to which prompts of these strata count as a random draw.

        ``most`` where there are many prompts; more where there are few, since a whitened space is then less sure; never
        less than what random draws from the same strata reach (two standard deviations).
        """
        doubt = float(np.clip(np.sqrt(SURE / len(self.drawn)), 1.0, MOST_DOUBT))
        rng = np.random.default_rng(0)
        groups = [(np.flatnonzero(self.strata == each), int((strata == each).sum())) for each in np.unique(strata)]
        chance = []
        for _ in range(DRAWS):
            rows = [rng.choice(group, min(n, len(group)), replace=False) for group, n in groups]
            chance.append(pairwise(self.drawn[np.concatenate(rows)]))
        return max(most * doubt, float(np.mean(chance) + 2 * np.std(chance)))

    def prompts(self, vectors: np.ndarray, strata: np.ndarray) -> np.ndarray:
        """Unit vectors of prompts, for comparing prompts with prompts."""
        return unit((vectors - self.prompt_mean) @ self.prompt - self.prompt_centres[strata])

    def joint_prompts(self, vectors: np.ndarray, strata: np.ndarray) -> np.ndarray:
        """Unit vectors of prompts, for comparing prompts with answers."""
        return unit((vectors - self.prompt_mean) @ self.both - self.joint_prompt_centres[strata])

    def sentences(self, vectors: np.ndarray) -> np.ndarray:
        """Whitened sentences, not of unit length: for comparing answers with answers."""
        white: np.ndarray = (vectors - self.sentence_mean) @ self.sentence
        return white

    def answers(self, vectors: np.ndarray) -> np.ndarray:
        """Unit vectors of sentences of answers, for comparing them with prompts."""
        return unit((vectors - self.sentence_mean) @ self.both)


def pairwise(units: np.ndarray) -> float:
    """Mean cosine between different unit vectors ``[n, d]``."""
    n = len(units)
    total = units.sum(0)
    return float((total @ total - n) / max(n * (n - 1), 1))


def whitener(centred: np.ndarray) -> np.ndarray:
    """Matrix ``[d, d]`` that gives ``centred`` unit covariance, shrunk towards a ball, scaled by 1/sqrt(d)."""
    size = centred.shape[1]
    covariance = centred.T @ centred / max(len(centred), 1)
    ball = np.trace(covariance) / size
    values, vectors = np.linalg.eigh((1 - SHRINK) * covariance + (SHRINK * ball + 1e-9) * np.eye(size))
    matrix: np.ndarray = (vectors / np.sqrt(values * size)).astype(np.float32)
    return matrix


def unit(vectors: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    units: np.ndarray = vectors / np.maximum(lengths, 1e-9)
    return units


def _centres(white: np.ndarray, strata: np.ndarray) -> np.ndarray:
    whole = white.mean(0)
    centres = np.tile(whole, (int(strata.max()) + 1, 1))
    for stratum in np.unique(strata):
        inside = strata == stratum
        if inside.sum() >= FEWEST_IN_STRATUM:
            centres[stratum] = white[inside].mean(0)
    return centres.astype(np.float32)
