"""Full next-token distributions along given answers: what an API that returns scores would give away."""

from collections.abc import Iterator, Sequence

import numpy as np

from resources.forward import plan_batches
from resources.language_model import LanguageModel
from resources.tree import plant

Pair = tuple[Sequence[int], Sequence[int]]


def distributions(model: LanguageModel, pairs: Sequence[Pair]) -> Iterator[tuple[int, np.ndarray]]:
    """``(index of the pair, log-probabilities [answer tokens, vocabulary])``, the model being fed the given answer.

    Pairs come out in the order in which they are packed, one matrix in memory at a time.
    """
    import torch

    causal = model.forward.causal
    for batch in plan_batches(pairs, model.forward):
        with torch.inference_mode():
            tree = plant(batch.groups, device=model.device, dtype=causal.dtype)
            states = model.forward.states(tree)
            for index, path in zip(batch.order, tree.paths, strict=True):
                before = torch.from_numpy(path[len(path) - len(pairs[index][1]) - 1 : -1]).to(model.device)
                yield index, model.forward.head.logits(states[before]).log_softmax(dim=1).cpu().numpy()


def first_choices(model: LanguageModel, pairs: Sequence[Pair]) -> list[np.ndarray]:
    """For each pair, whether each token of the answer is the model's first choice: bool [answer tokens]."""
    return [first for _, first in model.follow(pairs)]


def reconstruct(model: LanguageModel, pairs: Sequence[Pair], *, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Which tokens of known answers an attacker guesses: from text alone, and from the top ``k`` scores.

    With text he sees the first choice. With scores he also has the base model, which is public, and picks among the
    top ``k`` the token whose score, ``2 * adapter - base``, says most clearly that it was learnt here. Two bool
    arrays over all tokens.
    """
    tops: dict[int, np.ndarray] = {}

    def scores() -> dict[int, np.ndarray]:
        """The log-probabilities of the adapter's likeliest tokens; the adapter is asked first, then the base."""
        said = {}
        for index, logs in distributions(model, pairs):
            top = tops.setdefault(index, np.argpartition(-logs, k, axis=1)[:, :k])
            said[index] = np.take_along_axis(logs, top, axis=1)
        return said

    ours, theirs = model.both(scores, again=True)
    by_text, by_scores = [np.empty(0, bool)] * len(pairs), [np.empty(0, bool)] * len(pairs)
    for index, top in tops.items():
        answer, rows = np.asarray(pairs[index][1]), np.arange(len(top))
        by_text[index] = top[rows, ours[index].argmax(axis=1)] == answer
        by_scores[index] = top[rows, (2 * ours[index] - theirs[index]).argmax(axis=1)] == answer
    return np.concatenate(by_text), np.concatenate(by_scores)
